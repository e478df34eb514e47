// SPDX-License-Identifier: Apache-2.0
//
// Time from outside, in nanoseconds.
#pragma once

#include <cstdint>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

int64_t monotonic_ns();  // CLOCK_MONOTONIC
int64_t realtime_ns();   // CLOCK_REALTIME, since 1970
int64_t
realtime_coarse_ns();  // the same at the granularity of the kernel's tick; several times cheaper

HF_NAMESPACE_END
