// SPDX-License-Identifier: Apache-2.0
//
// Files through the kernel: data, names, links, attributes.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "app/process.h"
#include "mounted.h"

namespace holdfast::fuse_test {
namespace {

using app::unique_fd;

class fuse_files : public mounted {
 protected:
  void SetUp() override {
    mounted::SetUp();
    if (!IsSkipped()) mount();
  }
};

struct stat stat_of(const std::string& path) {
  struct stat st{};
  EXPECT_EQ(lstat(path.c_str(), &st), 0) << path << ": " << strerror(errno);
  return st;
}

// An errno, or 0.
int code(int result) {
  return result == 0 ? 0 : errno;
}

TEST_F(fuse_files, what_was_written_is_read) {
  std::string data(300000, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 251);
  write_file(at("a"), data);
  EXPECT_EQ(read_file(at("a")), data);
  EXPECT_EQ(stat_of(at("a")).st_size, 300000);
  // And by the server's own copy, not the kernel's.
  unique_fd fd(open(at("a").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd);
  ASSERT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  EXPECT_EQ(read_file(at("a")), data);
}

TEST_F(fuse_files, a_hole_reads_as_zeros_and_takes_no_space) {
  unique_fd fd(open(at("h").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_TRUE(fd);
  ASSERT_EQ(pwrite(fd.get(), "x", 1, 1 << 20), 1);
  char buf[16] = "garbage";
  ASSERT_EQ(pread(fd.get(), buf, sizeof buf, 4096), 16);
  EXPECT_EQ(std::string(buf, 16), std::string(16, '\0'));
  EXPECT_LT(stat_of(at("h")).st_blocks, 2048);
  EXPECT_EQ(lseek(fd.get(), 0, SEEK_DATA), 1 << 20);
}

TEST_F(fuse_files, append_goes_to_the_end_whoever_else_writes) {
  constexpr int writers = 4;
  constexpr int each = 200;
  std::vector<std::thread> all;
  for (int w = 0; w < writers; ++w) {
    all.emplace_back([this] {
      unique_fd fd(open(at("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
      for (int i = 0; i < each; ++i) EXPECT_EQ(write(fd.get(), "line\n", 5), 5);
    });
  }
  for (std::thread& t : all) t.join();
  std::string data = read_file(at("log"));
  EXPECT_EQ(data.size(), static_cast<size_t>(writers * each * 5));
  for (size_t i = 0; i < data.size(); i += 5) ASSERT_EQ(data.substr(i, 5), "line\n") << i;
}

TEST_F(fuse_files, truncation_by_open_and_by_size) {
  write_file(at("t"), "0123456789");
  ASSERT_EQ(truncate(at("t").c_str(), 4), 0);
  EXPECT_EQ(read_file(at("t")), "0123");
  ASSERT_EQ(truncate(at("t").c_str(), 6), 0);
  EXPECT_EQ(read_file(at("t")), std::string("0123\0\0", 6));
  unique_fd fd(open(at("t").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  EXPECT_EQ(stat_of(at("t")).st_size, 0);
}

TEST_F(fuse_files, a_mapping_sees_data_and_stores_reach_the_file) {
  write_file(at("m"), std::string(8192, 'a'));
  {
    unique_fd fd(open(at("m").c_str(), O_RDWR | O_CLOEXEC));
    void* p = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    ASSERT_NE(p, MAP_FAILED) << strerror(errno);
    auto* c = static_cast<char*>(p);
    EXPECT_EQ(c[8191], 'a');
    c[4096] = 'b';
    EXPECT_EQ(msync(p, 8192, MS_SYNC), 0);
    munmap(p, 8192);
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  EXPECT_EQ(read_file(at("m"))[4096], 'b');
}

TEST_F(fuse_files, hard_links_are_one_file) {
  write_file(at("one"), "1");
  ASSERT_EQ(link(at("one").c_str(), at("two").c_str()), 0);
  EXPECT_EQ(stat_of(at("one")).st_ino, stat_of(at("two")).st_ino);
  EXPECT_EQ(stat_of(at("one")).st_nlink, 2U);
  ASSERT_EQ(unlink(at("one").c_str()), 0);
  EXPECT_EQ(stat_of(at("two")).st_nlink, 1U);
  // The node was found by a name that is gone; the other one must still lead to everything.
  ASSERT_EQ(chmod(at("two").c_str(), 0600), 0);
  ASSERT_EQ(link(at("two").c_str(), at("three").c_str()), 0);
  write_file(at("three"), "other");
  EXPECT_EQ(read_file(at("two")), "other");
}

TEST_F(fuse_files, symlinks) {
  ASSERT_EQ(symlink("target/that/is/not", at("s").c_str()), 0);
  char buf[64];
  ssize_t n = readlink(at("s").c_str(), buf, sizeof buf);
  EXPECT_EQ(std::string(buf, static_cast<size_t>(n)), "target/that/is/not");
  EXPECT_EQ(open(at("s").c_str(), O_RDONLY), -1);
  EXPECT_EQ(errno, ENOENT);
  std::string longest(4095, 'x');
  ASSERT_EQ(symlink(longest.c_str(), at("long").c_str()), 0) << strerror(errno);
  std::vector<char> big(4096);
  EXPECT_EQ(readlink(at("long").c_str(), big.data(), big.size()), 4095);
}

TEST_F(fuse_files, an_unlinked_file_lives_while_it_is_open) {
  unique_fd fd(open(at("gone").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(unlink(at("gone").c_str()), 0);
  ASSERT_EQ(write(fd.get(), "still", 5), 5);
  struct stat st;
  ASSERT_EQ(fstat(fd.get(), &st), 0);
  EXPECT_EQ(st.st_nlink, 0U);
  EXPECT_EQ(st.st_size, 5);
  ASSERT_EQ(ftruncate(fd.get(), 2), 0);
  char buf[8];
  EXPECT_EQ(pread(fd.get(), buf, sizeof buf, 0), 2);
}

TEST_F(fuse_files, rename_and_its_flags) {
  write_file(at("a"), "a");
  write_file(at("b"), "b");
  EXPECT_EQ(code(renameat2(AT_FDCWD, at("a").c_str(), AT_FDCWD, at("b").c_str(), RENAME_NOREPLACE)),
            EEXIST);
  ASSERT_EQ(renameat2(AT_FDCWD, at("a").c_str(), AT_FDCWD, at("b").c_str(), RENAME_EXCHANGE), 0);
  EXPECT_EQ(read_file(at("a")), "b");
  ASSERT_EQ(rename(at("a").c_str(), at("b").c_str()), 0);
  EXPECT_EQ(read_file(at("b")), "b");
  EXPECT_EQ(access(at("a").c_str(), F_OK), -1);
  ASSERT_EQ(mkdir(at("d").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(at("d/e").c_str(), 0755), 0);
  EXPECT_EQ(code(rename(at("d").c_str(), at("d/e/f").c_str())), EINVAL);
  EXPECT_EQ(code(rmdir(at("d").c_str())), ENOTEMPTY);
  ASSERT_EQ(rename(at("d/e").c_str(), at("e").c_str()), 0);
  EXPECT_EQ(stat_of(at("d")).st_nlink, 2U);
  EXPECT_EQ(rmdir(at("d").c_str()), 0);
}

TEST_F(fuse_files, attributes_are_kept) {
  write_file(at("f"), "x");
  ASSERT_EQ(chmod(at("f").c_str(), 0641), 0);
  timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 123456789},
                       {.tv_sec = 2000, .tv_nsec = 987654321}};
  ASSERT_EQ(utimensat(AT_FDCWD, at("f").c_str(), times, 0), 0);
  struct stat st = stat_of(at("f"));
  EXPECT_EQ(st.st_mode, S_IFREG | 0641U);
  EXPECT_EQ(st.st_atim.tv_nsec, 123456789);
  EXPECT_EQ(st.st_mtim.tv_sec, 2000);
  EXPECT_EQ(st.st_mtim.tv_nsec, 987654321);
  mode_t old = umask(027);
  unique_fd fd(open(at("masked").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0777));
  EXPECT_EQ(mkdir(at("masked_dir").c_str(), 0777), 0);
  umask(old);
  EXPECT_EQ(stat_of(at("masked")).st_mode & 07777, 0750U);
  EXPECT_EQ(stat_of(at("masked_dir")).st_mode & 07777, 0750U);
}

// The request that this becomes asks for nothing, and still is one.
TEST_F(fuse_files, a_chown_that_changes_nobody_sets_the_ctime) {
  write_file(at("a"), "x");
  timespec before = stat_of(at("a")).st_ctim;
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(chown(at("a").c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(-1)), 0);
    timespec now = stat_of(at("a")).st_ctim;
    return now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec;
  }));
}

TEST_F(fuse_files, extended_attributes) {
  write_file(at("x"), "");
  ASSERT_EQ(setxattr(at("x").c_str(), "user.a", "value", 5, XATTR_CREATE), 0) << strerror(errno);
  EXPECT_EQ(code(setxattr(at("x").c_str(), "user.a", "v", 1, XATTR_CREATE)), EEXIST);
  char buf[64];
  EXPECT_EQ(getxattr(at("x").c_str(), "user.a", nullptr, 0), 5);
  EXPECT_EQ(getxattr(at("x").c_str(), "user.a", buf, 2), -1);
  EXPECT_EQ(errno, ERANGE);
  ASSERT_EQ(getxattr(at("x").c_str(), "user.a", buf, sizeof buf), 5);
  EXPECT_EQ(std::string(buf, 5), "value");
  ASSERT_EQ(listxattr(at("x").c_str(), buf, sizeof buf), 7);
  EXPECT_STREQ(buf, "user.a");
  ASSERT_EQ(removexattr(at("x").c_str(), "user.a"), 0);
  EXPECT_EQ(getxattr(at("x").c_str(), "user.a", buf, sizeof buf), -1);
  EXPECT_EQ(errno, ENODATA);
}

TEST_F(fuse_files, nodes_and_fifos) {
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_TRUE(S_ISFIFO(stat_of(at("fifo")).st_mode));
  if (geteuid() != 0) return;
  ASSERT_EQ(mknod(at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  EXPECT_EQ(stat_of(at("null")).st_rdev, makedev(1, 3));
  unique_fd fd(open(at("null").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write(fd.get(), "x", 1), 1);
}

TEST_F(fuse_files, fallocate_fsync_statfs) {
  unique_fd fd(open(at("f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(fallocate(fd.get(), 0, 0, 100000), 0) << strerror(errno);
  EXPECT_EQ(stat_of(at("f")).st_size, 100000);
  ASSERT_EQ(pwrite(fd.get(), "abc", 3, 50000), 3);
  ASSERT_EQ(fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 49152, 4096), 0);
  char c = 'x';
  ASSERT_EQ(pread(fd.get(), &c, 1, 50000), 1);
  EXPECT_EQ(c, 0);
  EXPECT_EQ(fsync(fd.get()), 0);
  struct statvfs st;
  ASSERT_EQ(statvfs(dir().c_str(), &st), 0);
  EXPECT_EQ(st.f_namemax, 255U);
  EXPECT_EQ(isatty(fd.get()), 0);
  EXPECT_EQ(errno, ENOTTY);
}

TEST_F(fuse_files, names_that_are_too_long_or_absent) {
  std::string name(256, 'n');
  EXPECT_EQ(code(mkdir(at(name).c_str(), 0755)), ENAMETOOLONG);
  name.pop_back();
  EXPECT_EQ(code(mkdir(at(name).c_str(), 0755)), 0);
  EXPECT_EQ(code(mkdir(at("no/such").c_str(), 0755)), ENOENT);
  EXPECT_EQ(code(unlink(at("nothing").c_str())), ENOENT);
  // The kernel remembered the absence; a creation must be seen all the same.
  write_file(at("nothing"), "now");
  EXPECT_EQ(read_file(at("nothing")), "now");
}

}  // namespace
}  // namespace holdfast::fuse_test
