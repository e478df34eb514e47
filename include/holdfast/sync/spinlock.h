// SPDX-License-Identifier: Apache-2.0
//
// spinlock<C>: four bytes, for short sections that never block.
//
// 1. The holder may be preempted (this is user space), so a waiter spins briefly and then sleeps on
//    a futex. The rule stays: nothing under it may block. atomic_depth counts the spinlocks a
//    thread holds.
// 2. Released by the thread that took it.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {
void spin_lock_slow(std::atomic<uint32_t>& word, lock_class& c);
void futex_wake_one(std::atomic<uint32_t>& word);
}  // namespace detail

template <lock_class& C>
class HF_CAPABILITY("spinlock") spinlock {
 public:
  constexpr spinlock() = default;
  spinlock(const spinlock&) = delete;
  spinlock& operator=(const spinlock&) = delete;

  void lock(nest n = nest::normal) HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, 0, held::exclusive);
    uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) [[unlikely]]
      detail::spin_lock_slow(word_, C);
    ++detail::this_thread.own.atomic_depth;
    after_acquire(this, C, n, 0, held::exclusive);
  }
  bool try_lock(nest n = nest::normal) HF_TRY_ACQUIRE(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed))
      return false;
    ++detail::this_thread.own.atomic_depth;
    after_acquire(this, C, n, 0, held::exclusive);
    return true;
  }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::exclusive);
    --detail::this_thread.own.atomic_depth;
    if (word_.exchange(0, std::memory_order_release) == 2) [[unlikely]]
      detail::futex_wake_one(word_);
  }
  bool is_locked() const { return word_.load(std::memory_order_relaxed) != 0; }
  static lock_class& get_class() { return C; }

 private:
  std::atomic<uint32_t> word_{0};
};

HF_NAMESPACE_END
