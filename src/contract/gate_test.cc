// SPDX-License-Identifier: Apache-2.0
#include "contract/gate.h"

#include <gmock/gmock.h>

#include <thread>

#include "contract/coverage.h"
#include "contract/native.h"
#include "contract/test_locks.h"

namespace holdfast {
namespace {

using namespace contract_test;
using testing::ElementsAre;
using testing::HasSubstr;

using gate_test = contract_fixture;

// A call of `m` that binds one lock to `c` and does nothing.
void call_with(method_id m, column c, const stand_in& lock, bool create = false) {
  gate g(m);
  ASSERT_TRUE(g.on());
  g.given(condition::o_creat, create);
  g.lock(c, lock, "subject");
  g.enter();
  g.leave(false);
}

// Which states of the lock satisfy the cell.
struct lock_case {
  method_id method;
  column in;
  const char* cell;
  bool none, shared, exclusive;  // allowed
};

TEST_F(gate_test, lock_cells_accept_and_report_each_state) {
  const lock_case cases[] = {
      {method_id::inode_lookup, column::i_rwsem, "shared", false, true, true},
      {method_id::inode_create, column::i_rwsem, "exclusive", false, false, true},
      {method_id::inode_rename, column::i_rwsem,
       "exclusive (both parents, some children) (see below)", false, false, true},
      {method_id::inode_readlink, column::i_rwsem, "no", true, true, true},
      {method_id::inode_fileattr_get, column::i_rwsem, "no or exclusive", true, false, true},
      {method_id::super_statfs, column::s_umount, "maybe(read)", true, true, false},
      {method_id::super_sync_fs, column::s_umount, "read", false, true, true},
      {method_id::super_put_super, column::s_umount, "write", false, false, true},
      {method_id::super_drop_inode, column::note, "!!!inode->i_lock!!!", false, false, true},
      {method_id::super_show_options, column::note, "(namespace_sem)", false, true, true},
      {method_id::dentry_d_delete, column::d_lock, "yes", false, false, true},
      {method_id::aops_dirty_folio, column::folio_locked, "maybe", true, true, true},
      {method_id::aops_launder_folio, column::folio_locked, "yes", false, false, true},
  };
  for (const lock_case& c : cases) {
    for (const held mode : {held::none, held::shared, held::exclusive}) {
      reports.clear();
      reset_contract_counters();
      stand_in lock(test_other_class);
      if (mode != held::none) lock.take(mode);
      call_with(c.method, c.in, lock);
      const bool allowed = mode == held::none     ? c.none
                           : mode == held::shared ? c.shared
                                                  : c.exclusive;
      SCOPED_TRACE(std::string(entry_of(c.method).name) + " " + to_string(mode));
      ASSERT_EQ(reports.size(), allowed ? 0u : 1u);
      if (allowed) continue;
      EXPECT_EQ(reports[0].kind, "lock");
      EXPECT_EQ(reports[0].edition, "6.6");
      EXPECT_EQ(reports[0].method, entry_of(c.method).name);
      EXPECT_EQ(reports[0].cell, c.cell);
      EXPECT_EQ(reports[0].column, heading_of(entry_of(c.method).table, c.in));
      EXPECT_THAT(reports[0].finding,
                  HasSubstr(std::string("held: ") + to_string(mode) + ", required: "));
      EXPECT_THAT(reports[0].finding, HasSubstr("on subject"));
    }
  }
}

TEST_F(gate_test, atomic_open_needs_the_directory_exclusively_only_to_create) {
  stand_in dir(test_rwsem_class);
  dir.take(held::shared);
  call_with(method_id::inode_atomic_open, column::i_rwsem, dir, false);
  EXPECT_TRUE(reports.empty());
  call_with(method_id::inode_atomic_open, column::i_rwsem, dir, true);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].finding, "held: shared, required: exclusive, on subject");
}

TEST_F(gate_test, a_report_names_rule_operation_and_held_locks) {
  const operation_scope operation("rename", "/a/b", "/c/d");
  stand_in old_dir(test_rwsem_class, nest::parent);
  stand_in victim(test_rwsem_class);
  old_dir.take(held::exclusive);
  gate g(method_id::inode_rename);
  g.lock(column::i_rwsem, old_dir, "old_dir");
  g.lock(prose::inode(2), victim, "victim");
  g.enter();
  g.leave(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].table, "inode_operations");
  EXPECT_EQ(reports[0].rule, "6.6-inode-2");
  EXPECT_EQ(reports[0].column, "");
  EXPECT_THAT(reports[0].sentence, HasSubstr("victim"));
  EXPECT_EQ(reports[0].finding, "held: none, required: exclusive, on victim");
  EXPECT_THAT(reports[0].operation, HasSubstr("rename"));
  EXPECT_THAT(reports[0].operation, HasSubstr("/a/b"));
  EXPECT_THAT(reports[0].held, ElementsAre("test_i_rwsem exclusive old_dir"));
  EXPECT_GT(reports[0].frames, 1u);
  EXPECT_FALSE(reports[0].advice.empty());
}

TEST_F(gate_test, the_same_violation_is_reported_once_and_counted) {
  stand_in dir(test_rwsem_class);
  for (int i = 0; i < 3; ++i) call_with(method_id::inode_create, column::i_rwsem, dir);
  EXPECT_EQ(reports.size(), 1u);
  const contract_counters n = read_contract_counters();
  EXPECT_EQ(n.operations, 3u);
  EXPECT_EQ(n.violations, 3u);
  EXPECT_EQ(n.distinct, 1u);
}

TEST_F(gate_test, a_lock_that_the_method_leaks_is_reported) {
  stand_in dir(test_rwsem_class);
  stand_in leaked(test_other_class);
  dir.take(held::exclusive);
  gate g(method_id::inode_create);
  g.lock(column::i_rwsem, dir, "dir");
  g.enter();
  leaked.take(held::shared);
  g.leave(true);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "exit");
  EXPECT_EQ(reports[0].finding, "taken and not released: test_s_umount");
}

// ->read_iter is around ->read_folio: it comes back with the lock too, and is not to blame.
TEST_F(gate_test, a_kept_lock_is_charged_to_one_method) {
  for (const bool repaired : {false, true}) {
    reports.clear();
    reset_contract_counters();
    stand_in folio(test_folio_class);
    stand_in mapping(test_other_class);
    gate outer(method_id::file_read_iter);
    outer.enter();
    mapping.take(held::shared);
    folio.take(held::exclusive);
    gate inner(method_id::aops_read_folio);
    inner.lock(column::folio_locked, folio, "folio");
    inner.lock(column::invalidate_lock, mapping, "mapping");
    inner.enter();
    inner.leave(true);
    mapping.drop();
    if (repaired) folio.drop();  // the caller released it after all: nothing is amiss there
    outer.leave(true);
    ASSERT_EQ(reports.size(), 1u) << "repaired: " << repaired;
    EXPECT_EQ(reports[0].method, "read_folio");
    EXPECT_EQ(reports[0].finding, "not released: test_folio_lock of folio");
  }
}

TEST_F(gate_test, an_outer_method_still_answers_for_its_own_locks) {
  stand_in of_inner(test_rwsem_class);
  stand_in of_outer(test_other_class);
  gate outer(method_id::file_read_iter);
  outer.enter();
  of_outer.take(held::exclusive);
  gate inner(method_id::aops_direct_IO);
  inner.enter();
  of_inner.take(held::exclusive);
  inner.leave(false);
  outer.leave(false);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].method, "direct_IO");
  EXPECT_EQ(reports[0].finding, "taken and not released: test_i_rwsem");
  EXPECT_EQ(reports[1].method, "read_iter");
  EXPECT_EQ(reports[1].finding, "taken and not released: test_s_umount");
}

TEST_F(gate_test, advice_tells_the_method_from_its_caller) {
  gate g(method_id::inode_unlink);
  stand_in dir(test_rwsem_class);
  dir.take(held::exclusive);
  g.lock(column::i_rwsem, dir, "dir");
  g.require(false, prose::inode(3), "before the call");
  g.enter();
  g.require(false, prose::inode(3), "after the call");
  g.leave(false);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_THAT(reports[0].advice, HasSubstr("who called the method"));
  EXPECT_THAT(reports[1].advice, HasSubstr("not its caller"));
}

TEST_F(gate_test, a_callers_lock_that_the_method_drops_or_changes_is_reported) {
  stand_in dir(test_rwsem_class);
  dir.take(held::exclusive);
  {
    gate g(method_id::inode_create);
    g.lock(column::i_rwsem, dir, "dir");
    g.enter();
    dir.drop();
  }
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].finding, "the caller's lock was released: test_i_rwsem");
  dir.take(held::exclusive);
  gate g(method_id::inode_mkdir);
  g.lock(column::i_rwsem, dir, "dir");
  g.enter();
  dir.drop();
  dir.take(held::shared);
  g.leave(false);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].finding, "held in another mode than on entry: test_i_rwsem");
}

TEST_F(gate_test, read_folio_unlocks_the_folio) {
  stand_in folio(test_folio_class);
  stand_in invalidate(test_rwsem_class);
  const auto read_folio = [&](bool unlock) {
    gate g(method_id::aops_read_folio);
    g.lock(column::invalidate_lock, invalidate, "mapping");
    g.lock(column::folio_locked, folio, "folio");
    g.enter();
    if (unlock) folio.drop();
    g.leave(false);
  };
  invalidate.take(held::shared);
  folio.take(held::exclusive);
  read_folio(true);
  EXPECT_TRUE(reports.empty());
  folio.take(held::exclusive);
  read_folio(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].finding, "not released: test_folio_lock of folio");
  EXPECT_EQ(reports[0].cell, "yes, unlocks");
  folio.drop();
  read_folio(false);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].kind, "lock");
}

TEST_F(gate_test, writepage_may_keep_the_page_by_exception) {
  stand_in folio(test_folio_class);
  folio.take(held::exclusive);
  gate g(method_id::aops_writepage);
  g.lock(column::folio_locked, folio, "folio");
  g.enter();
  g.keeps(folio);
  g.leave(false);
  EXPECT_TRUE(reports.empty());
}

TEST_F(gate_test, write_begin_returns_with_the_folio_locked_on_success_only) {
  stand_in folio(test_folio_class);
  stand_in host(test_rwsem_class);
  host.take(held::exclusive);
  const auto write_begin = [&](bool lock, bool name, bool failed) {
    gate g(method_id::aops_write_begin);
    g.lock(column::i_rwsem, host, "host");
    g.enter();
    if (lock) folio.take(held::exclusive);
    if (name) g.returns_locked(folio, "folio");
    g.leave(failed);
    folio.drop();
  };
  write_begin(true, true, false);
  write_begin(false, false, true);
  EXPECT_TRUE(reports.empty());
  write_begin(false, true, false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0].finding, HasSubstr("not held on return"));
  write_begin(true, false, true);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].finding, "taken and not released: test_folio_lock");
  write_begin(false, false, false);
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[2].kind, "binding");
}

TEST_F(gate_test, mount_returns_and_kill_sb_releases_s_umount) {
  stand_in s_umount(test_other_class);
  {
    gate g(method_id::fstype_mount);
    g.enter();
    s_umount.take(held::exclusive);
    g.returns_locked(prose::fstype(1), s_umount, "sb");
    g.leave(false);
  }
  EXPECT_TRUE(reports.empty());
  const auto kill_sb = [&](bool release) {
    gate g(method_id::fstype_kill_sb);
    g.lock(prose::fstype(2), s_umount, "sb", requirement_kind::releases);
    g.enter();
    if (release) s_umount.drop();
    g.leave(false);
  };
  kill_sb(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].rule, "6.6-fstype-2");
  EXPECT_EQ(reports[0].finding, "not released: test_s_umount of sb");
  kill_sb(true);
  EXPECT_EQ(reports.size(), 1u);
  gate g(method_id::fstype_mount);
  g.enter();
  g.returns_locked(prose::fstype(1), s_umount, "sb");
  g.leave(false);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].rule, "6.6-fstype-1");
}

TEST_F(gate_test, a_method_that_may_not_block_runs_in_a_no_block_scope) {
  {
    gate g(method_id::dentry_d_hash);
    g.enter();
    EXPECT_FALSE(may_block());
    might_block("an allocation");
  }
  EXPECT_TRUE(may_block());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, to_string(violation_kind::blocks_forbidden));
  EXPECT_EQ(reports[0].edition, "6.6") << "the rule that forbids it is cited";
  EXPECT_EQ(reports[0].table, "dentry_operations");
  EXPECT_EQ(reports[0].method, "d_hash");
  EXPECT_EQ(reports[0].column, "may block");
  EXPECT_THAT(reports[0].finding, HasSubstr("d_hash"));
}

TEST_F(gate_test, scopes_of_nested_gates_end_in_order) {
  gate outer(method_id::super_free_inode);
  outer.enter();
  const std::string reason = this_context().no_block_reason;
  EXPECT_EQ(reason, "free_inode");
  {
    gate inner(method_id::dentry_d_compare);
    inner.enter();
    EXPECT_EQ(this_context().no_block_depth, 2u);
  }
  EXPECT_EQ(this_context().no_block_depth, 1u);
  EXPECT_EQ(this_context().no_block_reason, reason);
  outer.leave(false);
  EXPECT_EQ(this_context().no_block_depth, 0u);
}

TEST_F(gate_test, a_method_that_may_block_is_not_called_where_nothing_may) {
  exec_context& c = this_context();
  const auto call = [](method_id m) {
    gate g(m);
    g.enter();
    g.leave(false);
  };
  ++c.rcu_depth;
  call(method_id::inode_getattr);
  --c.rcu_depth;
  ++c.atomic_depth;
  call(method_id::file_fsync);
  call(method_id::dentry_d_release);
  --c.atomic_depth;
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[0].kind, "blocking");
  EXPECT_EQ(reports[0].rule, "6.6-inode-1");
  EXPECT_EQ(reports[0].finding, "may block, but was called in an RCU section");
  EXPECT_EQ(reports[1].rule, "6.6-file-1");
  EXPECT_EQ(reports[1].finding, "may block, but was called under a spinlock");
  EXPECT_EQ(reports[2].column, "may block");
  EXPECT_EQ(reports[2].cell, "yes");
}

TEST_F(gate_test, rcu_walk_changes_what_may_block) {
  exec_context& c = this_context();
  for (const method_id m : {method_id::dentry_d_revalidate, method_id::dentry_d_manage,
                            method_id::inode_permission, method_id::inode_get_link}) {
    ++c.rcu_depth;
    {
      gate g(m);
      g.given(condition::rcu_walk, true);
      g.enter();
      EXPECT_EQ(c.no_block_depth, 1u);
    }
    EXPECT_TRUE(reports.empty());
    {
      gate g(m);
      g.enter();  // says REF-walk inside an RCU section
    }
    --c.rcu_depth;
    ASSERT_EQ(reports.size(), 1u) << entry_of(m).name;
    EXPECT_EQ(reports[0].kind, "blocking");
    reports.clear();
  }
}

TEST_F(gate_test, a_method_outside_of_rcu_walk_is_not_called_in_it) {
  gate g(method_id::dentry_d_weak_revalidate);
  g.given(condition::rcu_walk, true);
  g.enter();
  g.leave(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "rcu-walk");
  EXPECT_EQ(reports[0].column, "rcu-walk");
  EXPECT_EQ(reports[0].cell, "no");
}

TEST_F(gate_test, prose_rules_are_required_by_dispatchers) {
  gate g(method_id::file_read);
  g.require(true, prose::file(9), "a directory");
  EXPECT_TRUE(reports.empty());
  g.require(false, prose::file(9), "a directory");
  g.enter();
  g.leave(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "prose");
  EXPECT_EQ(reports[0].rule, "6.6-file-9");
  EXPECT_EQ(reports[0].finding, "a directory");
}

TEST_F(gate_test, a_wrong_binding_is_the_dispatchers_mistake) {
  stand_in lock(test_other_class);
  {
    gate g(method_id::inode_readlink);
    g.lock(column::s_umount, lock, "sb");
    g.enter();
    g.leave(false);
  }
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "binding");
  {
    gate g(method_id::inode_lookup);
    g.enter();
    g.leave(false);
  }
  ASSERT_EQ(reports.size(), 2u) << "a column that demands a lock was left out";
  EXPECT_EQ(reports[1].kind, "binding");
}

TEST_F(gate_test, locks_that_could_not_be_recorded_make_no_reports) {
  stand_in dir(test_rwsem_class);
  ++this_context().untracked;
  call_with(method_id::inode_create, column::i_rwsem, dir);
  --this_context().untracked;
  EXPECT_TRUE(reports.empty());
}

TEST_F(gate_test, coverage_counts_cells_rules_and_calls) {
  const auto count = [](std::string_view table, std::string_view method, std::string_view heading,
                        std::string_view rule) {
    uint64_t n = ~uint64_t{0};
    for_each_rule([&](const rule_coverage& c) {
      if (rule.empty() ? c.table == table && c.method == method && c.column == heading
                       : c.rule == rule)
        n = c.exercised;
    });
    return n;
  };
  EXPECT_EQ(count("inode_operations", "lookup", "i_rwsem(inode)", ""), 0u);
  stand_in dir(test_rwsem_class);
  dir.take(held::shared);
  call_with(method_id::inode_lookup, column::i_rwsem, dir);
  call_with(method_id::inode_lookup, column::i_rwsem, dir);
  EXPECT_EQ(count("inode_operations", "lookup", "i_rwsem(inode)", ""), 2u);
  EXPECT_EQ(count("inode_operations", "create", "i_rwsem(inode)", ""), 0u);
  EXPECT_EQ(count("", "", "", "6.6-inode-1"), 2u);
  EXPECT_EQ(count("", "", "", "6.6-inode-2"), 0u);
  EXPECT_EQ(coverage::call_count(method_id::inode_lookup), 2u);
  {
    gate g(method_id::dentry_d_hash);
    g.enter();
  }
  EXPECT_EQ(count("dentry_operations", "d_hash", "may block", ""), 1u);
  EXPECT_EQ(count("dentry_operations", "d_hash", "rcu-walk", ""), 1u);
  EXPECT_EQ(count("dentry_operations", "d_hash", "rename_lock", ""), 1u);
  // A cell that nobody bound stays at zero, so that it is seen.
  gate g(method_id::inode_create);
  g.enter();
  g.leave(true);
  EXPECT_EQ(count("inode_operations", "create", "i_rwsem(inode)", ""), 0u);
}

TEST_F(gate_test, threads_count_and_report_together) {
  constexpr unsigned thread_count = 4, calls = 2000;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < thread_count; ++t)
    threads.emplace_back([] {
      stand_in dir(test_rwsem_class);
      for (unsigned i = 0; i < calls; ++i) call_with(method_id::inode_create, column::i_rwsem, dir);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(reports.size(), 1u);
  const contract_counters n = read_contract_counters();
  EXPECT_EQ(n.operations, uint64_t{thread_count} * calls);
  EXPECT_EQ(n.violations, uint64_t{thread_count} * calls);
  EXPECT_EQ(n.distinct, 1u);
}

TEST_F(gate_test, off_means_off) {
  set_check_mode(check_mode::off);
  stand_in dir(test_rwsem_class);
  gate g(method_id::inode_create);
  EXPECT_FALSE(g.on());
  g.leave(false);
  EXPECT_EQ(read_contract_counters().operations, 0u);
  EXPECT_TRUE(reports.empty());
}

}  // namespace
}  // namespace holdfast
