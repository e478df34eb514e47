// SPDX-License-Identifier: Apache-2.0
//
// Broken rules of synchronisation, as the validator reports them.
//
// 1. One violation (same kind, classes, levels and code site) is reported once and counted after.
// 2. A sink runs on the thread that broke the rule, with checks suspended for its context, and
//    without a lock of the validator's. What it is handed is valid until it returns.
// 3. In check_mode::abort the process aborts after the sink returns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

enum class violation_kind : uint8_t {
  recursion,         // takes a lock that it holds
  wrong_release,     // releases a lock that it doesn't hold, or not in this mode
  order,             // closes a cycle in the order of classes
  same_class,        // two locks of one class without distinct nest or depth
  blocks_in_rcu,     // may sleep inside an RCU read section
  blocks_in_atomic,  // may sleep under a spinlock
  blocks_forbidden,  // may sleep in a call that must not
  rcu_unbalanced,    // rcu_read_unlock without rcu_read_lock
  rcu_unprotected,   // dereferences an RCU pointer outside a section
  left_locked,       // ends a task or thread with locks held
  too_many_locks,    // more than max_held_locks
};
const char* to_string(violation_kind k);

// One known order, "outer before inner", with the stacks of the first time it was seen.
struct order_edge {
  const lock_class* outer = nullptr;
  nest outer_level = nest::normal;
  uint8_t outer_depth = 0;
  const lock_class* inner = nullptr;
  nest inner_level = nest::normal;
  uint8_t inner_depth = 0;
  bool declared = false;  // by declare_order(): no stacks
  const char* operation = nullptr;
  uint8_t outer_frames = 0;
  uint8_t inner_frames = 0;
  void* outer_stack[max_lock_frames] = {};
  void* inner_stack[max_lock_frames] = {};
};

struct sync_violation {
  violation_kind kind = violation_kind::recursion;
  const char* summary = "";         // one line, restates the rule with names
  const lock_class* cls = nullptr;  // of the lock in question, null if there is none
  const void* lock = nullptr;
  nest level = nest::normal;
  uint8_t depth = 0;
  held mode = held::none;
  const exec_context* context = nullptr;  // operation, task, every lock held with its stack
  void* const* stack = nullptr;           // where it happened, innermost first
  size_t frames = 0;
  const order_edge* new_edge = nullptr;  // kind order: what was about to be done,
  const order_edge* chain = nullptr;     // and the known orders that contradict it, from
  size_t chain_length = 0;               // new_edge->inner to new_edge->outer
  uint64_t identity = 0;                 // the same for repetitions; never 0 in a sink
};

using violation_sink = void (*)(const sync_violation& v);
// Null: back to the default, which prints to stderr. Returns the one before.
violation_sink set_violation_sink(violation_sink sink);
// Prints as the default sink does: summary, operation, locks held, chains, stacks with symbols.
void print_violation(const sync_violation& v);
// All, repetitions included, since the start or the last reset.
uint64_t violation_count();
// Of the one of this identity, repetitions included.
uint64_t violation_count(uint64_t identity);
// Forgets which violations were reported, and the learned orders except the declared. For tests.
void reset_validator();

HF_NAMESPACE_END
