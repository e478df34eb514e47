// SPDX-License-Identifier: Apache-2.0
//
// From a found violation to the sink: counted always, passed on once.
#pragma once

#include "holdfast/sync/violation.h"

HF_NAMESPACE_BEGIN

// Fills in context and counts; calls the sink unless `identity` was reported before; aborts if so
// asked.
void report_violation(sync_violation& v, uint64_t identity);
// A number for (kind, class, level, code site).
uint64_t violation_identity(violation_kind k, const void* cls, unsigned level, void* const* stack,
                            size_t frames);

HF_NAMESPACE_END
