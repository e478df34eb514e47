// SPDX-License-Identifier: Apache-2.0
//
// The page cache's side of iov_iter: which user memory a _nofault copy may touch.
#pragma once

#include <atomic>

#include "holdfast/iov_iter.h"

HF_NAMESPACE_BEGIN

// How many of the n bytes at p can be touched without a fault. The part that maps files into the
// process installs it (mapped files must not be faulted in under a folio lock); null: all of them.
// Test code uses it for short copies. May be called inside RCU sections and under locks.
using nofault_filter = size_t (*)(const void* p, size_t n);
inline constinit std::atomic<nofault_filter> nofault_reach{nullptr};
// Makes [p, p + n) reachable, by faulting; bytes not reachable.
using fault_in_fn = size_t (*)(const void* p, size_t n, bool write);
inline constinit std::atomic<fault_in_fn> fault_in_user{nullptr};

HF_NAMESPACE_END
