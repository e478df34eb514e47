// SPDX-License-Identifier: Apache-2.0
//
// The worker behind deferred_work: one thread, started with the first superblock, that runs what
// was left to it.
//
// 1. `head` is a stack that many push to and the worker takes whole.
// 2. `queued` and `done` only grow. flush waits until done has reached the queued of its call,
//    again until nothing is new: work queues work.
// 3. The thread lives as long as the process; it holds no reference while it sleeps.
#include "holdfast/deferred_work.h"

#include <pthread.h>

#include <atomic>

#include "core/super/super_internal.h"
#include "holdfast/sync/wait_queue.h"

HF_NAMESPACE_BEGIN

namespace {

constinit std::atomic<deferred_work*> head{nullptr};
constinit std::atomic<uint64_t> queued{0};
constinit std::atomic<uint64_t> done{0};
constinit wait_queue<deferred_wait_class> work_wait;
constinit wait_queue<deferred_wait_class> flush_wait;
constinit thread_local bool is_worker = false;

uint64_t run_all() {
  uint64_t n = 0;
  deferred_work* w = head.exchange(nullptr, std::memory_order_acquire);
  while (w != nullptr) {
    deferred_work* next = w->next;  // `run` may free or queue it again
    w->run(*w);
    w = next;
    ++n;
  }
  return n;
}

void* worker(void*) {
  is_worker = true;
  for (;;) {
    work_wait.wait([] { return head.load(std::memory_order_acquire) != nullptr; });
    done.fetch_add(run_all(), std::memory_order_acq_rel);
    flush_wait.wake_all();
  }
  return nullptr;
}

constinit std::atomic<bool> started{false};
constinit std::atomic<bool> starting{false};

}  // namespace

bool start_deferred_worker() {
  if (started.load(std::memory_order_acquire)) return true;
  if (starting.exchange(true, std::memory_order_acq_rel)) return true;  // someone else is at it
  pthread_t t;
  if (pthread_create(&t, nullptr, worker, nullptr) != 0) {
    starting.store(false, std::memory_order_release);
    return false;
  }
  pthread_detach(t);
  started.store(true, std::memory_order_release);
  return true;
}

void defer_work(deferred_work& w) {
  queued.fetch_add(1, std::memory_order_acq_rel);
  deferred_work* h = head.load(std::memory_order_relaxed);
  do {
    w.next = h;
  } while (
      !head.compare_exchange_weak(h, &w, std::memory_order_release, std::memory_order_relaxed));
  work_wait.wake_all();
}

void flush_deferred_work() {
  if (is_worker) return;
  flush_wait.wait([] {
    return done.load(std::memory_order_acquire) >= queued.load(std::memory_order_acquire);
  });
}

HF_NAMESPACE_END
