// SPDX-License-Identifier: Apache-2.0
//
// From the hooks to the trace sink; called only while tracing().
#pragma once

#include "holdfast/sync/hooks.h"
#include "holdfast/trace.h"

HF_NAMESPACE_BEGIN
namespace detail {

// Fills in time, thread and context, and calls the sink.
void trace_emit(trace_event& e);
// A thread is about to take a lock; what it sleeps for, if it does, until it has it.
void trace_wanted(const void* lock, const lock_class& c, nest n, uint8_t depth, held mode);
void trace_lock(trace_kind k, const void* lock, const lock_class& c, nest n, uint8_t depth,
                held mode);
// The release that the hooks are told about next is none.
void trace_pass_on(const void* lock, const lock_class& c, held mode);
void trace_sched(sched_event e);

}  // namespace detail
HF_NAMESPACE_END
