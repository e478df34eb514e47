// SPDX-License-Identifier: Apache-2.0
//
// lockref<C>: a spinlock and a reference count in one word, so that a count changes with one atomic
// operation while the lock is free.
//
// 1. Low 32 bits: the lock (0 free, 1 locked, 2 locked and somebody sleeps). High 32 bits: the
//    count.
// 2. While it is locked only the holder changes the count.
// 3. A negative count means dead: get_not_dead() fails, and nothing makes it alive again.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {
void lockref_lock_slow(std::atomic<uint64_t>& word, lock_class& c);
void lockref_wake(std::atomic<uint64_t>& word);
}  // namespace detail

template <lock_class& C>
class HF_CAPABILITY("lockref") lockref {
  static_assert(std::endian::native == std::endian::little, "the lock is the word's first half");
  static constexpr uint64_t one = uint64_t{1} << 32;
  static constexpr uint64_t lock_bits = one - 1;
  static constexpr int32_t count_of(uint64_t w) { return static_cast<int32_t>(w >> 32); }

 public:
  static constexpr int32_t dead_count = -128;

  constexpr lockref() = default;
  constexpr explicit lockref(int32_t count)
      : word_(static_cast<uint64_t>(static_cast<uint32_t>(count)) << 32) {}
  lockref(const lockref&) = delete;
  lockref& operator=(const lockref&) = delete;

  int32_t count() const { return count_of(word_.load(std::memory_order_relaxed)); }
  bool is_dead() const { return count() < 0; }
  bool is_locked() const { return (word_.load(std::memory_order_relaxed) & lock_bits) != 0; }

  // The caller knows that the count is positive, or that the object can't die.
  void get() {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while ((w & lock_bits) == 0)
      if (exchange(w, w + one)) return;
    get_locked([](int32_t) { return true; });
  }
  // False: count was zero or dead; nothing changed.
  bool get_not_zero() {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while ((w & lock_bits) == 0) {
      if (count_of(w) <= 0) return false;
      if (exchange(w, w + one)) return true;
    }
    return get_locked([](int32_t c) { return c > 0; });
  }
  // False: dead; nothing changed.
  bool get_not_dead() {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while ((w & lock_bits) == 0) {
      if (count_of(w) < 0) return false;
      if (exchange(w, w + one)) return true;
    }
    return get_locked([](int32_t c) { return c >= 0; });
  }
  // Drops one reference if it is not the last and nobody holds the lock. False: nothing changed.
  bool put_return() {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while ((w & lock_bits) == 0 && count_of(w) > 1)
      if (word_.compare_exchange_weak(w, w - one, std::memory_order_release,
                                      std::memory_order_relaxed))
        return true;
    return false;
  }
  // True: dropped one reference that was not the last. False: the lock is HELD, the count as it was
  // (<= 1).
  bool put_or_lock(nest n = nest::normal) HF_TRY_ACQUIRE(false) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (put_return()) return true;
    lock(n);
    if (count() <= 1) return false;
    add_locked(-1);
    unlock();
    return true;
  }

  void lock(nest n = nest::normal) HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, 0, held::exclusive);
    if (!take()) [[unlikely]]
      detail::lockref_lock_slow(word_, C);
    ++detail::this_thread.own.atomic_depth;
    after_acquire(this, C, n, 0, held::exclusive);
  }
  bool try_lock(nest n = nest::normal) HF_TRY_ACQUIRE(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (!take()) return false;
    ++detail::this_thread.own.atomic_depth;
    after_acquire(this, C, n, 0, held::exclusive);
    return true;
  }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::exclusive);
    --detail::this_thread.own.atomic_depth;
    if ((word_.fetch_and(~lock_bits, std::memory_order_release) & lock_bits) == 2) [[unlikely]]
      detail::lockref_wake(word_);
  }

  // With the lock held.
  void add_locked(int32_t n) HF_REQUIRES(this) {
    word_.fetch_add(static_cast<uint64_t>(static_cast<int64_t>(n)) << 32,
                    std::memory_order_relaxed);
  }
  void mark_dead() HF_REQUIRES(this) { add_locked(dead_count - count()); }

  static lock_class& get_class() { return C; }

 private:
  bool exchange(uint64_t& w, uint64_t desired) {
    return word_.compare_exchange_weak(w, desired, std::memory_order_acquire,
                                       std::memory_order_relaxed);
  }
  bool take() {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while ((w & lock_bits) == 0)
      if (exchange(w, w | 1)) return true;
    return false;
  }
  // Somebody holds the lock: wait for the end of that short section. Nothing is taken inside, so
  // this is no event for the validator: a caller may hold locks of the same class, but not this
  // one.
  template <class Test>
  bool get_locked(Test test) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (!take()) detail::lockref_lock_slow(word_, C);
    bool yes = test(count());
    if (yes) add_locked(1);
    if ((word_.fetch_and(~lock_bits, std::memory_order_release) & lock_bits) == 2)
      detail::lockref_wake(word_);
    return yes;
  }

  std::atomic<uint64_t> word_{0};
};

HF_NAMESPACE_END
