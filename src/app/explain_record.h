// SPDX-License-Identifier: Apache-2.0
//
// Trace events kept, and the objects behind their addresses named.
//
// 1. Events are kept by the thread they happen on, under the recorder's own mutex (never one of
//    Holdfast's: the recorder runs inside of them).
// 2. Names are taken while no operation runs, before and after a stage; an address that both know
//    has the name from before, since memory is used again.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "holdfast/contract.h"
#include "holdfast/task.h"
#include "holdfast/trace.h"

namespace holdfast::app {

// What an address belongs to.
struct object_name {
  std::string name;  // "a/", "a/b", "/"
  std::string type;  // "directory", "file", "superblock", "dentry", ...
};

class name_table {
 public:
  // Everything that is mounted in the name space, and what its dentries lead to.
  void collect(task& t);
  void add(const void* begin, size_t size, object_name name);
  const object_name* find(const void* address) const;

 private:
  void collect_tree(dentry& d, const std::string& path);
  struct range {
    const char* end;
    object_name name;
  };
  std::map<const char*, range> ranges_;
};

struct recorded_event {
  enum class mark : uint8_t { none, begin, end };  // of a script's operation

  trace_event event;  // its views are static, but for rules and detail:
  std::vector<trace_rule> rules;
  std::string detail;
  int lane = 0;
  int op = -1;
  mark what = mark::none;
  std::string text;                       // of a mark: the operation, or its result
  bool failed = false;                    // of an end
  object_name object;                     // of a lock
  std::vector<object_name> rule_objects;  // of rules' locks, one each
  const void* owner = nullptr;            // of a folio or an open file: its inode
  std::string part;                       // which part of it
};

struct recorded_violation {
  int lane = 0;
  int64_t time_ns = 0;
  std::string headline;  // "6.6 inode_operations.rename, ..."
  std::string finding;
};

class recorder {
 public:
  recorder() = default;
  ~recorder() { stop(); }
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  void start();
  void stop();
  // While it is quiet nothing is kept: for preparations.
  void set_quiet(bool quiet);
  // Each method begins this late, where waiting is allowed, so that tasks meet.
  void set_pause_us(unsigned us) { pause_us_ = us; }

  // The calling thread does operation `op` of lane `lane` from here on.
  static void enter_lane(int lane, int op);
  void begin_operation(const std::string& text);
  void end_operation(const std::string& result, bool failed);
  // Names what was recorded since the last call.
  void name_events(const name_table& before, const name_table& after);
  void add_violation(const violation& v);

  std::vector<recorded_event>& events() { return events_; }
  std::vector<recorded_violation>& violations() { return violations_; }

 private:
  static void sink(const trace_event& e, void* self);
  void keep(recorded_event r);
  void mark(recorded_event::mark what, const std::string& text, bool failed);

  std::mutex lock_;
  std::vector<recorded_event> events_;
  std::vector<recorded_violation> violations_;
  size_t named_ = 0;
  unsigned pause_us_ = 0;
  bool quiet_ = true;
  int64_t quiet_since_ = 0;
  int64_t left_out_ns_ = 0;  // time that passed in quiet: the timeline has no holes
  bool started_ = false;
};

}  // namespace holdfast::app
