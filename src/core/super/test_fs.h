// SPDX-License-Identifier: Apache-2.0
//
// The smallest file system that the tests of the core's objects need: a root directory, inodes by
// number, counters of what was called. Its type and counters are per test binary; tests run one
// after another.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>

#include "core/super/super_internal.h"
#include "holdfast/libfs.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

namespace test_fs {

inline std::atomic<int> evicted{0}, put_supers{0}, syncs{0}, freezes{0}, thaws{0}, begins{0};
inline std::atomic<bool> keep_inodes{true};  // hashed ones
inline std::atomic<int> freeze_error{0}, fill_error{0};

inline void evict_inode(inode& i) {
  truncate_inode_pages_final(i.i_data);
  clear_inode(i);
  ++evicted;
}
inline bool drop_inode(inode& i) {
  return i.i_nlink == 0 || !(i.i_state & i_hashed) || !keep_inodes;
}
inline void put_super(super_block&) {
  ++put_supers;
}
inline Status sync_fs(super_block&, bool) {
  ++syncs;
  return {};
}
inline Status freeze_fs(super_block&) {
  ++freezes;
  if (freeze_error != 0) return Error(freeze_error);
  return {};
}
inline Status unfreeze_fs(super_block&) {
  ++thaws;
  return {};
}
inline void umount_begin(super_block&) {
  ++begins;
}

inline constexpr super_operations sops = {.drop_inode = drop_inode,
                                          .evict_inode = evict_inode,
                                          .put_super = put_super,
                                          .sync_fs = sync_fs,
                                          .freeze_fs = freeze_fs,
                                          .unfreeze_fs = unfreeze_fs,
                                          .umount_begin = umount_begin};

inline Result<dentry*> lookup(inode&, dentry& d, unsigned) {
  d_add(d, nullptr);
  return nullptr;
}
inline constexpr inode_operations dir_iops = {.lookup = lookup};

inline Status fill(super_block& sb, std::string_view, std::string_view) {
  if (fill_error != 0) return Error(fill_error);
  sb.s_op = &sops;
  inode* root = new_inode(sb);
  if (root == nullptr) return Error(ENOMEM);
  root->i_ino = 1;
  root->i_mode = S_IFDIR | 0755;
  root->i_op = &dir_iops;
  sb.s_root = d_make_root(root);
  if (sb.s_root == nullptr) return Error(ENOMEM);
  return {};
}
inline Result<dentry*> mount(file_system_type& t, unsigned flags, std::string_view source,
                             std::string_view data) {
  return mount_nodev(t, flags, source, data, fill);
}
inline Result<dentry*> mount_one(file_system_type& t, unsigned flags, std::string_view source,
                                 std::string_view data) {
  return mount_single(t, flags, source, data, fill);
}
inline file_system_type type = {.name = "test_fs", .mount = mount, .kill_sb = kill_anon_super};
inline file_system_type single = {
    .name = "test_single", .mount = mount_one, .kill_sb = kill_anon_super};

// Registered for the life of a test; leaves nothing behind, and says so.
class fixture : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(register_filesystem(type).ok());
    ASSERT_TRUE(register_filesystem(single).ok());
    evicted = put_supers = syncs = freezes = thaws = begins = 0;
    keep_inodes = true;
    freeze_error = fill_error = 0;
    settle();
    inodes_before_ = nr_inodes();
  }
  void TearDown() override {
    ASSERT_TRUE(unregister_filesystem(type).ok());
    ASSERT_TRUE(unregister_filesystem(single).ok());
    settle();
    EXPECT_EQ(nr_inodes(), inodes_before_);
    assert_no_locks_held("end of test");
  }
  static void settle() {
    flush_deferred_work();
    rcu_barrier();
  }

 private:
  size_t inodes_before_ = 0;
};

// A mounted superblock without a mount.
class live_super {
 public:
  explicit live_super(file_system_type& t = type, unsigned flags = 0) {
    Result<dentry*> root = vfs_get_tree(t, flags, "none", "");
    if (root.ok()) root_ = *root;
  }
  ~live_super() {
    if (root_ == nullptr) return;
    super_block& s = sb();
    dput(root_);
    deactivate_super(s);
  }
  live_super(const live_super&) = delete;
  live_super& operator=(const live_super&) = delete;
  super_block& sb() { return *root_->d_sb; }
  dentry* root() { return root_; }

 private:
  dentry* root_ = nullptr;
};

}  // namespace test_fs

HF_NAMESPACE_END
