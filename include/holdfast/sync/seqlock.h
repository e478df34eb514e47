// SPDX-License-Identifier: Apache-2.0
//
// Sequence counters: readers copy data without a lock and learn whether a writer was there
// meanwhile.
//
//   uint32_t s;
//   do { s = seq.read_begin(); copy = data; } while (seq.read_retry(s));
//
// 1. Odd: a writer is inside. Even: the data are consistent.
// 2. Writers take turns by a lock of the owner's. The data are relaxed<T> or atomic, since readers
//    race.
// 3. A reader that waits for a writer may be waiting for a preempted thread: read_begin() yields
//    after a while. read_raw() never waits; RCU-walk uses it and retries elsewhere.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/relaxed.h"
#include "holdfast/sync/spinlock.h"

#if defined(__SANITIZE_THREAD__)
#define HF_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HF_TSAN 1
#endif
#endif
#ifndef HF_TSAN
#define HF_TSAN 0
#endif

HF_NAMESPACE_BEGIN

namespace detail {
uint32_t seq_wait_even(const std::atomic<uint32_t>& seq);
}

class seqcount {
 public:
  constexpr seqcount() = default;
  seqcount(const seqcount&) = delete;
  seqcount& operator=(const seqcount&) = delete;

  // The current value, odd included: with an odd one read_retry() says true.
  uint32_t read_raw() const { return seq_.load(std::memory_order_acquire); }
  // Waits for a writer to leave; never odd.
  uint32_t read_begin() const {
    uint32_t s = seq_.load(std::memory_order_acquire);
    if ((s & 1) != 0) [[unlikely]]
      return detail::seq_wait_even(seq_);
    return s;
  }
  // True: what was read since read_begin() returned `start` may be inconsistent.
  bool read_retry(uint32_t start) const {
#if HF_TSAN
    // TSan knows no fences; a read-modify-write orders the loads before it in its eyes too.
    uint32_t now = const_cast<std::atomic<uint32_t>&>(seq_).fetch_add(0, std::memory_order_acq_rel);
#else
    std::atomic_thread_fence(std::memory_order_acquire);
    uint32_t now = seq_.load(std::memory_order_relaxed);
#endif
    return now != start || (start & 1) != 0;
  }

  // Under the lock that makes writers take turns.
  void write_begin() {
#if HF_TSAN
    seq_.fetch_add(1, std::memory_order_acq_rel);
#else
    seq_.store(seq_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
#endif
  }
  void write_end() {
    seq_.store(seq_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  // Makes every reader that is inside retry, without a write section.
  void invalidate() {
    write_begin();
    write_end();
  }

 private:
  std::atomic<uint32_t> seq_{0};
};

// A seqcount with the spinlock of its writers.
template <lock_class& C>
class HF_CAPABILITY("seqlock") seqlock {
 public:
  constexpr seqlock() = default;

  uint32_t read_begin() const {
    if (instrumented()) [[unlikely]]
      detail::hook_seq_read(&lock_, C, (seq_.read_raw() & 1) != 0);
    return seq_.read_begin();
  }
  bool read_retry(uint32_t start) const { return seq_.read_retry(start); }

  void lock(nest n = nest::normal) HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS {
    lock_.lock(n);
    seq_.write_begin();
  }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    seq_.write_end();
    lock_.unlock();
  }
  // Excludes writers without disturbing readers; for a reader that has retried too often.
  void lock_excl(nest n = nest::normal) HF_ACQUIRE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    lock_.lock(n);
  }
  void unlock_excl() HF_RELEASE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS { lock_.unlock(); }
  bool is_locked() const { return lock_.is_locked(); }
  // What held_mode() is asked about.
  const void* id() const { return &lock_; }
  static lock_class& get_class() { return C; }

 private:
  spinlock<C> lock_;
  seqcount seq_;
};

HF_NAMESPACE_END
