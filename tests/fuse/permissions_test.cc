// SPDX-License-Identifier: Apache-2.0
//
// Who may what. The kernel keeps names and attributes, so it also checks: a user who was refused
// must be refused from the cache as well.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mounted.h"

namespace holdfast::fuse_test {
namespace {

constexpr unsigned nobody = 65534;
constexpr unsigned other = 12345;

int code(int result) {
  return result >= 0 ? 0 : errno;
}

class fuse_permissions : public mounted {
 protected:
  void SetUp() override {
    mounted::SetUp();
    if (IsSkipped()) return;
    if (geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
    ASSERT_EQ(chmod(dir().c_str(), 0755), 0);
    mount();
    ASSERT_EQ(chmod(dir().c_str(), 0755), 0);
  }
  int read_as(unsigned id, const std::string& name) {
    return in_child(id, [&] { return code(open(at(name).c_str(), O_RDONLY)); });
  }
};

TEST_F(fuse_permissions, another_user_never_passes_a_cached_0700_directory) {
  ASSERT_EQ(mkdir(at("private").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(at("private/open").c_str(), 0777), 0);
  write_file(at("private/open/file"), "secret");
  ASSERT_EQ(chmod(at("private/open/file").c_str(), 0666), 0);
  // Everything on the way is in the kernel's caches now.
  ASSERT_EQ(read_file(at("private/open/file")), "secret");
  struct stat st;
  EXPECT_EQ(read_as(nobody, "private/open/file"), EACCES);
  EXPECT_EQ(in_child(nobody, [&] { return code(stat(at("private/open/file").c_str(), &st)); }),
            EACCES);
  EXPECT_EQ(in_child(nobody, [&] { return code(open(at("private").c_str(), O_RDONLY)); }), EACCES);
  EXPECT_EQ(in_child(nobody, [&] { return code(mkdir(at("private/x").c_str(), 0755)); }), EACCES);
  ASSERT_EQ(chmod(at("private").c_str(), 0711), 0);
  EXPECT_EQ(read_as(nobody, "private/open/file"), 0);
  ASSERT_EQ(chmod(at("private").c_str(), 0700), 0);
  EXPECT_EQ(read_as(nobody, "private/open/file"), EACCES);
}

TEST_F(fuse_permissions, what_a_user_makes_is_theirs) {
  ASSERT_EQ(mkdir(at("tmp").c_str(), 0755), 0);
  ASSERT_EQ(chmod(at("tmp").c_str(), 01777), 0);
  EXPECT_EQ(in_child(nobody,
                     [&] {
                       umask(022);
                       return code(open(at("tmp/mine").c_str(), O_WRONLY | O_CREAT, 0666)) |
                              code(mkdir(at("tmp/dir").c_str(), 0777)) |
                              code(symlink("x", at("tmp/link").c_str()));
                     }),
            0);
  for (const char* name : {"tmp/mine", "tmp/dir", "tmp/link"}) {
    struct stat st;
    ASSERT_EQ(lstat(at(name).c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, nobody) << name;
    EXPECT_EQ(st.st_gid, nobody) << name;
  }
  // The sticky bit, mode bits, ownership.
  EXPECT_EQ(in_child(other, [&] { return code(unlink(at("tmp/mine").c_str())); }), EPERM);
  EXPECT_EQ(in_child(other, [&] { return code(open(at("tmp/mine").c_str(), O_WRONLY)); }), EACCES);
  EXPECT_EQ(in_child(other, [&] { return code(chmod(at("tmp/mine").c_str(), 0777)); }), EPERM);
  EXPECT_EQ(in_child(nobody, [&] { return code(chown(at("tmp/mine").c_str(), other, other)); }),
            EPERM);
  EXPECT_EQ(in_child(nobody, [&] { return code(chmod(at("tmp/mine").c_str(), 0600)); }), 0);
  EXPECT_EQ(read_as(other, "tmp/mine"), EACCES);
  EXPECT_EQ(in_child(nobody, [&] { return code(unlink(at("tmp/mine").c_str())); }), 0);
}

TEST_F(fuse_permissions, a_setgid_directory_hands_its_group_down) {
  ASSERT_EQ(mkdir(at("g").c_str(), 0755), 0);
  ASSERT_EQ(chown(at("g").c_str(), 0, other), 0);
  ASSERT_EQ(chmod(at("g").c_str(), 02777), 0);
  ASSERT_EQ(in_child(nobody, [&] { return code(mkdir(at("g/sub").c_str(), 0755)); }), 0);
  struct stat st;
  ASSERT_EQ(stat(at("g/sub").c_str(), &st), 0);
  EXPECT_EQ(st.st_gid, other);
  EXPECT_TRUE((st.st_mode & S_ISGID) != 0);
}

TEST_F(fuse_permissions, a_write_and_a_chown_take_the_suid_bit) {
  write_file(at("s"), "#!");
  ASSERT_EQ(chmod(at("s").c_str(), 06777), 0);
  ASSERT_EQ(in_child(nobody,
                     [&] {
                       int fd = open(at("s").c_str(), O_WRONLY);
                       return write(fd, "x", 1) == 1 ? 0 : errno;
                     }),
            0);
  struct stat st;
  ASSERT_EQ(stat(at("s").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0777U);
  ASSERT_EQ(chmod(at("s").c_str(), 04755), 0);
  ASSERT_EQ(chown(at("s").c_str(), nobody, nobody), 0);
  ASSERT_EQ(stat(at("s").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0755U);
}

}  // namespace
}  // namespace holdfast::fuse_test
