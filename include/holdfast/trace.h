// SPDX-License-Identifier: Apache-2.0
//
// What happens, as it happens: each lock taken and dropped, each method called with the rules that
// were checked for it, each operation. `holdfast explain` is built on it.
//
// 1. One sink for the process. It runs on the thread that does the thing, at once: with that
//    thread's locks held, possibly inside an RCU section. So it calls nothing of Holdfast, and may
//    wait only where may_block() says so.
// 2. Without a sink this costs nothing of its own: its flag lies beside the one of checking, and
// the
//    primitives test both at once.
// 3. Methods, and operations' arguments, are seen only while checking is on; locks always (where
//    checking is compiled in).
// 4. Nothing is traced while a report is being written.
// 5. A lock that is passed on stays taken, but its context answers for it no longer (a frozen
//    superblock, a folio under I/O).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

enum class trace_kind : uint8_t {
  operation_begin,  // a system call or a door's request
  operation_end,
  lock_waits,    // found the lock taken and goes to sleep; once for each acquisition
  lock_taken,    // also by a try that succeeded
  lock_dropped,  // is about to be released
  lock_downgraded,
  lock_passed_on,
  method_entered,  // a file system's method is about to run
  method_left,     // it returned
  rcu_begin,       // the outermost read section of the thread
  rcu_end,
};

// A rule that was compared with a call: a cell of a table, or a sentence.
struct trace_rule {
  std::string_view edition;  // "6.6"
  std::string_view column;   // as headed; empty for a sentence
  std::string_view cell;     // as published; empty for a sentence
  std::string_view rule;     // "6.6-inode-2"; empty for a cell
  std::string_view says;     // restated
  std::string_view role;     // the argument whose lock it is about ("dir"), empty where none is
  const void* lock = nullptr;
  held found = held::none;  // how `lock` was held
  bool satisfied = true;
};

struct trace_event {
  trace_kind kind = trace_kind::operation_begin;
  int64_t time_ns = 0;  // monotonic
  int thread = 0;
  const exec_context* context = nullptr;  // whose locks they are; its task may be null
  // Locks.
  const void* lock = nullptr;
  const lock_class* cls = nullptr;
  nest level = nest::normal;
  uint8_t depth = 0;
  held mode = held::none;
  // Methods. `rules` are those checked on entry, or on return.
  std::string_view table;
  std::string_view method;
  std::span<const trace_rule> rules;
  bool failed = false;
  // Operations.
  std::string_view operation;
  std::string_view detail;  // "/a/b -> /c/d"
};

using trace_fn = void (*)(const trace_event& event, void* context);
// Null removes it, and returns when no call of it is under way. Not from inside a sink.
void set_trace_sink(trace_fn fn, void* context);

HF_NAMESPACE_END
