// SPDX-License-Identifier: Apache-2.0
#include "mem/fail.h"

HF_NAMESPACE_BEGIN

bool mem_should_fail_slow() {
  int64_t n = mem_fail_countdown.load(std::memory_order_relaxed);
  while (n > 0)
    if (mem_fail_countdown.compare_exchange_weak(n, n - 1, std::memory_order_relaxed)) return false;
  return n == 0;
}

HF_NAMESPACE_END
