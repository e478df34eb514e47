// SPDX-License-Identifier: Apache-2.0
//
// What every slow path does around a sleep: schedule points, contention counts.
#pragma once

#include "holdfast/sync/hooks.h"
#include "host/clock.h"
#include "host/futex.h"

HF_NAMESPACE_BEGIN

// Counts one visit to a slow path when it goes out of scope, with the time slept.
class contention_scope {
 public:
  explicit contention_scope(lock_class& c) : class_(c) {}
  ~contention_scope() { detail::count_contention(class_, slept_); }
  contention_scope(const contention_scope&) = delete;
  contention_scope& operator=(const contention_scope&) = delete;

  // As futex_wait; `object` is what schedule points are told.
  bool sleep(const std::atomic<uint32_t>& word, uint32_t expected, const void* object,
             int64_t deadline_ns = futex_forever) {
    schedule_point(sched_event::wait, object);
    int64_t start = monotonic_ns();
    bool in_time = futex_wait(word, expected, deadline_ns);
    slept_ += static_cast<uint64_t>(monotonic_ns() - start) | 1;
    schedule_point(sched_event::woken, object);
    return in_time;
  }

 private:
  lock_class& class_;
  uint64_t slept_ = 0;
};

HF_NAMESPACE_END
