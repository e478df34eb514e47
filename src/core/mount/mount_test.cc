// SPDX-License-Identifier: Apache-2.0
#include "core/mount/mount.h"

#include <sys/mount.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/super/test_fs.h"

HF_NAMESPACE_BEGIN
namespace {

// A namespace with a test_fs as root, and a directory /d in it.
class mount_test : public test_fs::fixture {
 protected:
  void SetUp() override {
    fixture::SetUp();
    Result<mnt_namespace*> ns = create_mnt_namespace("test_fs", "rootdev", 0, "");
    ASSERT_TRUE(ns.ok());
    ns_ = *ns;
    t_ = create_task(*ns_);
    ASSERT_NE(t_, nullptr);
    this_context().task = t_;
    root_ = mnt_ns_root(*ns_);
    dir_ = {root_.mnt, make_dir(root_, "d")};
  }
  void TearDown() override {
    dput(dir_.dent);
    this_context().task = nullptr;
    destroy_task(t_);
    put_mnt_ns(ns_);
    fixture::TearDown();
  }
  // A directory in the cache alone; the reference is the caller's.
  static dentry* make_dir(const path& parent, std::string_view name) {
    dentry* d = d_alloc(*parent.dent, name);
    inode* i = new_inode(*parent.mnt->mnt_sb);
    i->i_mode = S_IFDIR | 0755;
    i->i_op = &test_fs::dir_iops;
    d_add(*d, i);
    return d;
  }
  // Mounts on `where` and returns the new mount's root, referenced.
  path_ref mount_on(const path& where, std::string_view type = "test_fs") {
    EXPECT_EQ(do_new_mount(where, type, 0, 0, "dev", "").code(), 0);
    vfsmount* m = lookup_mnt(where);
    if (m == nullptr) return {};
    return path_ref::adopt({m, dget(m->mnt_root)});
  }
  std::string list() {
    std::string all;
    for_each_mount(
        *ns_,
        [](const mount_info& m, void* arg) {
          *static_cast<std::string*>(arg) +=
              std::string(m.source) + " on " + m.mountpoint + " (" + m.options + ")\n";
        },
        &all);
    return all;
  }

  mnt_namespace* ns_ = nullptr;
  task* t_ = nullptr;
  path root_, dir_;
};

TEST_F(mount_test, mount_and_umount) {
  EXPECT_FALSE(is_mounted_on(*dir_.dent));
  EXPECT_EQ(lookup_mnt(dir_), nullptr);
  path_ref m = mount_on(dir_);
  ASSERT_TRUE(m);
  EXPECT_TRUE(dir_.dent->d_flags & dcache_mounted);
  EXPECT_TRUE(is_mounted_on(*dir_.dent));
  EXPECT_FALSE(is_mounted_on(*root_.dent));
  EXPECT_EQ(list(), "rootdev on / (rw,relatime)\ndev on /d (rw)\n");
  path up = path_ref::share(*m).release();
  EXPECT_TRUE(follow_up(up));
  EXPECT_EQ(up, dir_);
  EXPECT_FALSE(follow_up(up));  // the root is mounted on nothing
  path_put(up);
  EXPECT_EQ(do_umount(*m, 0).code(), 0);
  EXPECT_FALSE(dir_.dent->d_flags & dcache_mounted);
  EXPECT_EQ(lookup_mnt(dir_), nullptr);
  EXPECT_EQ(test_fs::put_supers, 0);  // m is still held here
  m.reset();
  EXPECT_EQ(test_fs::put_supers, 1);
  EXPECT_EQ(list(), "rootdev on / (rw,relatime)\n");
}

TEST_F(mount_test, refusals) {
  EXPECT_EQ(do_new_mount(dir_, "nothing", 0, 0, "", "").code(), ENODEV);
  test_fs::fill_error = EIO;
  EXPECT_EQ(do_new_mount(dir_, "test_fs", 0, 0, "", "").code(), EIO);
  test_fs::fill_error = 0;
  EXPECT_EQ(do_umount(dir_, 0).code(), EINVAL);  // not the root of a mount
  EXPECT_EQ(do_remount(dir_, 0, 0, "").code(), EINVAL);
  {
    exclusive_guard g(dir_.dent->d_lockref);
    dir_.dent->d_flags |= dcache_cant_mount;
  }
  EXPECT_EQ(do_new_mount(dir_, "test_fs", 0, 0, "", "").code(), ENOENT);
  {
    exclusive_guard g(dir_.dent->d_lockref);
    dir_.dent->d_flags &= ~dcache_cant_mount;
  }
  EXPECT_EQ(do_new_mount(dir_, "test_single", 0, 0, "", "").code(), 0);
  EXPECT_EQ(do_new_mount(dir_, "test_single", 0, 0, "", "").code(), EBUSY);  // the same again
}

TEST_F(mount_test, stacked_on_one_place) {
  path_ref low = mount_on(dir_);
  EXPECT_EQ(do_new_mount(dir_, "test_fs", 0, 0, "top", "").code(), 0);
  vfsmount* top = lookup_mnt(*low);
  ASSERT_NE(top, nullptr);
  EXPECT_STREQ(real_mount(*top).devname, "top");
  EXPECT_EQ(do_umount(*low, 0).code(), EBUSY);  // it has a child
  EXPECT_EQ(do_umount({top, top->mnt_root}, 0).code(), 0);
  mntput(top);
  EXPECT_EQ(do_umount(*low, 0).code(), 0);
}

TEST_F(mount_test, busy_and_lazy) {
  path_ref m = mount_on(dir_);
  path_ref user = path_ref::share(*m);
  EXPECT_EQ(do_umount(*m, 0).code(), EBUSY);
  EXPECT_TRUE(is_mounted_on(*dir_.dent));
  EXPECT_EQ(do_umount(*m, MNT_FORCE).code(), EBUSY);
  EXPECT_EQ(test_fs::begins, 1);
  EXPECT_EQ(do_umount(*m, MNT_DETACH).code(), 0);
  EXPECT_FALSE(is_mounted_on(*dir_.dent));
  EXPECT_EQ(do_umount(*m, 0).code(), EINVAL);
  m.reset();
  EXPECT_EQ(test_fs::put_supers, 0);
  EXPECT_TRUE(user->dent->is_dir());
  user.reset();
  EXPECT_EQ(test_fs::put_supers, 1);
}

TEST_F(mount_test, lazy_takes_the_subtree) {
  path_ref m = mount_on(dir_);
  path below = {m->mnt, make_dir(*m, "sub")};
  path_ref n = mount_on(below);
  dput(below.dent);
  EXPECT_EQ(list(), "rootdev on / (rw,relatime)\ndev on /d (rw)\ndev on /d/sub (rw)\n");
  EXPECT_EQ(do_umount(*m, MNT_DETACH).code(), 0);
  EXPECT_EQ(list(), "rootdev on / (rw,relatime)\n");
  m.reset();
  EXPECT_EQ(test_fs::put_supers, 1);
  n.reset();
  EXPECT_EQ(test_fs::put_supers, 2);
}

TEST_F(mount_test, expire_wants_two_idle_calls) {
  path_ref m = mount_on(dir_);
  EXPECT_EQ(do_umount(*m, MNT_EXPIRE | MNT_DETACH).code(), EINVAL);
  EXPECT_EQ(do_umount(root_, MNT_EXPIRE).code(), EINVAL);
  EXPECT_EQ(do_umount(*m, MNT_EXPIRE).code(), EAGAIN);
  mntput(mntget(m->mnt));  // used in between
  EXPECT_EQ(do_umount(*m, MNT_EXPIRE).code(), EAGAIN);
  mntget(m->mnt);
  EXPECT_EQ(do_umount(*m, MNT_EXPIRE).code(), EBUSY);
  mntput(m->mnt);
  EXPECT_EQ(do_umount(*m, MNT_EXPIRE).code(), EAGAIN);
  EXPECT_EQ(do_umount(*m, MNT_EXPIRE).code(), 0);
}

TEST_F(mount_test, writers_against_read_only) {
  path_ref m = mount_on(dir_);
  ASSERT_TRUE(mnt_want_write(*m->mnt).ok());
  EXPECT_EQ(do_remount(*m, sb_rdonly, 0, "").code(), EBUSY);
  EXPECT_EQ(do_reconfigure_mnt(*m, mnt_readonly).code(), EBUSY);
  EXPECT_FALSE(mnt_is_readonly(*m->mnt));
  mnt_drop_write(*m->mnt);
  // The mount alone ...
  ASSERT_TRUE(do_reconfigure_mnt(*m, mnt_readonly | mnt_noexec).ok());
  EXPECT_EQ(mnt_want_write(*m->mnt).code(), EROFS);
  EXPECT_FALSE(m->mnt->mnt_sb->rdonly());
  EXPECT_EQ(m->mnt->mnt_flags, mnt_readonly | mnt_noexec);
  ASSERT_TRUE(do_reconfigure_mnt(*m, 0).ok());
  // ... or the whole superblock.
  ASSERT_TRUE(do_remount(*m, sb_rdonly, 0, "").ok());
  EXPECT_TRUE(m->mnt->mnt_sb->rdonly());
  EXPECT_EQ(mnt_want_write(*m->mnt).code(), EROFS);
  ASSERT_TRUE(do_remount(*m, 0, 0, "").ok());
  ASSERT_TRUE(mnt_want_write(*m->mnt).ok());
  mnt_drop_write(*m->mnt);
}

// Whenever the remount succeeds nobody is writing, and nobody begins to.
TEST_F(mount_test, remount_against_writers) {
  path_ref m = mount_on(dir_);
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  std::atomic<uint64_t> writes{0};
  std::vector<std::thread> writers;
  for (int n = 0; n < 2; ++n)
    writers.emplace_back([&] {
      while (!stop) {
        if (!mnt_want_write(*m->mnt).ok()) continue;
        ++inside;
        ++writes;
        --inside;
        mnt_drop_write(*m->mnt);
      }
    });
  int read_only = 0;
  for (int n = 0; n < 2000 || read_only == 0; ++n) {
    if (!do_reconfigure_mnt(*m, mnt_readonly).ok()) continue;
    ++read_only;
    EXPECT_EQ(inside, 0);
    const uint64_t before = writes;
    std::this_thread::yield();
    EXPECT_EQ(writes, before);
    EXPECT_TRUE(do_reconfigure_mnt(*m, 0).ok());
  }
  stop = true;
  for (auto& t : writers) t.join();
  EXPECT_GT(read_only, 0);
}

// Lookups legitimize while the mount comes and goes; in the end every reference is back.
TEST_F(mount_test, lookup_against_umount) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int n = 0; n < 2; ++n)
    readers.emplace_back([&] {
      while (!stop)
        if (vfsmount* m = lookup_mnt(dir_)) {
          EXPECT_NE(m->mnt_root, nullptr);
          mntput(m);
        }
    });
  for (int n = 0; n < 60; ++n) {
    path_ref m = mount_on(dir_);
    int code = do_umount(*m, n % 2 ? MNT_DETACH : 0).code();
    if (code == EBUSY) code = do_umount(*m, MNT_DETACH).code();
    EXPECT_EQ(code, 0);
  }
  stop = true;
  for (auto& t : readers) t.join();
  settle();
  EXPECT_EQ(test_fs::put_supers, 60);
}

TEST_F(mount_test, umount_of_the_root_makes_it_read_only) {
  EXPECT_EQ(do_umount(root_, 0).code(), 0);
  EXPECT_TRUE(root_.mnt->mnt_sb->rdonly());
  EXPECT_EQ(list(), "rootdev on / (ro,relatime)\n");
}

TEST_F(mount_test, namespace_takes_its_mounts_along) {
  path_ref m = mount_on(dir_);
  m.reset();
  Result<mnt_namespace*> other = create_mnt_namespace("test_fs", "x", 0, "");
  ASSERT_TRUE(other.ok());
  path_ref foreign = path_ref::share(mnt_ns_root(**other));
  EXPECT_EQ(do_umount(*foreign, MNT_DETACH).code(), EINVAL);  // not in the task's namespace
  EXPECT_EQ(do_new_mount(*foreign, "test_fs", 0, 0, "", "").code(), EINVAL);
  foreign.reset();
  const int before = test_fs::put_supers;
  put_mnt_ns(*other);
  EXPECT_EQ(test_fs::put_supers, before + 1);
  EXPECT_EQ(create_mnt_namespace("nothing", "", 0, "").code(), ENODEV);
}

}  // namespace
HF_NAMESPACE_END
