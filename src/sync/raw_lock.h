// SPDX-License-Identifier: Apache-2.0
//
// The lock of the synchronisation layer's own tables: no class, no checks, no statistics. Nothing
// else uses it. Sections under it are short and take no other lock.
#pragma once

#include <atomic>
#include <cstdint>

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

class [[nodiscard]] raw_guard {
 public:
  explicit raw_guard(std::atomic<uint32_t>& word) : word_(word) { raw_lock_word(word_); }
  ~raw_guard() { raw_unlock_word(word_); }
  raw_guard(const raw_guard&) = delete;
  raw_guard& operator=(const raw_guard&) = delete;

 private:
  std::atomic<uint32_t>& word_;
};

HF_NAMESPACE_END
