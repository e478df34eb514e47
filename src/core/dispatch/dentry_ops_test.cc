// SPDX-License-Identifier: Apache-2.0
//
// dentry_operations: each rule once kept and once broken; null defaults.
#include "core/dispatch/dentry_ops.h"

#include <cerrno>

#include "core/dispatch/stand_ins.h"

HF_NAMESPACE_BEGIN
namespace {

using dentry_ops_test = dispatch_test;

TEST_F(dentry_ops_test, methods_that_may_block) {
  expect_blocks("d_weak_revalidate",
                [&] { EXPECT_TRUE(dentry_ops::d_weak_revalidate(negative, 0).ok()); });
  expect_blocks("d_init", [&] { EXPECT_TRUE(dentry_ops::d_init(negative).ok()); });
  expect_blocks("d_release", [&] { dentry_ops::d_release(negative); });
  expect_blocks("d_iput", [&] { dentry_ops::d_iput(negative, regular); });
  path p{nullptr, &dir_dentry};
  expect_blocks("d_automount", [&] { EXPECT_TRUE(dentry_ops::d_automount(p).ok()); });
  expect_blocks("d_real", [&] { dentry_ops::d_real(regular_dentry, nullptr); });
}

TEST_F(dentry_ops_test, methods_that_never_block) {
  qstr name{.hash = 0, .len = 1, .name = "a"};
  expect_never_blocks("d_hash", [&] { EXPECT_TRUE(dentry_ops::d_hash(dir_dentry, name).ok()); });
  expect_never_blocks("d_compare", [&] {
    rcu_read_guard rcu;
    dentry_ops::d_compare(regular_dentry, "a", name);
  });
  char buffer[8];
  expect_never_blocks("d_dname", [&] {
    EXPECT_TRUE(dentry_ops::d_dname(regular_dentry, buffer, sizeof buffer).ok());
  });
}

TEST_F(dentry_ops_test, d_lock_at_d_delete_and_d_prune) {
  expect(
      "d_delete", "->d_lock",
      [&] {
        exclusive hold(regular_dentry.d_lockref);
        dentry_ops::d_delete(regular_dentry);
      },
      [&] { dentry_ops::d_delete(regular_dentry); });
  expect(
      "d_prune", "->d_lock",
      [&] {
        exclusive hold(regular_dentry.d_lockref);
        dentry_ops::d_prune(regular_dentry);
      },
      // The parent's lock is not the dentry's.
      [&] {
        exclusive hold(dir_dentry.d_lockref);
        dentry_ops::d_prune(regular_dentry);
      });
}

TEST_F(dentry_ops_test, d_revalidate_and_d_manage_block_in_ref_walk_alone) {
  stand_in::inside = [] { might_block("the stand-in"); };
  const path p{nullptr, &dir_dentry};
  auto revalidate = [&](unsigned flags) {
    return during([&] { EXPECT_TRUE(dentry_ops::d_revalidate(regular_dentry, flags).ok()); });
  };
  auto manage = [&](bool rcu) {
    return during([&] { EXPECT_TRUE(dentry_ops::d_manage(p, rcu).ok()); });
  };
  EXPECT_TRUE(revalidate(0).empty());
  EXPECT_FALSE(revalidate(lookup_rcu).empty());
  EXPECT_TRUE(manage(false).empty());
  EXPECT_FALSE(manage(true).empty());
}

TEST_F(dentry_ops_test, null_means_the_default) {
  for (const dentry_operations* none :
       {static_cast<const dentry_operations*>(nullptr), &stand_in::dentry_table::empty}) {
    dentry& d = regular_dentry;
    d.d_op = none;
    dir_dentry.d_op = none;
    EXPECT_TRUE(dentry_ops::d_revalidate(d, 0).value());
    EXPECT_TRUE(dentry_ops::d_weak_revalidate(d, 0).value());
    const qstr name{.hash = 0, .len = 2, .name = "ab"};
    EXPECT_TRUE(dentry_ops::d_compare(d, "ab", name));
    EXPECT_FALSE(dentry_ops::d_compare(d, "aB", name));
    EXPECT_FALSE(dentry_ops::d_compare(d, "abc", name));
    EXPECT_FALSE(dentry_ops::d_delete(d));
    EXPECT_TRUE(dentry_ops::d_init(d).ok());
    dentry_ops::d_release(d);
    dentry_ops::d_prune(d);
    char buffer[8];
    EXPECT_EQ(dentry_ops::d_dname(d, buffer, sizeof buffer).code(), EOPNOTSUPP);
    path p{nullptr, &d};
    EXPECT_EQ(dentry_ops::d_automount(p).code(), EREMOTE);
    EXPECT_TRUE(dentry_ops::d_manage(p, false).ok());
    EXPECT_EQ(dentry_ops::d_real(d, nullptr), &d);
    qstr hashed{.hash = 0, .len = 2, .name = "ab"};
    EXPECT_TRUE(dentry_ops::d_hash(dir_dentry, hashed).ok());
    EXPECT_EQ(hashed.hash, full_name_hash(&dir_dentry, "ab"));
  }
  EXPECT_EQ(stand_in::calls, 0);
}

TEST_F(dentry_ops_test, null_d_iput_drops_the_reference) {
  regular_dentry.d_op = nullptr;
  ihold(regular);
  dentry_ops::d_iput(regular_dentry, regular);
  EXPECT_EQ(regular.i_count.load(), 1);
}

}  // namespace
HF_NAMESPACE_END
