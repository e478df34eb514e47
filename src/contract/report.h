// SPDX-License-Identifier: Apache-2.0
//
// From a broken rule to a report: collects what the thread holds and where it is, tells repetitions
// from news, and hands news to people (text), to programs (JSON lines) and to a callback.
//
// 1. A violation's identity is its kind, rule, method and finding, without addresses (the
//    validator's: what it says itself): the first is reported, the others are counted.
// 2. A report allocates nothing (symbol names may; without memory they stay mangled). It runs with
//    checks suspended for its context, and one at a time.
// 3. In mode abort the process ends after the report is written, not before, unless it is of kind
//    "advice". The validator ends it for its own reports.
// 4. From the start the validator's violations come here too (set_violation_sink).
#pragma once

#include <string_view>

#include "holdfast/contract.h"

HF_NAMESPACE_BEGIN

class text_writer;

// Binds the name of an argument to the address of its lock, so that a report can say whose lock is
// held.
struct lock_role {
  const void* lock;
  const char* role;
};

// Completes v with context, locks and stack, and submits it. `roles` has `role_count` entries.
void report_broken_rule(violation& v, const exec_context& context, const lock_role* roles,
                        size_t role_count);

// Names the innermost method that runs (exec_context::inside; null: none) and, in `roles`, the
// locks that are bound in its call. How many.
size_t cite_method(violation& v, const void* inside, lock_role* roles, size_t size);
// Names the rule of the innermost gate that forbids blocking, in `inside` or around it, and what
// to do about it.
void cite_no_block(violation& v, const void* inside);

// "i_rwsem/parent at depth 1"; the level and depth 0 are left out.
void put_lock_name(text_writer& out, const lock_class& c, nest level, uint8_t depth);

// The two forms. Both return the length written; what is longer than size is cut, JSON by leaving
// out stacks, so that it stays well-formed (size at least 8 KiB).
size_t format_text(const violation& v, char* to, size_t size);
size_t format_json(const violation& v, char* to, size_t size);
// The last line about a violation; of its texts, those that name the rule.
size_t format_total(const violation& v, uint64_t count, char* to, size_t size);

HF_NAMESPACE_END
