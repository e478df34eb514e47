// SPDX-License-Identifier: Apache-2.0
//
// What a user sees of the contract: where violations go, and which rules were exercised.
//
// 1. The switch is set_check_mode() of holdfast/sync/context.h: off (one test per call), report
//    (print and go on), abort (print, then abort()). Violations of the document's rules come out
//    here, and so do those of the lock-order, blocking and RCU checks, in the same form.
// 2. The same violation is reported once and counted after.
// 3. Reports come from the thread that broke the rule, one at a time, possibly with locks held. A
//    callback may not call into a mounted file system, call a function of this header, or block for
//    long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

#include "holdfast/abi.h"
#include "holdfast/result.h"
#include "holdfast/sync/violation.h"

HF_NAMESPACE_BEGIN

// One lock that the thread held when it broke a rule. Frames are return addresses, innermost first.
struct held_lock_report {
  static constexpr unsigned max_frames = max_lock_frames;
  const char* lock_class = "";
  const char* mode = "";  // "shared", "exclusive"
  const char* role =
      "";  // the argument whose lock it is ("dir"), where the method's dispatcher said
  const char* nest = "";  // nesting level ("parent"), empty where there is none
  unsigned depth = 0;     // stacking depth of the file system
  const void* address = nullptr;
  unsigned frame_count = 0;
  void* frames[max_frames] = {};
};

// Views are valid during the callback; those of the rule itself for ever.
struct violation {
  static constexpr unsigned max_held = 32;
  static constexpr unsigned max_frames = 32;
  std::string_view
      edition;              // "6.6"; empty when no document's rule was broken but the library's own
  std::string_view kind;    // "lock", "exit", "blocking", "rcu-walk", "prose", "binding"; "advice"
                            // for what is merely unwise, which never ends the process; or the
                            // validator's: "order", "recursion", ...
  std::string_view table;   // "inode_operations"
  std::string_view method;  // "rename"
  std::string_view column;  // as headed; empty for a prose rule
  std::string_view cell;    // as published
  std::string_view rule;    // "6.6-inode-2"; empty for a cell
  std::string_view sentence;   // the rule restated
  std::string_view finding;    // "held: none, required: exclusive, on i_rwsem of dir"
  std::string_view operation;  // what the caller was asked to do: "rename /a/b -> /c/d"
  std::string_view advice;     // what to do about it
  unsigned held_count = 0;
  held_lock_report held[max_held] = {};
  unsigned frame_count = 0;
  void* frames[max_frames] = {};  // return addresses, innermost first
  uint64_t id = 0;                // the same for repetitions
  // Kind "order": what was about to be done, and the known orders that contradict it.
  const order_edge* new_edge = nullptr;
  const order_edge* chain = nullptr;
  size_t chain_length = 0;
};

// Text for people goes to stderr, or to this callback instead. Null restores stderr.
using violation_text_fn = void (*)(std::string_view text, void* context);
void set_violation_text(violation_text_fn fn, void* context);
// Called for every distinct violation, before it is printed. Null removes it.
using violation_fn = void (*)(const violation& v, void* context);
void set_violation_callback(violation_fn fn, void* context);

// Appends each distinct violation to the file as one line of JSON. Null closes it, after one line
// for each that was seen, with its count ("total": true); so does the end of the process, and an
// abort. A line is one write(2). Errors: those of open(2).
Status set_contract_log(const char* path);

// Calls through gates while checking was on, and what they found.
struct contract_counters {
  uint64_t operations = 0;  // calls of methods that were checked
  uint64_t unchecked = 0;   // calls that were not, since memory was out
  uint64_t violations = 0;  // repetitions included
  uint64_t distinct = 0;    // reported
};
contract_counters read_contract_counters();
// Zeroes counters and coverage and forgets which violations were seen (the validator's own memory
// is reset_validator()'s). For tests and tools; calls that are under way may be counted on either
// side.
void reset_contract_counters();

// One rule and how often it was exercised since the start.
struct rule_coverage {
  std::string_view edition;
  std::string_view table;    // empty for a rule about the document itself
  std::string_view method;   // for a prose rule about several: the first; empty for the whole table
  std::string_view column;   // as headed; empty for a prose rule
  std::string_view text;     // the cell, or the restated sentence
  std::string_view rule;     // the prose rule's id; empty for a cell
  std::string_view checked;  // who checks it: "gate", "dispatcher", ... "not checkable"
  std::string_view how;      // prose: how, or why not
  uint64_t exercised = 0;
};
using rule_coverage_fn = void (*)(const rule_coverage& rule, void* context);
// Every cell of the native edition, then every prose rule, in the document's order.
void visit_rule_coverage(rule_coverage_fn fn, void* context);
template <class F>
void for_each_rule(F&& f) {
  visit_rule_coverage(
      [](const rule_coverage& rule, void* context) {
        (*static_cast<std::remove_reference_t<F>*>(context))(rule);
      },
      const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

// Name of a return address for people: "function+0x12 (file)". Returns the length written, at most
// size; never fails, an unknown address is printed as a number.
size_t describe_address(const void* address, char* buffer, size_t size);

HF_NAMESPACE_END
