// SPDX-License-Identifier: Apache-2.0
//
// The lock of the synchronisation layer's own tables: no class, no checks, no statistics. Nothing
// else uses it. Sections under it are short and take no other lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/annotations.h"
#include "host/futex.h"

HF_NAMESPACE_BEGIN

// 0 free, 1 locked, 2 locked and somebody may sleep.
inline void raw_lock_word(std::atomic<uint32_t>& word) {
  uint32_t free = 0;
  if (word.compare_exchange_strong(free, 1, std::memory_order_acquire)) return;
  for (int i = 0; i < 64; ++i) {
    cpu_relax();
    free = 0;
    if (word.load(std::memory_order_relaxed) == 0 &&
        word.compare_exchange_weak(free, 1, std::memory_order_acquire))
      return;
  }
  while (word.exchange(2, std::memory_order_acquire) != 0) futex_wait(word, 2);
}
inline void raw_unlock_word(std::atomic<uint32_t>& word) {
  if (word.exchange(0, std::memory_order_release) == 2) futex_wake(word, 1);
}

// The word as something that clang's analysis knows: what it guards says so.
class HF_CAPABILITY("raw lock") raw_lock {
 public:
  constexpr raw_lock() = default;
  raw_lock(const raw_lock&) = delete;
  raw_lock& operator=(const raw_lock&) = delete;
  void lock() HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS { raw_lock_word(word_); }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS { raw_unlock_word(word_); }

 private:
  std::atomic<uint32_t> word_{0};
};

class [[nodiscard]] HF_SCOPED_CAPABILITY raw_guard {
 public:
  explicit raw_guard(raw_lock& l) HF_ACQUIRE(l) : lock_(l) { l.lock(); }
  ~raw_guard() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS { lock_.unlock(); }
  raw_guard(const raw_guard&) = delete;
  raw_guard& operator=(const raw_guard&) = delete;

 private:
  raw_lock& lock_;
};

// For the bare words inside primitives whose layout is public.
class [[nodiscard]] raw_word_guard {
 public:
  explicit raw_word_guard(std::atomic<uint32_t>& word) : word_(word) { raw_lock_word(word_); }
  ~raw_word_guard() { raw_unlock_word(word_); }
  raw_word_guard(const raw_word_guard&) = delete;
  raw_word_guard& operator=(const raw_word_guard&) = delete;

 private:
  std::atomic<uint32_t>& word_;
};

HF_NAMESPACE_END
