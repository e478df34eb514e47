// SPDX-License-Identifier: Apache-2.0
//
// RCU on liburcu (memb flavour): sections and grace periods are liburcu's, the callback queue is
// ours.
//
// 1. A callback's way: pushed on a shard's stack -> taken with all others by the one callback
//    thread -> a grace period -> run in the order of pushing (per shard).
// 2. The thread sleeps while all shards are empty. Pusher and sleeper each write and then look at
//    the other's word, sequentially consistent, so that no push is missed.
// 3. It lets callbacks gather for a millisecond, unless somebody waits (`urgent`).
// 4. pending(shard) goes down only after its callbacks ran: the bound is on memory held, not on
//    queues.
//
// TSan doesn't see liburcu's ordering; the edges "end of section -> end of grace period" are told
// to it.
#include "holdfast/sync/rcu.h"

#include <pthread.h>
#include <signal.h>

#include "holdfast/sync/seqlock.h"

// Inline read-side functions; under TSan the library's own, whose accesses it doesn't see.
#if !HF_TSAN
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>

#include "host/clock.h"
#include "sync/raw_lock.h"
#include "sync/thread.h"

#if HF_TSAN
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#endif

HF_NAMESPACE_BEGIN

namespace {

constexpr uint32_t shards = 16;
constexpr uint64_t shard_limit =
    4096;  // pending callbacks above which a caller that may block waits
constexpr int64_t gather_ns = 1'000'000;

struct alignas(64) callback_shard {
  std::atomic<rcu_head*> top{nullptr};
  std::atomic<uint64_t> pending{0};
};

enum : uint32_t { not_started, running, sleeping };

constinit callback_shard queue[shards];
constinit std::atomic<uint32_t> worker{not_started};
constinit raw_lock start_lock;
constinit std::atomic<uint32_t> urgent{0};
constinit std::atomic<uint64_t> barriers_wanted{0};
constinit std::atomic<uint64_t> barriers_done{0};
constinit std::atomic<uint32_t> batches{0};  // done; waiters sleep on it
constinit thread_local bool is_worker = false;

[[maybe_unused]] constinit char grace_period_edge = 0;

// Grace periods are numbered as they begin; several may be under way.
constinit std::atomic<uint64_t> periods_begun{0};
constinit std::atomic<uint64_t> periods_ended{0};  // the highest number

void wait_for_readers() {
  const uint64_t number = periods_begun.fetch_add(1) + 1;
  urcu_memb_synchronize_rcu();
  uint64_t ended = periods_ended.load();
  while (ended < number && !periods_ended.compare_exchange_weak(ended, number)) {
  }
#if HF_TSAN
  __tsan_acquire(&grace_period_edge);
#endif
}

rcu_head* reversed(rcu_head* h) {
  rcu_head* out = nullptr;
  while (h != nullptr) {
    rcu_head* next = h->next;
    h->next = out;
    out = h;
    h = next;
  }
  return out;
}

bool work_waits() {
  if (barriers_wanted.load() != barriers_done.load()) return true;
  for (callback_shard& s : queue)
    if (s.top.load() != nullptr) return true;
  return false;
}

void run_batch() {
  uint64_t barrier = barriers_wanted.load();
  rcu_head* taken[shards];
  bool any = false;
  for (uint32_t i = 0; i < shards; ++i) {
    taken[i] = reversed(queue[i].top.exchange(nullptr));
    any = any || taken[i] != nullptr;
  }
  if (any) wait_for_readers();
  detail::this_thread.in_rcu_callback = true;
  for (uint32_t i = 0; i < shards; ++i) {
    uint64_t n = 0;
    for (rcu_head* h = taken[i]; h != nullptr; ++n) {
      rcu_head* next = h->next;
      no_block_guard quick("RCU callback");
      h->func(*h);
      h = next;
    }
    if (n != 0) queue[i].pending.fetch_sub(n);
  }
  detail::this_thread.in_rcu_callback = false;
  barriers_done.store(barrier);
  batches.fetch_add(1);
  futex_wake(batches, wake_everyone);
}

void* worker_main(void*) {
  pthread_setname_np(pthread_self(), "holdfast-rcu");
  is_worker = true;
  for (;;) {
    worker.store(sleeping);
    while (!work_waits()) futex_wait(worker, sleeping);
    worker.store(running);
    int64_t until = monotonic_ns() + gather_ns;
    while (urgent.load() == 0 && futex_wait(urgent, 0, until)) {
    }
    urgent.store(0);
    run_batch();
  }
}

bool start_worker() {
  raw_guard g(start_lock);
  if (worker.load() != not_started) return true;
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0) return false;
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  // Signals are the program's business.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  worker.store(running);
  int r = pthread_create(&thread, &attr, worker_main, nullptr);
  if (r != 0) worker.store(not_started);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attr);
  return r == 0;
}

// False: there is no callback thread and none could be made.
bool kick_worker() {
  uint32_t w = worker.load();
  if (w == not_started) return start_worker();
  if (w == sleeping && worker.compare_exchange_strong(w, running)) futex_wake(worker, 1);
  return true;
}

void hurry() {
  urgent.store(1);
  futex_wake(urgent, 1);
}

void wait_for_room(callback_shard& s) {
  for (;;) {
    uint32_t seen = batches.load();
    if (s.pending.load() < shard_limit) return;
    hurry();
    if (!kick_worker()) return;
    schedule_point(sched_event::wait, &batches);
    futex_wait(batches, seen);
    schedule_point(sched_event::woken, &batches);
  }
}

}  // namespace

void call_rcu(rcu_head& head, void (*func)(rcu_head&)) {
  schedule_point(sched_event::rcu_call, &head);
  head.func = func;
  callback_shard& s = queue[thread_shard() % shards];
  uint64_t pending = s.pending.fetch_add(1, std::memory_order_relaxed);
  rcu_head* top = s.top.load(std::memory_order_relaxed);
  do {
    head.next = top;
  } while (!s.top.compare_exchange_weak(top, &head));
  if (worker.load() != running) kick_worker();
  if (pending >= shard_limit && !is_worker && may_block()) [[unlikely]]
    wait_for_room(s);
}

void synchronize_rcu() {
  might_block("synchronize_rcu");
  if (instrumented()) [[unlikely]]
    detail::hook_wait_for_readers(rcu_class);
  schedule_point(sched_event::rcu_wait, nullptr);
  wait_for_readers();
}

void rcu_barrier() {
  might_block("rcu_barrier");
  if (instrumented()) [[unlikely]]
    detail::hook_wait_for_readers(rcu_callback_class);
  schedule_point(sched_event::rcu_wait, nullptr);
  uint64_t ticket = barriers_wanted.fetch_add(1) + 1;
  while (barriers_done.load() < ticket) {
    uint32_t seen = batches.load();
    hurry();
    // Without a thread for callbacks this one waits until there is one: they must run.
    bool have_worker = kick_worker();
    if (barriers_done.load() >= ticket) break;
    futex_wait(batches, seen, have_worker ? futex_forever : monotonic_ns() + gather_ns);
  }
}

uint64_t rcu_mark() {
  return periods_begun.load() + 1;
}

bool rcu_passed(uint64_t mark) {
  return periods_ended.load() >= mark;
}

uint64_t rcu_pending() {
  uint64_t n = 0;
  for (callback_shard& s : queue) n += s.pending.load(std::memory_order_relaxed);
  return n;
}

void rcu_thread_exit() {
  if (detail::this_thread.rcu_registered == 0) return;
  detail::this_thread.rcu_registered = 0;
  urcu_memb_unregister_thread();
}

namespace detail {

namespace {
[[gnu::noinline]] void rcu_register() {
  urcu_memb_register_thread();
  this_thread.rcu_registered = 1;
  watch_thread_exit();
}
}  // namespace

// Another user of liburcu may be in a section of its own here; its sections nest.
void rcu_enter() {
  if (this_thread.rcu_registered == 0) [[unlikely]]
    rcu_register();
  urcu_memb_read_lock();
}

void rcu_leave() {
#if HF_TSAN
  __tsan_release(&grace_period_edge);
#endif
  urcu_memb_read_unlock();
}

}  // namespace detail

HF_NAMESPACE_END
