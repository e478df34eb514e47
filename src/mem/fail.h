// SPDX-License-Identifier: Apache-2.0
//
// Failure injection for out-of-memory tests: one process-wide countdown that every allocator of
// src/mem consults. Disarmed it costs one relaxed load and a predicted branch.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

// < 0: disarmed. n >= 0: n more allocations succeed, then all fail until mem_fail_reset().
inline constinit std::atomic<int64_t> mem_fail_countdown{-1};

inline void mem_fail_after(int64_t n) {
  mem_fail_countdown.store(n, std::memory_order_relaxed);
}
inline void mem_fail_reset() {
  mem_fail_countdown.store(-1, std::memory_order_relaxed);
}

bool mem_should_fail_slow();
inline bool mem_should_fail() {
  if (mem_fail_countdown.load(std::memory_order_relaxed) < 0) [[likely]]
    return false;
  return mem_should_fail_slow();
}

HF_NAMESPACE_END
