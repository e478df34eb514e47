// SPDX-License-Identifier: Apache-2.0
//
// What scripts can't say: record layouts, vectors, descriptors, places, real ids, mounts, the
// doors' forms.
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "holdfast/filesystems.h"
#include "holdfast/syscalls.h"

namespace holdfast {
namespace {

template <class T>
int err(const Result<T>& r) {
  return r.ok() ? 0 : r.error().code();
}

class calls : public testing::Test {
 protected:
  void SetUp() override {
    Status s = register_tmpfs();
    ASSERT_TRUE(s.ok() || s.error() == Error(EBUSY));
    Result<mnt_namespace*> r = create_mnt_namespace("tmpfs", "none", 0, "mode=755");
    ASSERT_TRUE(r.ok());
    ns = *r;
    t = create_task(*ns);
    ASSERT_NE(t, nullptr);
    sys_umask(*t, 0);
  }
  void TearDown() override {
    destroy_task(t);
    put_mnt_ns(ns);
  }
  int open(std::string_view name, int flags, umode_t mode = 0644) {
    Result<int> r = sys_open(*t, at_cwd, name, flags, mode);
    EXPECT_TRUE(r.ok()) << name << " " << err(r);
    return r.ok() ? *r : -1;
  }
  void mkdir(std::string_view name, umode_t mode = 0755) {
    ASSERT_EQ(err(sys_mkdir(*t, at_cwd, name, mode)), 0) << name;
  }
  std::string cwd() {
    char buf[4096];
    Result<size_t> n = sys_getcwd(*t, buf, sizeof buf);
    return n.ok() ? std::string(buf, *n - 1) : "errno " + std::to_string(err(n));
  }
  mnt_namespace* ns = nullptr;
  task* t = nullptr;
};

TEST_F(calls, getdents_records_continue_where_the_last_one_says) {
  mkdir("d");
  std::set<std::string> want{".", ".."};
  for (int i = 0; i < 100; ++i) {
    std::string n = "name" + std::string(static_cast<size_t>(i), 'x') + std::to_string(i);
    if (n.size() > 200) n.resize(200);
    want.insert(n);
    ASSERT_EQ(err(sys_mknod(*t, at_cwd, "d/" + n, S_IFREG | 0600, 0)), 0);
  }
  const int fd = open("d", O_RDONLY | O_DIRECTORY);
  alignas(8) char buf[1024];
  EXPECT_EQ(err(sys_getdents(*t, fd, buf, 10)), EINVAL);
  std::multiset<std::string> got;
  // One record at a time, each time from the offset that the record before gave.
  loff_t pos = 0;
  for (;;) {
    ASSERT_EQ(*sys_lseek(*t, fd, pos, SEEK_SET), pos);
    Result<size_t> n = sys_getdents(*t, fd, buf, sizeof buf);
    ASSERT_TRUE(n.ok());
    if (*n == 0) break;
    const auto* e = reinterpret_cast<const dirent64*>(buf);
    EXPECT_EQ(e->d_reclen % 8, 0);
    EXPECT_LE(e->d_reclen, *n);
    got.insert(e->d_name);
    pos = e->d_off;
  }
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()), want);
  EXPECT_EQ(got.size(), want.size());
  const int f = open("f", O_RDWR | O_CREAT);
  EXPECT_EQ(err(sys_getdents(*t, f, buf, sizeof buf)), ENOTDIR);
  EXPECT_EQ(err(sys_getdents(*t, 99, buf, sizeof buf)), EBADF);
}

TEST_F(calls, a_removed_directory_has_no_entries) {
  mkdir("d");
  const int fd = open("d", O_RDONLY);
  ASSERT_EQ(err(sys_unlink(*t, at_cwd, "d", AT_REMOVEDIR)), 0);
  char buf[256];
  EXPECT_EQ(err(sys_getdents(*t, fd, buf, sizeof buf)), ENOENT);
  EXPECT_EQ(err(sys_mkdir(*t, fd, "x", 0755)), ENOENT);
  EXPECT_EQ(err(sys_open(*t, fd, "x", O_CREAT | O_RDWR, 0644)), ENOENT);
  kstat st;
  EXPECT_EQ(err(sys_stat(*t, fd, "x", 0, st)), ENOENT);
}

TEST_F(calls, vectors) {
  const int fd = open("f", O_RDWR | O_CREAT);
  char a[] = "abc", b[] = "defgh";
  const iovec out[] = {{a, 3}, {nullptr, 0}, {b, 5}};
  EXPECT_EQ(*sys_writev(*t, fd, out, 3), 8u);
  char x[2], y[10];
  const iovec in[] = {{x, 2}, {y, 10}};
  EXPECT_EQ(*sys_preadv(*t, fd, in, 2, 1), 7u);
  EXPECT_EQ(std::string(x, 2) + std::string(y, 5), "bcdefgh");
  EXPECT_EQ(*sys_pwritev(*t, fd, out, 1, 6), 3u);
  EXPECT_EQ(*sys_lseek(*t, fd, 0, SEEK_CUR), 8);
  EXPECT_EQ(*sys_readv(*t, fd, in, 2), 1u);
  EXPECT_EQ(x[0], 'c');
  EXPECT_EQ(*sys_readv(*t, fd, in, 0), 0u);
  EXPECT_EQ(err(sys_readv(*t, fd, in, -1)), EINVAL);
  std::vector<iovec> many(1025, iovec{x, 0});
  EXPECT_EQ(err(sys_readv(*t, fd, many.data(), 1025)), EINVAL);
  EXPECT_EQ(*sys_readv(*t, fd, many.data(), 1024), 0u);
  const iovec negative[] = {{x, static_cast<size_t>(-1)}};
  EXPECT_EQ(err(sys_readv(*t, fd, negative, 1)), EINVAL);
  EXPECT_EQ(err(sys_preadv(*t, fd, in, 2, -1)), EINVAL);
  EXPECT_EQ(err(sys_readv(*t, 99, in, 2)), EBADF);
}

TEST_F(calls, descriptors) {
  const int fd = open("f", O_RDWR | O_CREAT);
  Result<int> high = sys_dup(*t, fd, 20, true);
  ASSERT_TRUE(high.ok());
  EXPECT_EQ(*high, 20);
  EXPECT_EQ(err(sys_dup(*t, fd, -1, false)), EINVAL);
  EXPECT_EQ(err(sys_dup(*t, 99, 0, false)), EBADF);
  EXPECT_EQ(*sys_dup2(*t, fd, 30, false), 30);
  EXPECT_EQ(*sys_dup2(*t, fd, 20, false), 20);
  EXPECT_EQ(*sys_dup2(*t, fd, fd, false), fd);
  EXPECT_EQ(err(sys_dup2(*t, fd, fd, true)), EINVAL);
  EXPECT_EQ(err(sys_dup2(*t, 99, 99, false)), EBADF);
  EXPECT_EQ(err(sys_dup2(*t, fd, -1, false)), EBADF);
  EXPECT_EQ(*sys_write(*t, fd, "abc", 3), 3u);
  EXPECT_EQ(*sys_lseek(*t, 30, 0, SEEK_CUR), 3);
  EXPECT_EQ(err(sys_close(*t, 30)), 0);
  EXPECT_EQ(err(sys_close(*t, 30)), EBADF);
  EXPECT_EQ(*sys_pread(*t, 20, std::vector<char>(8).data(), 8, 0), 3u);
}

TEST_F(calls, places) {
  mkdir("a");
  mkdir("a/b");
  EXPECT_EQ(cwd(), "/");
  ASSERT_EQ(err(sys_chdir(*t, "a/b")), 0);
  EXPECT_EQ(cwd(), "/a/b");
  char small[4];
  EXPECT_EQ(err(sys_getcwd(*t, small, sizeof small)), ERANGE);
  ASSERT_EQ(err(sys_rename(*t, at_cwd, "/a", at_cwd, "/c", 0)), 0);
  EXPECT_EQ(cwd(), "/c/b");
  const int fd = open("/c", O_RDONLY);
  ASSERT_EQ(err(sys_fchdir(*t, fd)), 0);
  EXPECT_EQ(cwd(), "/c");
  EXPECT_EQ(err(sys_chdir(*t, "no")), ENOENT);
  const int f = open("f", O_RDWR | O_CREAT);
  EXPECT_EQ(err(sys_chdir(*t, "f")), ENOTDIR);
  EXPECT_EQ(err(sys_fchdir(*t, f)), ENOTDIR);
  EXPECT_EQ(err(sys_fchdir(*t, 99)), EBADF);
  ASSERT_EQ(err(sys_chdir(*t, "b")), 0);
  ASSERT_EQ(err(sys_chroot(*t, "/c")), 0);
  EXPECT_EQ(cwd(), "/b");
  kstat st;
  EXPECT_EQ(err(sys_stat(*t, at_cwd, "/../../f", 0, st)), 0);
  ASSERT_EQ(err(sys_unlink(*t, at_cwd, "/b", AT_REMOVEDIR)), 0);
  EXPECT_EQ(cwd(), "errno " + std::to_string(ENOENT));
  EXPECT_EQ(err(sys_stat(*t, at_cwd, "x", 0, st)), ENOENT);
  EXPECT_EQ(err(sys_stat(*t, at_cwd, "..", 0, st)), 0);
}

TEST_F(calls, the_path_of_what_is_gone_says_so) {
  mkdir("d");
  Result<path_ref> p = user_path_at(*t, at_cwd, "d");
  ASSERT_TRUE(p.ok());
  char buf[64];
  EXPECT_EQ(*d_path(*t, **p, buf, sizeof buf), "/d");
  EXPECT_EQ(err(d_path(*t, **p, buf, 2)), ENAMETOOLONG);
  ASSERT_EQ(err(sys_unlink(*t, at_cwd, "d", AT_REMOVEDIR)), 0);
  EXPECT_EQ(*d_path(*t, **p, buf, sizeof buf), "/d (deleted)");
}

TEST_F(calls, access_asks_for_the_real_ids) {
  mkdir("d", 0700);
  ASSERT_EQ(err(sys_mknod(*t, at_cwd, "d/f", S_IFREG | 0666, 0)), 0);
  ASSERT_EQ(err(sys_chdir(*t, "d")), 0);
  cred* c = create_cred(0, 0, {});
  ASSERT_NE(c, nullptr);
  c->uid = 1000;  // a set-uid program of root's
  c->gid = 1000;
  set_task_cred(*t, c);
  EXPECT_EQ(err(sys_access(*t, at_cwd, "/d/f", 4, 0)), EACCES);
  EXPECT_EQ(err(sys_access(*t, at_cwd, "/d/f", 4, AT_EACCESS)), 0);
  EXPECT_EQ(err(sys_access(*t, at_cwd, "f", 4, 0)), EACCES)
      << "the walk starts in a directory closed to uid 1000";
  EXPECT_EQ(err(sys_access(*t, 99, "f", 4, 0)), EBADF);
  EXPECT_EQ(err(sys_access(*t, 99, "/", 0, 0)), 0) << "an absolute path needs no descriptor";
}

TEST_F(calls, mounts) {
  mkdir("m");
  mkdir("m/under");
  EXPECT_EQ(err(sys_mount(*t, "none", "no", "tmpfs", 0, "")), ENOENT);
  EXPECT_EQ(err(sys_mount(*t, "none", "m", "nofs", 0, "")), ENODEV);
  EXPECT_EQ(err(sys_mount(*t, "none", "m", "", 0, "")), EINVAL);
  EXPECT_EQ(err(sys_mount(*t, "none", "m", "tmpfs", MS_BIND, "")), EINVAL);
  EXPECT_EQ(err(sys_umount(*t, "m", 0)), EINVAL);
  EXPECT_EQ(err(sys_umount(*t, "m", 0x400)), EINVAL);
  ASSERT_EQ(err(sys_mount(*t, "none", "m", "tmpfs", 0, "")), 0);
  kstat st;
  EXPECT_EQ(err(sys_stat(*t, at_cwd, "m/under", 0, st)), ENOENT);
  mkdir("m/inside");
  EXPECT_EQ(err(sys_unlink(*t, at_cwd, "m", AT_REMOVEDIR)), EBUSY);
  EXPECT_EQ(err(sys_rename(*t, at_cwd, "m", at_cwd, "n", 0)), EBUSY);
  EXPECT_EQ(err(sys_rename(*t, at_cwd, "m/inside", at_cwd, "x", 0)), EXDEV);
  ASSERT_EQ(err(sys_mknod(*t, at_cwd, "f", S_IFREG | 0600, 0)), 0);
  EXPECT_EQ(err(sys_link(*t, at_cwd, "f", at_cwd, "m/f", 0)), EXDEV);
  ASSERT_EQ(err(sys_chdir(*t, "m/inside")), 0);
  EXPECT_EQ(cwd(), "/m/inside");
  EXPECT_EQ(err(sys_umount(*t, "/m", 0)), EBUSY);
  ASSERT_EQ(err(sys_chdir(*t, "../..")), 0);
  EXPECT_EQ(cwd(), "/");
  ASSERT_EQ(err(sys_mount(*t, "none", "m", "", MS_REMOUNT | MS_RDONLY, "")), 0);
  EXPECT_EQ(err(sys_mkdir(*t, at_cwd, "m/x", 0755)), EROFS);
  EXPECT_EQ(err(sys_mkdir(*t, at_cwd, "m/inside", 0755)), EEXIST)
      << "what exists counts before what is read-only";
  EXPECT_EQ(err(sys_chmod(*t, at_cwd, "m/inside", 0700, 0)), EROFS);
  EXPECT_EQ(err(sys_access(*t, at_cwd, "m/inside", 2, 0)), EROFS);
  EXPECT_EQ(err(sys_open(*t, at_cwd, "m/x", O_CREAT | O_RDWR, 0644)), EROFS);
  EXPECT_EQ(err(sys_open(*t, at_cwd, "m/x", O_RDWR)), ENOENT);
  ASSERT_EQ(err(sys_umount(*t, "m", 0)), 0);
  EXPECT_EQ(err(sys_stat(*t, at_cwd, "m/under", 0, st)), 0);
  set_task_cred(*t, create_cred(1000, 1000, {}));
  EXPECT_EQ(err(sys_mount(*t, "none", "m", "tmpfs", 0, "")), EPERM);
  EXPECT_EQ(err(sys_umount(*t, "m", 0)), EPERM);
  EXPECT_EQ(err(sys_chroot(*t, "m")), EPERM);
}

TEST_F(calls, a_doors_setattr_applies_everything_at_once) {
  const int fd = open("f", O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(*sys_write(*t, fd, "hello", 5), 5u);
  Result<path_ref> p = user_path_at(*t, at_cwd, "f");
  ASSERT_TRUE(p.ok());
  iattr a;
  a.ia_valid = attr_mode | attr_uid | attr_gid | attr_size | attr_mtime | attr_mtime_set;
  a.ia_mode = 06755;
  a.ia_uid = 5;
  a.ia_gid = 6;
  a.ia_size = 2;
  a.ia_mtime = {77, 0};
  ASSERT_EQ(err(sys_setattr(*t, **p, a, nullptr)), 0);
  kstat st;
  ASSERT_EQ(err(vfs_getattr_path(*t, **p, st)), 0);
  EXPECT_EQ(st.mode, S_IFREG | 0755u) << "a change of owner leaves no set-id bits";
  EXPECT_EQ(st.uid, 5u);
  EXPECT_EQ(st.gid, 6u);
  EXPECT_EQ(st.size, 2);
  EXPECT_EQ(st.mtime.tv_sec, 77);
  set_task_cred(*t, create_cred(1000, 1000, {}));
  iattr size;
  size.ia_valid = attr_size;
  EXPECT_EQ(err(sys_setattr(*t, **p, size, nullptr)), EACCES);
  iattr now;
  now.ia_valid = attr_atime | attr_mtime;
  EXPECT_EQ(err(sys_setattr(*t, **p, now, nullptr)), EACCES);
  iattr then;
  then.ia_valid = attr_mtime | attr_mtime_set;
  EXPECT_EQ(err(sys_setattr(*t, **p, then, nullptr)), EPERM);
  // Truncation that makes set-id bits go lets nothing else through.
  set_task_cred(*t, create_cred(0, 0, {}));
  ASSERT_EQ(err(sys_chmod(*t, at_cwd, "f", 06777, 0)), 0);
  set_task_cred(*t, create_cred(1000, 1000, {}));
  iattr sly;
  sly.ia_valid = attr_size | attr_mtime | attr_mtime_set;
  EXPECT_EQ(err(sys_setattr(*t, **p, sly, nullptr)), EPERM);
  EXPECT_EQ(err(sys_setattr(*t, **p, size, nullptr)), 0);
  ASSERT_EQ(err(vfs_getattr_path(*t, **p, st)), 0);
  EXPECT_EQ(st.mode, S_IFREG | 0777u);
  iattr mode;
  mode.ia_valid = attr_mode;
  mode.ia_mode = 0777;
  EXPECT_EQ(err(sys_setattr(*t, **p, mode, nullptr)), EPERM);
}

TEST_F(calls, doors_work_on_files_and_paths) {
  mkdir("d");
  Result<path_ref> d = user_path_at(*t, at_cwd, "d");
  ASSERT_TRUE(d.ok());
  Result<file*> f = file_open(*t, **d, "f", O_RDWR | O_CREAT, 0644);
  ASSERT_TRUE(f.ok());
  char text[] = "hello", buf[8] = {};
  iov_iter out(text, 5), in(buf, sizeof buf);
  EXPECT_EQ(*vfs_write(*t, **f, out, 3), 5u);
  EXPECT_EQ(*vfs_read(*t, **f, in, 3), 5u);
  EXPECT_STREQ(buf, "hello");
  EXPECT_EQ(err(vfs_fsync(*t, **f, 0, max_lfs_filesize, false)), 0);
  EXPECT_EQ(err(file_close(*t, *f)), 0);
  EXPECT_TRUE(lookup_one(*t, **d, "f").ok());
  EXPECT_EQ(err(lookup_one(*t, **d, "no")), ENOENT);
  EXPECT_EQ(err(lookup_one(*t, **d, "a/b")), EINVAL);
  EXPECT_TRUE(lookup_one(*t, **d, "..").ok());
  Result<path_ref> file_path = lookup_one(*t, **d, "f");
  EXPECT_EQ(err(sys_link(*t, **file_path, "", **d, "g", AT_EMPTY_PATH)), 0);
  kstat st;
  EXPECT_EQ(err(sys_stat(*t, **file_path, "", AT_EMPTY_PATH, st)), 0);
  EXPECT_EQ(st.nlink, 2u);
}

TEST_F(calls, a_door_reads_a_directory_from_where_it_says) {
  mkdir("d");
  for (const char* n : {"d/a", "d/b", "d/c"})
    ASSERT_EQ(err(sys_mknod(*t, at_cwd, n, S_IFREG | 0600, 0)), 0);
  Result<file*> dir = file_open(*t, at_cwd, "d", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(dir.ok());
  struct one : dir_context {
    std::vector<std::pair<std::string, loff_t>> seen;
    size_t limit = 100;
  };
  auto take = [](dir_context& c, std::string_view name, loff_t off, uint64_t, unsigned) {
    auto& o = static_cast<one&>(c);
    if (o.seen.size() == o.limit) return false;
    o.seen.emplace_back(name, off);
    return true;
  };
  one all;
  all.actor = take;
  ASSERT_EQ(err(vfs_iterate_dir(*t, **dir, all)), 0);
  ASSERT_EQ(all.seen.size(), 5u);
  one rest;
  rest.actor = take;
  rest.pos = all.seen[3].second;
  ASSERT_EQ(err(vfs_iterate_dir(*t, **dir, rest)), 0);
  ASSERT_EQ(rest.seen.size(), 2u);
  EXPECT_EQ(rest.seen[0].first, all.seen[3].first);
  one part;
  part.actor = take;
  part.limit = 2;
  ASSERT_EQ(err(vfs_iterate_dir(*t, **dir, part)), 0);
  one next;
  next.actor = take;
  next.pos = part.pos;
  ASSERT_EQ(err(vfs_iterate_dir(*t, **dir, next)), 0);
  EXPECT_EQ(next.seen.size(), 3u);
  EXPECT_EQ(err(file_close(*t, *dir)), 0);
}

TEST_F(calls, statfs_knows_size_and_flags) {
  kstatfs st;
  ASSERT_EQ(err(sys_statfs(*t, at_cwd, "/", st)), 0);
  EXPECT_EQ(st.f_type, 0x01021994);
  EXPECT_EQ(st.f_namelen, 255);
  EXPECT_GT(st.f_bsize, 0);
  EXPECT_EQ(st.f_frsize, st.f_bsize);
  EXPECT_TRUE(st.f_flags & 0x20);
  EXPECT_EQ(err(sys_statfs(*t, at_cwd, "/no", st)), ENOENT);
  EXPECT_EQ(err(sys_fstatfs(*t, 99, st)), EBADF);
}

TEST_F(calls, names_have_no_nul) {
  kstat st;
  EXPECT_EQ(err(sys_stat(*t, at_cwd, std::string_view("a\0b", 3), 0, st)), EINVAL);
  EXPECT_EQ(err(sys_mkdir(*t, at_cwd, std::string_view("a\0b", 3), 0755)), EINVAL);
  EXPECT_EQ(err(sys_symlink(*t, std::string_view("a\0b", 3), at_cwd, "l")), EINVAL);
}

}  // namespace
}  // namespace holdfast
