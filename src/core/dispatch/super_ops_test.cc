// SPDX-License-Identifier: Apache-2.0
//
// super_operations and file_system_type: each rule once kept and once broken.
#include "core/dispatch/super_ops.h"

#include "core/dispatch/fs_type_ops.h"
#include "core/dispatch/stand_ins.h"
#include "core/mount/mount.h"

HF_NAMESPACE_BEGIN
namespace {

class super_ops_test : public dispatch_test {
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
  expect("statfs", "6.6-super-3", statfs, [&] {
    shared hold(sb.s_umount);
    statfs();
  });
}

TEST_F(super_ops_test, drop_inode_holds_i_lock_and_never_blocks) {
  expect(
      "drop_inode", "note",
      [&] {
        exclusive hold(regular.i_lock);
        super_ops::drop_inode(regular);
      },
      [&] { super_ops::drop_inode(regular); });
  expect_never_blocks("drop_inode", [&] {
    exclusive hold(regular.i_lock);
    super_ops::drop_inode(regular);
  });
}

TEST_F(super_ops_test, free_inode_never_blocks) {
  struct as_callback {
    as_callback() { detail::this_thread.in_rcu_callback = true; }
    ~as_callback() { detail::this_thread.in_rcu_callback = false; }
  } here;
  expect_never_blocks("free_inode", [&] { super_ops::free_inode(regular); });
  expect_never_blocks("free_inode",
                      [&] { super_ops::free_inode_with(&stand_in::super_table::full, regular); });
}

TEST_F(super_ops_test, show_options_holds_the_mount_tree) {
  seq_file m;
  auto show = [&] { EXPECT_TRUE(super_ops::show_options(m, dir_dentry).ok()); };
  expect(
      "show_options", "note",
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
