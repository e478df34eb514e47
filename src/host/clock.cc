// SPDX-License-Identifier: Apache-2.0
// Clocks of the running system.
#include "host/clock.h"

#include <ctime>

HF_NAMESPACE_BEGIN

namespace {
int64_t read_clock(clockid_t id) {
  timespec ts;
  clock_gettime(id, &ts);
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}
}  // namespace

int64_t monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}
int64_t realtime_ns() {
  return read_clock(CLOCK_REALTIME);
}
int64_t realtime_coarse_ns() {
  return read_clock(CLOCK_REALTIME_COARSE);
}

HF_NAMESPACE_END
