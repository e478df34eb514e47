// SPDX-License-Identifier: Apache-2.0
//
// From the gate to the trace sink: which rules were checked for a call, and how they came out.
// Called by the gate while tracing(), on the calling thread.
//
// 1. Rules gather while a dispatcher binds its arguments, and go out with the next event of the
//    call. Between two events no other gate is opened, so one list a thread is enough; what does
//    not fit is left out.
#pragma once

#include "contract/gate.h"
#include "contract/native.h"

HF_NAMESPACE_BEGIN
namespace contract_detail {

void trace_bound(uint16_t cell, uint16_t prose, const void* lock, const char* role, held found,
                 bool satisfied);
void trace_required(uint16_t prose, bool satisfied);
// The method is about to run: adds the rules that are met by the call itself. `allowed`: what the
// call does about blocking is allowed where it is made.
void trace_entered(method_id m, bool rcu_walk, bool allowed);
void trace_left(method_id m, bool failed);

}  // namespace contract_detail
HF_NAMESPACE_END
