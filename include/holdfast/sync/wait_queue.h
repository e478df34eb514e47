// SPDX-License-Identifier: Apache-2.0
//
// wait_queue<C>: sleep until a condition holds, or have a function called when it may.
//
// 1. Whoever makes the condition true wakes the queue after it. The condition is made of atomics,
//    or of what the predicate locks itself.
// 2. An entry is on at most one queue, linked under the queue's spinlock. Waking takes it off
//    first.
// 3. A callback runs on the waking thread, outside the queue's lock, and owns its entry from then
//    on. It may be called while the waker holds locks, so it doesn't block; it hands work on.
// 4. remove() says who owns the entry: true, the caller; false, the callback (it ran, or is
//    running).
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/list.h"
#include "holdfast/sync/spinlock.h"

HF_NAMESPACE_BEGIN

struct wait_entry {
  list_node node;
  void (*func)(wait_entry&) = nullptr;  // null: a thread sleeps on `word`
  std::atomic<uint32_t> word{0};        // 0 waiting, 1 woken

  wait_entry() = default;
  explicit wait_entry(void (*callback)(wait_entry&)) : func(callback) {}
};

inline constexpr int64_t no_deadline = INT64_MAX;
int64_t monotonic_ns();  // CLOCK_MONOTONIC in nanoseconds; what deadlines are measured by

namespace detail {
// Sleeps until word != 0 or the deadline; false: the deadline passed.
bool wait_on_word(std::atomic<uint32_t>& word, int64_t deadline_ns, lock_class& c);
void wake_word(std::atomic<uint32_t>& word);
}  // namespace detail

template <lock_class& C>
class wait_queue {
 public:
  constexpr wait_queue() = default;
  wait_queue(const wait_queue&) = delete;
  wait_queue& operator=(const wait_queue&) = delete;

  // Returns when pred() is true. Blocks; pred() runs with nothing of ours held and may run often.
  template <class P>
  void wait(P pred) {
    (void)wait_until(no_deadline, pred);
  }
  // False: deadline_ns passed and pred() was still false.
  template <class P>
  bool wait_until(int64_t deadline_ns, P pred) {
    if (pred()) return true;
    might_block(C.name);
    for (;;) {
      wait_entry me;
      add(me);
      if (pred()) {
        (void)remove(me);
        return true;
      }
      bool in_time = detail::wait_on_word(me.word, deadline_ns, C);
      (void)remove(me);
      if (pred()) return true;
      if (!in_time) return false;
    }
  }

  void wake_one() { wake(1); }
  void wake_all() { wake(UINT32_MAX); }

  // The completion form: e.func is called by the next wake that reaches it. The caller tests its
  // condition after this, and takes the entry off again if it holds.
  void add(wait_entry& e) {
    lock_.lock();
    e.word.store(0, std::memory_order_relaxed);
    entries_.add_tail(e.node);
    // Pairs with wake(): of this and the waker's operation on the same word one comes first, and
    // the other sees what was done before it.
    count_.fetch_add(1, std::memory_order_seq_cst);
    lock_.unlock();
  }
  bool remove(wait_entry& e) {
    lock_.lock();
    bool mine = e.node.linked();
    if (mine) {
      e.node.del();
      count_.fetch_sub(1, std::memory_order_relaxed);
    }
    lock_.unlock();
    return mine;
  }
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

 private:
  void wake(uint32_t most) {
    if (count_.fetch_add(0, std::memory_order_seq_cst) == 0) return;
    list_head callbacks;
    lock_.lock();
    while (most-- > 0) {
      list_node* n = entries_.first();
      if (n == nullptr) break;
      n->del();
      count_.fetch_sub(1, std::memory_order_relaxed);
      wait_entry& e = container_of<&wait_entry::node>(*n);
      if (e.func != nullptr)
        callbacks.add_tail(*n);
      else
        detail::wake_word(e.word);
    }
    lock_.unlock();
    while (list_node* n = callbacks.first()) {
      n->del();
      wait_entry& e = container_of<&wait_entry::node>(*n);
      e.func(e);
    }
  }

  spinlock<C> lock_;
  std::atomic<uint32_t> count_{0};
  list_head entries_ HF_GUARDED_BY(lock_);
};

HF_NAMESPACE_END
