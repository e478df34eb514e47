// SPDX-License-Identifier: Apache-2.0
//
// ->rename: which locks it asks for, by what is renamed onto what. Each lock left out is one
// report, by the sentence that demands it.
#include "core/dispatch/inode_ops.h"
#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

class rename_test : public prose_test {
 protected:
  void move(inode& from, dentry& source, inode& to, dentry& target, unsigned flags = 0) {
    EXPECT_TRUE(inode_ops::rename(nop_mnt_idmap, from, source, to, target, flags).ok());
  }
};

TEST_F(rename_test, within_a_directory) {
  auto rename = [&] { move(dir, regular_dentry, dir, negative); };
  expect(
      "rename", "i_rwsem(inode)",
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        rename();
      },
      [&] {
        exclusive hold(regular.i_rwsem);
        rename();
      });
  expect_report(
      {"lock", "inode_operations", "rename", "", "6.6-inode-4",
       "held: none, required: exclusive, on source"},
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        rename();
      },
      [&] {
        exclusive hold(dir.i_rwsem);
        rename();
      });
}

TEST_F(rename_test, a_directory_that_keeps_its_parent_needs_no_lock) {
  EXPECT_TRUE(during([&] {
                exclusive hold(dir.i_rwsem);
                move(dir, subdir_dentry, dir, negative);
              }).empty());
}

TEST_F(rename_test, the_victim) {
  auto rename = [&] { move(dir, subdir_dentry, dir, other_subdir_dentry); };
  expect_report(
      {"lock", "inode_operations", "rename", "", "6.6-inode-2",
       "held: none, required: exclusive, on victim"},
      [&] {
        exclusive hold(dir.i_rwsem, other_subdir.i_rwsem);
        rename();
      },
      [&] {
        exclusive hold(dir.i_rwsem);
        rename();
      });
}

TEST_F(rename_test, across_directories) {
  auto rename = [&] { move(dir, regular_dentry, other_dir, negative); };
  expect_report(
      {"lock", "inode_operations", "rename", "", "6.6-inode-3",
       "held: none, required: exclusive, on superblock"},
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, other_dir.i_rwsem, regular.i_rwsem);
        rename();
      },
      [&] {
        exclusive hold(dir.i_rwsem, other_dir.i_rwsem, regular.i_rwsem);
        rename();
      });
  expect(
      "rename", "i_rwsem(inode)",
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, other_dir.i_rwsem, regular.i_rwsem);
        rename();
      },
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, regular.i_rwsem);
        rename();
      });
}

TEST_F(rename_test, a_directory_that_changes_parent) {
  auto rename = [&] { move(dir, subdir_dentry, other_dir, negative); };
  expect_report(
      {"lock", "inode_operations", "rename", "", "6.6-inode-5",
       "held: none, required: exclusive, on source"},
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, other_dir.i_rwsem, subdir.i_rwsem);
        rename();
      },
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, other_dir.i_rwsem);
        rename();
      });
}

TEST_F(rename_test, exchange_moves_the_target_too) {
  auto across = [&] { move(dir, subdir_dentry, other_dir, other_subdir_dentry, rename_exchange); };
  expect_report(
      {"lock", "inode_operations", "rename", "", "6.6-inode-5",
       "held: none, required: exclusive, on target"},
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, other_dir.i_rwsem, subdir.i_rwsem,
                       other_subdir.i_rwsem);
        across();
      },
      [&] {
        exclusive hold(sb.s_vfs_rename_mutex, dir.i_rwsem, other_dir.i_rwsem, subdir.i_rwsem);
        across();
      });
  auto mixed = [&] { move(dir, subdir_dentry, dir, regular_dentry, rename_exchange); };
  expect_report(
      {"lock", "inode_operations", "rename", "", "6.6-inode-4",
       "held: none, required: exclusive, on target"},
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        mixed();
      },
      [&] {
        exclusive hold(dir.i_rwsem);
        mixed();
      });
}

}  // namespace
HF_NAMESPACE_END
