// SPDX-License-Identifier: Apache-2.0
//
// Cache-line sized counters, one per processor about; threads spread over them by thread_shard().
#pragma once

#include <unistd.h>

#include <bit>
#include <cstdint>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

// A power of two, at most 64.
inline uint32_t shard_count() {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  if (n < 1) n = 1;
  if (n > 64) n = 64;
  return std::bit_ceil(static_cast<uint32_t>(n));
}

HF_NAMESPACE_END
