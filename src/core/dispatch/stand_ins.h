// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the dispatchers share: full tables made from the lists, a handful of objects
// with plain locks, and the violations that a call caused.
//
// 1. Every stand-in counts its call, runs `inside` if one is set, and answers success with an empty
//    value.
// 2. Calls here break the static annotations on purpose, so the analysis is off for the including
//    file.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "contract/broken_rule_log.h"
#include "core/dispatch/aops.h"
#include "core/dispatch/dentry_ops.h"
#include "core/dispatch/file_ops.h"
#include "core/dispatch/fs_type_ops.h"
#include "core/dispatch/inode_ops.h"
#include "core/dispatch/later_ops.h"
#include "core/dispatch/super_ops.h"
#include "core/dispatch/xattr_ops.h"
#include "holdfast/contract.h"
#include "holdfast/sync/guard.h"
#include "holdfast/sync/violation.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety"
#endif

HF_NAMESPACE_BEGIN

namespace stand_in {

inline int calls = 0;
inline std::function<void()> inside;

template <class T>
struct answer_of {
  static T get() { return T{}; }
};
template <>
struct answer_of<void> {
  static void get() {}
};
template <class T>
struct answer_of<Result<T>> {
  static Result<T> get() { return T{}; }
};
template <>
struct answer_of<Status> {
  static Status get() { return {}; }
};
template <class T>
T answer() {
  ++calls;
  if (const auto now = inside; now) now();  // a copy: it may set another
  return answer_of<T>::get();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define HF_BODY(name, ret, params) \
  inline ret name params {         \
    return answer<ret>();          \
  }
#define HF_ENTRY(name, ret, params) .name = &name,
#define HF_STAND_IN_TABLE(ns, type, list)                      \
  namespace ns {                                               \
  list(HF_BODY) inline constexpr type full = {list(HF_ENTRY)}; \
  inline constexpr type empty = {};                            \
  }
HF_STAND_IN_TABLE(dentry_table, dentry_operations, HOLDFAST_DENTRY_OPERATIONS)
HF_STAND_IN_TABLE(inode_table, inode_operations, HOLDFAST_INODE_OPERATIONS)
HF_STAND_IN_TABLE(xattr_table, xattr_handler, HOLDFAST_XATTR_HANDLER)
HF_STAND_IN_TABLE(super_table, super_operations, HOLDFAST_SUPER_OPERATIONS)
HF_STAND_IN_TABLE(fs_type_table, file_system_type, HOLDFAST_FILE_SYSTEM_TYPE)
HF_STAND_IN_TABLE(aops_table, address_space_operations, HOLDFAST_ADDRESS_SPACE_OPERATIONS)
HF_STAND_IN_TABLE(file_lock_table, file_lock_operations, HOLDFAST_FILE_LOCK_OPERATIONS)
HF_STAND_IN_TABLE(lock_manager_table, lock_manager_operations, HOLDFAST_LOCK_MANAGER_OPERATIONS)
HF_STAND_IN_TABLE(buffer_head_table, buffer_head_operations, HOLDFAST_BUFFER_HEAD)
HF_STAND_IN_TABLE(block_device_table, block_device_operations, HOLDFAST_BLOCK_DEVICE_OPERATIONS)
HF_STAND_IN_TABLE(file_table, file_operations, HOLDFAST_FILE_OPERATIONS)
HF_STAND_IN_TABLE(dquot_table, dquot_operations, HOLDFAST_DQUOT_OPERATIONS)
HF_STAND_IN_TABLE(vm_table, vm_operations_struct, HOLDFAST_VM_OPERATIONS_STRUCT)
#undef HF_STAND_IN_TABLE
#undef HF_ENTRY
#undef HF_BODY
#pragma GCC diagnostic pop

}  // namespace stand_in

// A violation without its views.
struct caught {
  std::string kind, table, method, column, rule, finding;
  friend std::ostream& operator<<(std::ostream& out, const caught& c) {
    return out << c.kind << ' ' << c.table << "->" << c.method << " [" << c.column << c.rule << "] "
               << c.finding;
  }
};

// Two directories, a subdirectory and two files of one superblock; nothing is locked.
class dispatch_test : public ::testing::Test {
 protected:
  void SetUp() override {
    sb.s_op = &stand_in::super_table::full;
    type = stand_in::fs_type_table::full;
    type.name = "stand-in";
    sb.s_type = &type;
    for (inode* i : {&dir, &other_dir, &subdir, &other_subdir, &regular, &other_regular}) {
      i->i_sb = &sb;
      i->i_op = &stand_in::inode_table::full;
      i->i_fop = &stand_in::file_table::full;
      i->i_mapping = &i->i_data;
      i->i_data.host = i;
      i->i_data.a_ops = &stand_in::aops_table::full;
      i->i_mode = S_IFDIR | 0755u;
    }
    regular.i_mode = S_IFREG | 0644u;
    other_regular.i_mode = S_IFREG | 0644u;
    attach(dir_dentry, &dir, "dir");
    attach(other_dir_dentry, &other_dir, "other_dir");
    attach(subdir_dentry, &subdir, "subdir");
    attach(other_subdir_dentry, &other_subdir, "other_subdir");
    attach(regular_dentry, &regular, "regular");
    attach(other_regular_dentry, &other_regular, "other_regular");
    attach(negative, nullptr, "negative");
    f.f_op = &stand_in::file_table::full;
    f.f_inode = &regular;
    f.f_mapping = &regular.i_data;
    f.f_path.dent = &regular_dentry;
    dir_file.f_op = &stand_in::file_table::full;
    dir_file.f_inode = &dir;
    dir_file.f_mapping = &dir.i_data;
    dir_file.f_path.dent = &dir_dentry;
    stand_in::calls = 0;
    stand_in::inside = nullptr;
    set_check_mode(check_mode::report);
    reset_contract_counters();
    set_violation_text([](std::string_view, void*) {}, nullptr);
    set_violation_callback(
        [](const violation& v, void* self) {
          static_cast<dispatch_test*>(self)->seen_.push_back(
              {std::string(v.kind), std::string(v.table), std::string(v.method),
               std::string(v.column), std::string(v.rule), std::string(v.finding)});
        },
        this);
  }
  void TearDown() override {
    stand_in::inside = nullptr;
    set_violation_callback(nullptr, nullptr);
    set_violation_text(nullptr, nullptr);
    set_check_mode(check_mode::off);
  }

  void attach(dentry& d, inode* i, const char* name) {
    d.d_sb = &sb;
    d.d_op = &stand_in::dentry_table::full;
    d.d_name.store(name);
    d.d_hash_len.store(uint64_t{std::string_view(name).size()} << 32);
    d.d_inode.store(i);
    d.d_parent.store(&d);
  }

  // What a call reports, however often it was reported before.
  template <class F>
  std::vector<caught> during(F&& call) {
    reset_validator();
    reset_contract_counters();
    seen_.clear();
    call();
    return std::move(seen_);
  }

  // One method: `obeyed` must reach the stand-in without a report; `broken` must be reported once,
  // with `what` as the column or the sentence's id or the kind.
  template <class Obey, class Break>
  void expect(const char* method, const char* what, Obey&& obeyed, Break&& broken) {
    SCOPED_TRACE(method);
    stand_in::calls = 0;
    for (const caught& c : during(obeyed)) ADD_FAILURE() << "obeyed, but reported: " << c;
    EXPECT_EQ(stand_in::calls, 1) << "the method was not called exactly once";
    std::vector<caught> reports = during(broken);
    EXPECT_EQ(stand_in::calls, 2) << "a report must not keep the method from being called";
    EXPECT_EQ(reports.size(), 1u);
    bool found = false;
    for (const caught& c : reports) {
      EXPECT_EQ(c.method, method) << c;
      if (c.column == what || c.rule == what || c.kind == what) {
        found = true;
        if (!c.column.empty()) log_broken_cell(c.table, c.method, c.column);
        log_broken_rule(c.rule);
      }
    }
    EXPECT_TRUE(found) << "no report names " << what;
    for (const caught& c : reports)
      if (!found || reports.size() != 1) ADD_FAILURE() << c;
    stand_in::inside = nullptr;
  }

  // A method that may block: fine by itself, reported where blocking is forbidden.
  template <class Call>
  void expect_blocks(const char* method, Call&& call) {
    expect(method, "blocking", call, [&] {
      no_block_guard forbidden("the test forbids it");
      call();
    });
  }
  // A method that may not block: fine if it does not, reported when it does.
  template <class Call>
  void expect_never_blocks(const char* method, Call&& call) {
    SCOPED_TRACE(method);
    stand_in::inside = nullptr;
    for (const caught& c : during(call)) ADD_FAILURE() << "obeyed, but reported: " << c;
    stand_in::inside = [] { might_block("the stand-in"); };
    EXPECT_FALSE(during(call).empty()) << "blocking inside went unnoticed";
    stand_in::inside = nullptr;
  }

  super_block sb;
  file_system_type type;
  inode dir, other_dir, subdir, other_subdir, regular, other_regular;
  dentry dir_dentry, other_dir_dentry, subdir_dentry, other_subdir_dentry, regular_dentry,
      other_regular_dentry, negative;
  file f, dir_file;

 private:
  std::vector<caught> seen_;
};

// Locks in the way a test states them: in the order given, at the nesting levels of directory
// locking.
template <class... L>
class exclusive {
 public:
  explicit exclusive(L&... locks) : unlock_([&locks...] { (locks.unlock(), ...); }) {
    constexpr nest levels[] = {nest::parent, nest::parent2, nest::child, nest::nondirectory,
                               nest::nondirectory2};
    static_assert(sizeof...(locks) <= std::size(levels));
    unsigned n = 0;
    (locks.lock(levels[n++]), ...);
  }
  ~exclusive() { unlock_(); }
  exclusive(const exclusive&) = delete;
  exclusive& operator=(const exclusive&) = delete;

 private:
  std::function<void()> unlock_;
};
template <class L>
class shared {
 public:
  explicit shared(L& l) : l_(l) { l_.lock_shared(); }
  ~shared() { l_.unlock_shared(); }
  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;

 private:
  L& l_;
};

HF_NAMESPACE_END
