// SPDX-License-Identifier: Apache-2.0
//
// A thread's state in this layer: created at first need, given back when the thread ends.
#pragma once

#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

// Sees to it that the thread's state is released when it ends. Idempotent; to be called by whoever
// puts something into detail::this_thread that needs release.
void watch_thread_exit();
// In rcu.cc: the thread leaves liburcu's list.
void rcu_thread_exit();

// Up to `max` return addresses of the calling thread, innermost first, without the `skip`
// innermost. Walks frame pointers inside the thread's own stack, so a foreign frame ends the walk
// and never crashes it.
size_t capture_stack(void** frames, size_t max, size_t skip);

HF_NAMESPACE_END
