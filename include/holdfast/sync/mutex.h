// SPDX-License-Identifier: Apache-2.0
//
// mutex<C>: a sleeping lock with one owner.
//
// 1. word: 0 free, 1 locked, 2 locked and somebody may sleep. A waiter spins briefly, then sleeps
//    on it.
// 2. Not fair: a thread that runs may overtake one that is being woken. rwsem is fair.
// 3. Released by the context that took it.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {
void mutex_lock_slow(std::atomic<uint32_t>& word, lock_class& c);
void futex_wake_one(std::atomic<uint32_t>& word);
}  // namespace detail

template <lock_class& C>
class HF_CAPABILITY("mutex") mutex {
 public:
  constexpr mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // May block.
  void lock(nest n = nest::normal) HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, depth_, held::exclusive);
    uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) [[unlikely]]
      detail::mutex_lock_slow(word_, C);
    after_acquire(this, C, n, depth_, held::exclusive);
  }
  bool try_lock(nest n = nest::normal) HF_TRY_ACQUIRE(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed))
      return false;
    after_acquire(this, C, n, depth_, held::exclusive);
    return true;
  }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::exclusive);
    if (word_.exchange(0, std::memory_order_release) == 2) [[unlikely]]
      detail::futex_wake_one(word_);
  }
  bool is_locked() const { return word_.load(std::memory_order_relaxed) != 0; }

  // Before first use: depth of the file system it belongs to in a stack of them.
  void set_stack_depth(uint8_t depth) { depth_ = depth; }
  static lock_class& get_class() { return C; }

 private:
  std::atomic<uint32_t> word_{0};
  uint8_t depth_ = 0;
};

HF_NAMESPACE_END
