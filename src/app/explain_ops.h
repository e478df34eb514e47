// SPDX-License-Identifier: Apache-2.0
//
// The operations that `holdfast explain` knows: what each needs to find, and what it does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "app/explain.h"
#include "holdfast/syscalls.h"

namespace holdfast::app {

// The scratch file system, as preparations see it.
class scratch {
 public:
  explicit scratch(task& t) : task_(t) {}

  // An operation of the stage in hand will make it, so it is not prepared.
  void will_make(const std::string& path) { coming_.insert(trim(path)); }
  void begin_stage() { coming_.clear(); }
  // Each makes what is missing, and says so in `made`.
  void need_parent(const std::string& path);
  void need_dir(const std::string& path);
  void need_file(const std::string& path);
  void need_symlink(const std::string& path);
  void need_xattr(const std::string& path, const std::string& name);
  // A directory where the name ends in '/', else a file.
  void need(const std::string& path);
  bool exists(const std::string& path);

  std::vector<std::string> made;

 private:
  static std::string trim(const std::string& path);
  void must(const Status& s, const std::string& what);
  task& task_;
  std::set<std::string> coming_;
};

struct operation_result {
  std::string text;  // "= 0", "= 5 \"hello\"", "= -1 ENOENT (No such file or directory)"
  bool failed = false;
};

// Looks the operation up and counts its words. Throws user_error with the list of operations.
void check_operation(const script_operation& op);
void prepare_operation(scratch& s, const script_operation& op);
operation_result run_operation(task& t, const script_operation& op);
// Superblocks that scripts froze and did not thaw are thawed; how many.
unsigned thaw_all();

}  // namespace holdfast::app
