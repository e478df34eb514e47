// SPDX-License-Identifier: Apache-2.0
//
// The kernel's wait-on-a-word, private to the process.
//
// 1. futex_wake may get the address of a word that is gone: it only looks the address up. So a
//    waker may store and then wake although the store lets the waiter free the word.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

inline constexpr int64_t futex_forever = INT64_MAX;

// Sleeps while word == expected, until woken, interrupted, or the deadline (CLOCK_MONOTONIC, ns).
// Returns early at will: the caller loops. False: the deadline has passed.
bool futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                int64_t deadline_ns = futex_forever);
void futex_wake(const std::atomic<uint32_t>& word, int count);
inline constexpr int wake_everyone = INT32_MAX;

// One iteration of a spin loop.
inline void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

HF_NAMESPACE_END
