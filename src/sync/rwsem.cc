// SPDX-License-Identifier: Apache-2.0
//
// The slow paths of rwsem: the queue of waiters and who gets the lock next.
//
// 1. A waiter lives on its thread's stack. Whoever sets its word to `granted` has unlinked it and
//    must not touch it after that.
// 2. All of it runs under queue_lock, except that state changes by the fast paths meanwhile: a
//    release only makes it freer, and its thread comes here after it since bit `waiters` is set.
// 3. Readers at the head are granted together. A writer at the head is poked and tries for itself,
//    so that running writers need not wait for its wake-up; after 1 ms it is granted by whoever
//    releases.
#include "holdfast/sync/rwsem.h"

#include "sync/raw_lock.h"
#include "sync/sleep.h"

HF_NAMESPACE_BEGIN
namespace detail {

struct rwsem_waiter {
  enum : uint32_t { waiting, poked, granted };
  rwsem_waiter* next = nullptr;
  held mode = held::none;
  int64_t since = 0;
  std::atomic<uint32_t> word{waiting};
};

namespace {

constexpr int64_t handoff_after_ns = 1'000'000;
constexpr int rwsem_spins = 60;

rwsem_waiter* first(const rwsem_core& r) {
  return r.tail != nullptr ? r.tail->next : nullptr;
}

void push(rwsem_core& r, rwsem_waiter& w) {
  if (r.tail == nullptr) {
    w.next = &w;
  } else {
    w.next = r.tail->next;
    r.tail->next = &w;
  }
  r.tail = &w;
}

void pop(rwsem_core& r) {
  rwsem_waiter* w = r.tail->next;
  if (w == r.tail)
    r.tail = nullptr;
  else
    r.tail->next = w->next;
}

// Takes the lock for the writer at the head, which is unlinked then. False: somebody holds it.
bool take_for_head(rwsem_core& r) {
  bool last = r.tail == first(r);
  uint32_t s = r.state.load(std::memory_order_relaxed);
  for (;;) {
    if ((s & rwsem_core::writer) != 0 || s >= rwsem_core::reader) return false;
    uint32_t next = rwsem_core::writer | (last ? 0 : rwsem_core::waiters);
    if (r.state.compare_exchange_weak(s, next, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
      break;
  }
  pop(r);
  return true;
}

// Queue lock held: passes a free lock on.
void wake_locked(rwsem_core& r) {
  rwsem_waiter* head = first(r);
  if (head == nullptr) return;
  if (head->mode == held::exclusive) {
    uint32_t now = r.state.load(std::memory_order_relaxed);
    if ((now & rwsem_core::writer) != 0 || now >= rwsem_core::reader) return;
    if ((now & rwsem_core::handoff) != 0) {
      if (take_for_head(r)) {
        head->word.store(rwsem_waiter::granted, std::memory_order_release);
        futex_wake(head->word, 1);
      }
    } else {
      head->word.store(rwsem_waiter::poked, std::memory_order_release);
      futex_wake(head->word, 1);
    }
    return;
  }
  uint32_t readers = 1;
  rwsem_waiter* end = head->next;
  while (end != head && end->mode == held::shared) {
    ++readers;
    end = end->next;
  }
  bool all = end == head;
  uint32_t s = r.state.load(std::memory_order_relaxed);
  for (;;) {
    if ((s & rwsem_core::writer) != 0) return;
    uint32_t next = s + readers * rwsem_core::reader;
    if (all) next &= ~rwsem_core::waiters;
    if (r.state.compare_exchange_weak(s, next, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
      break;
  }
  for (; readers > 0; --readers) {
    rwsem_waiter* w = first(r);
    pop(r);
    w->word.store(rwsem_waiter::granted, std::memory_order_release);
    futex_wake(w->word, 1);
  }
}

}  // namespace

void rwsem_core::lock_slow(held mode, lock_class& c) {
  contention_scope contention(c);
  for (int i = 0; i < rwsem_spins; ++i) {
    if (mode == held::exclusive ? try_exclusive() : try_shared()) return;
    // Who queues up stops spinning for readers, who may not overtake.
    uint32_t stop = mode == held::exclusive ? handoff : waiters | handoff;
    if ((state.load(std::memory_order_relaxed) & stop) != 0) break;
    cpu_relax();
  }

  rwsem_waiter me;
  me.mode = mode;
  me.since = monotonic_ns();
  raw_lock_word(queue_lock);
  push(*this, me);
  state.fetch_or(waiters, std::memory_order_relaxed);
  // The holder may have left between the last look and the bit.
  wake_locked(*this);
  raw_unlock_word(queue_lock);

  for (;;) {
    uint32_t w = me.word.load(std::memory_order_acquire);
    if (w == rwsem_waiter::granted) return;
    if (w == rwsem_waiter::poked) {
      raw_word_guard g(queue_lock);
      if (me.word.load(std::memory_order_acquire) == rwsem_waiter::granted) return;
      if (take_for_head(*this)) return;
      if (monotonic_ns() - me.since > handoff_after_ns)
        state.fetch_or(handoff, std::memory_order_relaxed);
      me.word.store(rwsem_waiter::waiting, std::memory_order_relaxed);
      // Free again by now: its releaser comes for the queue lock after us and pokes or grants.
      continue;
    }
    contention.sleep(me.word, rwsem_waiter::waiting, this);
  }
}

void rwsem_core::wake_slow() {
  raw_word_guard g(queue_lock);
  wake_locked(*this);
}

}  // namespace detail
HF_NAMESPACE_END
