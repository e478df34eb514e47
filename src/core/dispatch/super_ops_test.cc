// SPDX-License-Identifier: Apache-2.0
//
// super_operations and file_system_type: each rule once kept and once broken.
#include "core/dispatch/super_ops.h"

#include "core/dispatch/fs_type_ops.h"
#include "core/dispatch/prose_test.h"
#include "core/mount/mount.h"
#include "holdfast/quota.h"

HF_NAMESPACE_BEGIN
namespace {

class super_ops_test : public prose_test {
 protected:
  // Fine under s_umount exclusively, reported under s_umount shared.
  template <class Call>
  void expect_write(const char* method, Call&& call) {
    expect(
        method, "s_umount",
        [&] {
          exclusive hold(sb.s_umount);
          call();
        },
        [&] {
          shared hold(sb.s_umount);
          call();
        });
  }
};

TEST_F(super_ops_test, s_umount_held_for_writing) {
  expect_write("put_super", [&] { super_ops::put_super(sb); });
  expect_write("freeze_fs", [&] { EXPECT_TRUE(super_ops::freeze_fs(sb).ok()); });
  expect_write("unfreeze_fs", [&] { EXPECT_TRUE(super_ops::unfreeze_fs(sb).ok()); });
  unsigned flags = 0;
  expect_write("remount_fs", [&] { EXPECT_TRUE(super_ops::remount_fs(sb, flags, "").ok()); });
}

TEST_F(super_ops_test, sync_fs_holds_s_umount_at_least_shared) {
  auto sync = [&] { EXPECT_TRUE(super_ops::sync_fs(sb, true).ok()); };
  expect(
      "sync_fs", "s_umount",
      [&] {
        shared hold(sb.s_umount);
        sync();
      },
      sync);
}

TEST_F(super_ops_test, statfs_is_not_called_under_s_umount) {
  kstatfs st;
  auto statfs = [&] { EXPECT_TRUE(super_ops::statfs(dir_dentry, st).ok()); };
  constexpr const char* table = "super_operations";
  expect_report({"prose", table, "statfs", "", "6.6-super-3", "s_umount is held"}, statfs, [&] {
    shared hold(sb.s_umount);
    statfs();
  });
  expect_report(
      {"prose", table, "statfs", "", "6.6-super-3", "nothing keeps the superblock active"}, statfs,
      [&] {
        sb.s_active = 0;
        statfs();
      });
}

TEST_F(super_ops_test, statfs_for_ustat_is_called_under_s_umount_shared) {
  kstatfs st;
  auto statfs = [&] { EXPECT_TRUE(super_ops::statfs_for_ustat(dir_dentry, st).ok()); };
  auto properly = [&] {
    shared hold(sb.s_umount);
    statfs();
  };
  expect_report({"lock", "super_operations", "statfs", "", "6.6-super-2",
                 "held: none, required: shared or exclusive, on superblock"},
                properly, statfs);
  expect("statfs", "s_umount", properly, [&] {
    exclusive hold(sb.s_umount);
    statfs();
  });
  sb.s_op = &stand_in::super_table::empty;
  EXPECT_EQ(super_ops::statfs_for_ustat(dir_dentry, st).code(), ENOSYS);
}

TEST_F(super_ops_test, drop_inode_holds_i_lock_and_never_blocks) {
  auto properly = [&] {
    exclusive hold(regular.i_lock);
    super_ops::drop_inode(regular);
  };
  expect_report({"lock", "super_operations", "drop_inode", "note", "6.6-super-5",
                 "held: none, required: exclusive, on inode"},
                properly, [&] { super_ops::drop_inode(regular); });
  expect_report({"blocks_in_atomic", "super_operations", "drop_inode", "", "6.6-super-5",
                 "the stand-in may block, under a spinlock"},
                properly, [&] {
                  stand_in::inside = [] { might_block("the stand-in"); };
                  properly();
                });
}

struct as_callback {
  as_callback() { detail::this_thread.in_rcu_callback = true; }
  ~as_callback() { detail::this_thread.in_rcu_callback = false; }
};

TEST_F(super_ops_test, free_inode_never_blocks) {
  const as_callback here;
  expect_never_blocks("free_inode", [&] { super_ops::free_inode(regular); });
  expect_never_blocks("free_inode",
                      [&] { super_ops::free_inode_with(&stand_in::super_table::full, regular); });
  expect_report(
      {"blocks_forbidden", "super_operations", "free_inode", "note", "6.6-super-6",
       "the stand-in may block, in a call that may not: free_inode"},
      [&] { super_ops::free_inode(regular); },
      [&] {
        stand_in::inside = [] { might_block("the stand-in"); };
        super_ops::free_inode(regular);
      });
}

TEST_F(super_ops_test, free_inode_comes_a_grace_period_after_the_end) {
  rcu_barrier();  // so that no grace period of others' callbacks comes in between
  auto destroy_and_free = [&](bool wait) {
    super_ops::keep_for_free(regular);
    if (wait) synchronize_rcu();
    const as_callback here;
    super_ops::free_inode_with(regular.i_free_ops, regular);
  };
  expect_report(
      {"prose", "super_operations", "free_inode", "", "6.6-super-6",
       "no grace period has passed since the inode was destroyed"},
      [&] { destroy_and_free(true); }, [&] { destroy_and_free(false); });
}

TEST_F(super_ops_test, show_options_holds_the_mount_tree) {
  seq_file m;
  auto show = [&] { EXPECT_TRUE(super_ops::show_options(m, dir_dentry).ok()); };
  expect_report(
      {"lock", "super_operations", "show_options", "note", "6.6-super-7",
       "held: none, required: shared or exclusive, on mount tree"},
      [&] {
        shared hold(namespace_sem);
        show();
      },
      show);
}

TEST_F(super_ops_test, methods_without_locks_may_block) {
  writeback_control wbc;
  char buffer[8] = {};
  expect_blocks("alloc_inode", [&] { EXPECT_EQ(super_ops::alloc_inode(sb), nullptr); });
  expect_blocks("destroy_inode", [&] { super_ops::destroy_inode(regular); });
  expect_blocks("dirty_inode", [&] { super_ops::dirty_inode(regular, 0); });
  expect_blocks("write_inode", [&] { EXPECT_TRUE(super_ops::write_inode(regular, wbc).ok()); });
  expect_blocks("evict_inode", [&] { super_ops::evict_inode(regular); });
  expect_blocks("umount_begin", [&] { super_ops::umount_begin(sb); });
  quota_info quotas;
  sb.s_dquot = &quotas;
  exclusive io(quotas.dqio_sem);
  expect_blocks("quota_read",
                [&] { EXPECT_TRUE(super_ops::quota_read(sb, 0, buffer, 8, 0).ok()); });
  expect_blocks("quota_write",
                [&] { EXPECT_TRUE(super_ops::quota_write(sb, 0, buffer, 8, 0).ok()); });
}

// A type whose mount returns `root`, and locks the superblock if it is told to.
dentry* root = nullptr;
bool locks = false;
Result<dentry*> mount_root(file_system_type&, unsigned, std::string_view, std::string_view) {
  ++stand_in::calls;
  if (locks) root->d_sb->s_umount.lock();
  return root;
}

TEST_F(super_ops_test, mount_returns_with_s_umount_held) {
  root = &dir_dentry;
  type.mount = mount_root;
  auto mount = [&](bool with_lock) {
    locks = with_lock;
    EXPECT_EQ(fs_type_ops::mount(type, 0, "none", "").value(), root);
    if (with_lock) sb.s_umount.unlock();
  };
  expect("mount", "6.6-fstype-1", [&] { mount(true); }, [&] { mount(false); });
  type.mount = [](file_system_type&, unsigned, std::string_view,
                  std::string_view) -> Result<dentry*> { return Error(ENODEV); };
  EXPECT_TRUE(
      during([&] { EXPECT_EQ(fs_type_ops::mount(type, 0, "none", "").code(), ENODEV); }).empty())
      << "a mount that fails holds nothing";
  type.mount = nullptr;
  EXPECT_EQ(fs_type_ops::mount(type, 0, "none", "").code(), ENODEV);
}

TEST_F(super_ops_test, kill_sb_releases_s_umount) {
  type.kill_sb = [](super_block& s) {
    ++stand_in::calls;
    if (locks) s.s_umount.unlock();
  };
  auto kill = [&](bool releases) {
    locks = releases;
    sb.s_umount.lock();
    fs_type_ops::kill_sb(sb);
    if (!releases) sb.s_umount.unlock();
  };
  expect("kill_sb", "6.6-fstype-2", [&] { kill(true); }, [&] { kill(false); });
}

}  // namespace
HF_NAMESPACE_END
