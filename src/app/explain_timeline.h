// SPDX-License-Identifier: Apache-2.0
//
// The recording as steps (what is printed, one after another) and spans (what is drawn, from a step
// to a step).
//
// 1. Steps are in time's order; a step belongs to one lane, a task. Lane -1 is the background: RCU
//    callbacks, evictions handed to a worker.
// 2. Locks that matter are shown: those that sleep, rename_lock, and a spinlock under which a
// method
//    is called. `all` shows the others too, read sections and the background.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/explain_record.h"

namespace holdfast::app {

enum class step_kind : uint8_t {
  operation,  // of the script
  result,
  call,  // one of several system calls that the operation is made of
  wait,
  take,
  drop,
  downgrade,
  pass_on,
  enter,
  leave,
  rcu_begin,
  rcu_end,
  violation,
};
const char* name_of(step_kind k);

// Rules with the same text, joined: "held exclusive: old_dir a/, new_dir c/".
struct shown_rule {
  std::string cite;  // "6.6 i_rwsem(inode) `exclusive`", "6.6-inode-2"
  std::string says;
  std::string found;  // empty: the call itself
  bool satisfied = true;
};

struct step {
  step_kind kind = step_kind::operation;
  int64_t ns = 0;  // since the first step
  int lane = 0;
  int op = -1;
  int depth = 0;  // locks held and methods entered, of those shown
  std::string text;
  std::string lock_class, object, object_type, mode, nest;
  std::string table, method;
  bool failed = false;
  std::vector<shown_rule> rules;
  bool rules_repeated = false;  // as for an earlier call of the operation
  std::string who;              // wait: who holds it, "exclusive by t2"
  int who_lane = -2;
};

enum class span_kind : uint8_t { operation, method, lock, wait };

struct span {
  span_kind kind = span_kind::operation;
  int lane = 0;
  size_t first = 0, last = 0;  // steps
  size_t freed = 0;            // wait: the step that let it go on; 0: unknown
};

struct lane_summary {
  std::vector<std::string> locks;    // in the order taken
  std::vector<std::string> methods;  // "inode_operations.rename"
};

struct timeline {
  std::vector<std::string> tasks;  // by lane
  std::vector<std::string> prepared;
  std::vector<std::string> notes;
  std::vector<step> steps;
  std::vector<span> spans;
  std::vector<lane_summary> lanes;
  std::vector<recorded_violation> violations;
  uint64_t rules_checked = 0, rules_broken = 0, distinct_rules = 0;
  uint64_t violation_count = 0;
  unsigned pause_us = 0;
};

struct timeline_filter {
  bool all = false;
  bool locks = true;
  bool methods = true;
};

// Fills steps, spans, lanes and counts; `t.tasks` is set.
void build_timeline(timeline& t, std::vector<recorded_event> events, const timeline_filter& filter);

// A lane's name; the background's is "background".
std::string lane_name(const timeline& t, int lane);
// "i_rwsem(a/)"
std::string lock_text(const step& s);

}  // namespace holdfast::app
