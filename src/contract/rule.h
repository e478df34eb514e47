// SPDX-License-Identifier: Apache-2.0
//
// The model of the contract: tables, columns, cells, prose rules of one edition, as constant data.
//
// tools/rulec.cc compiles rules/<release>.rules into objects of these types; the gate, the reports
// and the coverage counters read nothing else. Invariants (rulec enforces all of them):
//
// 1. A cell's text is the document's, white space collapsed; its requirement is what the text is
//    read as. A text that no reading exists for is an error when the rules are compiled, never a
//    guess.
// 2. A row has one cell for each column of its table, in the columns' order.
// 3. A method has at most one row and one prototype in its table, and at least one of the two.
// 4. Prose rules are numbered per section without gaps, in restated form.
// 5. An edition older than the native one says what became of each of its methods and columns: it
//    is in the native tables under the same name, or it has a successor there, or none.
// 6. Everything is a view of a string literal: no allocation, no initialisation at start-up.
//
// This header stands alone: rulec includes it before anything of the library exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

// The tables, in the newest document's order, which is that of all documents. xattr_handler came
// with 5.6; the older editions have the other twelve.
enum class table_id : uint8_t {
  dentry_operations,
  inode_operations,
  xattr_handler,
  super_operations,
  file_system_type,
  address_space_operations,
  file_lock_operations,
  lock_manager_operations,
  buffer_head,
  block_device_operations,
  file_operations,
  dquot_operations,
  vm_operations_struct,
};
inline constexpr size_t table_count = 13;
inline constexpr std::string_view table_names[table_count] = {
    "dentry_operations",       "inode_operations",        "xattr_handler",
    "super_operations",        "file_system_type",        "address_space_operations",
    "file_lock_operations",    "lock_manager_operations", "buffer_head",
    "block_device_operations", "file_operations",         "dquot_operations",
    "vm_operations_struct",
};
constexpr std::string_view name_of(table_id t) {
  return table_names[static_cast<size_t>(t)];
}

// The columns of all tables. One id means one thing in every table and edition; the heading that a
// document prints above it is in the rules.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Wshadow"  // g++ 12 takes a scoped enumerator for a shadow of the lock it names
enum class column : uint8_t {
  rename_lock,
  d_lock,
  may_block,
  rcu_walk,
  i_rwsem,
  s_umount,
  note,
  folio_locked,
  invalidate_lock,
  i_lock,
  flc_lock,
  blocked_lock_lock,
  open_mutex,
  fs_recursion,
  held_locks,
  mmap_lock,
  page_locked,
  i_mutex,
  file_lock_lock,
  bd_mutex,
  mmap_sem,
};
#pragma GCC diagnostic pop
inline constexpr size_t column_count = 21;
inline constexpr std::string_view column_names[column_count] = {
    "rename_lock",     "d_lock",       "may_block",      "rcu_walk",
    "i_rwsem",         "s_umount",     "note",           "folio_locked",
    "invalidate_lock", "i_lock",       "flc_lock",       "blocked_lock_lock",
    "open_mutex",      "fs_recursion", "held_locks",     "mmap_lock",
    "page_locked",     "i_mutex",      "file_lock_lock", "bd_mutex",
    "mmap_sem",
};
constexpr std::string_view name_of(column c) {
  return column_names[static_cast<size_t>(c)];
}

// What a column's cells speak about.
enum class column_kind : uint8_t {
  lock,       // the state of one lock on each of the method's subjects
  may_block,  // whether the method may block
  rcu_walk,   // whether it may be called in RCU-walk
  note,       // a remark; some name a lock or a context
  flag,       // yes or no about something that is no lock
  names,      // names of locks, as text
};
inline constexpr std::string_view column_kind_names[] = {"lock", "may_block", "rcu_walk",
                                                         "note", "flag",      "names"};
constexpr std::string_view name_of(column_kind k) {
  return column_kind_names[static_cast<size_t>(k)];
}

// What a cell asks for. "Entry" is the state that the caller provides, "exit" the one that the
// method leaves behind; where nothing is said about the exit, it is the same as on entry.
enum class requirement_kind : uint8_t {
  unstated,             // blank cell: nothing is promised, nothing is checked
  no_promise,           // "no": the method may not rely on the lock; the caller may hold it
  shared,               // held shared or exclusively on entry
  exclusive,            // held exclusively on entry
  maybe,                // either; the method may rely on nothing
  none,                 // no lock of this class is held on entry
  read_section,         // inside an RCU section, or a lock that keeps names as they are is held
  none_or_shared,       // not held, or held shared
  none_or_exclusive,    // not held, or held exclusively; never merely shared
  exclusive_if_create,  // shared or more, but exclusive given condition::o_creat
  releases,             // exclusive on entry; released, or handed to I/O completion, on exit
  acquires,             // held exclusively on successful exit
  may_acquire,          // may be held on exit
  blocks,               // may block
  never_blocks,         // may not block
  blocks_in_ref_walk,   // may block unless given condition::rcu_walk
  blocks_sometimes,     // depends on what the document states elsewhere; not checked
  never_in_rcu_walk,    // not called in RCU-walk
  maybe_in_rcu_walk,    // may be called in RCU-walk
  rcu_callback,         // called after a grace period, from an RCU callback: may not block
  flag_yes,
  flag_no,
  remark,     // text for people
  unchecked,  // a promise the program can't observe; the rules say why
};

// Which of a method's arguments a lock cell speaks about.
enum class subjects : uint8_t {
  one,
  both,
  parents_and_some_children,
  all,  // both parents and the victim; rules/readings.md says why no more
  any,  // of some object that need not be among the arguments
};
inline constexpr std::string_view subject_names[] = {"one", "both", "parents_and_some_children",
                                                     "all", "any"};
constexpr std::string_view name_of(subjects s) {
  return subject_names[static_cast<size_t>(s)];
}

struct requirement {
  requirement_kind kind = requirement_kind::unstated;
  subjects of = subjects::one;
  friend constexpr bool operator==(const requirement&, const requirement&) = default;
};

// A table that the document has.
struct rule_table {
  table_id id;
  std::string_view heading;  // as published; mostly the id
};

struct rule_column {
  table_id table;
  column id;
  column_kind kind;
  std::string_view heading;  // as published; empty where the document leaves it out
};

struct rule_cell {
  table_id table;
  std::string_view method;
  column id;
  std::string_view text;  // as published, white space collapsed
  requirement asks;
  std::string_view reading;  // why it is read otherwise than its text says; mostly empty
};

struct rule_row {
  table_id table;
  std::string_view method;
  uint16_t first_cell;
  uint16_t cell_count;
};

struct rule_prototype {
  table_id table;
  std::string_view method;
  std::string_view text;  // the C prototype, one line
};

// Sections of the prose rules.
enum class section : uint8_t {
  doc,
  dentry,
  inode,
  xattr,
  super,
  fstype,
  aops,
  flock,
  lockmgr,
  bh,
  bdev,
  file,
  dquot,
  vm,
};
inline constexpr size_t section_count = 14;
inline constexpr std::string_view section_names[section_count] = {
    "doc",   "dentry",  "inode", "xattr", "super", "fstype", "aops",
    "flock", "lockmgr", "bh",    "bdev",  "file",  "dquot",  "vm",
};
constexpr std::string_view name_of(section s) {
  return section_names[static_cast<size_t>(s)];
}

// Who checks a prose rule.
enum class checked_by : uint8_t {
  gate,           // the gate itself, whenever one of the methods is dispatched
  dispatcher,     // the method's dispatcher, which knows the arguments
  validator,      // src/sync: order, recursion, blocking
  test,           // a test of the caller; nothing to look at while it runs
  later,          // with the part of the VFS that brings the method
  not_checkable,  // never; the text is the reason
  adapter,        // the gates of an older edition's adapter
  same,           // the native edition, by the rule that prose_rule::same names
};
inline constexpr std::string_view checked_by_names[] = {
    "gate", "dispatcher", "validator", "test", "later", "not checkable", "adapter", "same"};
constexpr std::string_view name_of(checked_by c) {
  return checked_by_names[static_cast<size_t>(c)];
}

struct prose_rule {
  section in;
  uint8_t number;         // from 1 in each section
  std::string_view id;    // "6.6-inode-2"
  std::string_view says;  // restated
  checked_by check;
  std::string_view how;   // how it is checked, or why it can't be; empty for `same`
  std::string_view same;  // "6.6-inode-2" for `same`
};

// Which methods a prose rule constrains; an empty method means every method of the table.
struct prose_target {
  uint16_t prose;  // index into edition_rules::prose
  table_id table;
  std::string_view method;
};

// Blocking as stated outside of a "may block" column; an empty method is the table's default, and a
// line that names the method wins over it.
struct blocking_rule {
  table_id table;
  std::string_view method;
  requirement_kind kind;  // blocks, never_blocks, blocks_in_ref_walk or rcu_callback
  uint16_t prose;         // index of the rule that says so
};

// What an older edition's method became.
struct method_successor {
  table_id table;
  std::string_view method;
  table_id native_table;
  std::string_view native_method;  // empty: nothing
  std::string_view why;            // nothing, because
};

// The native column of the same table that an older edition's column became.
struct column_successor {
  table_id table;
  column id;
  column native;
};

struct edition_rules {
  std::string_view release;
  std::string_view document;
  std::span<const rule_table> tables;
  std::span<const rule_column> columns;
  std::span<const rule_row> rows;
  std::span<const rule_cell> cells;
  std::span<const rule_prototype> prototypes;
  std::span<const prose_rule> prose;
  std::span<const prose_target> targets;
  std::span<const blocking_rule> blocking;
  std::span<const method_successor> successors;
  std::span<const column_successor> column_successors;
};

HF_NAMESPACE_END
