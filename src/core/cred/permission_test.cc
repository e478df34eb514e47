// SPDX-License-Identifier: Apache-2.0
#include "core/cred/permission.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

HF_NAMESPACE_BEGIN
namespace {

constexpr uid_t owner = 100, stranger = 200;
constexpr gid_t team = 50, second_team = 60, others = 70;

class permission_test : public ::testing::Test {
 protected:
  void SetUp() override {
    inode_init_once(sb_, i_);
    i_.i_op = &plain_;
    i_.i_uid = owner;
    i_.i_gid = team;
  }
  void TearDown() override {
    inode_destroy(i_);
    rcu_barrier();
  }
  // Runs fn as a task with these ids and capabilities.
  template <class F>
  auto as(uid_t uid, gid_t gid, std::initializer_list<gid_t> groups, uint64_t caps, F fn) {
    cred* c = create_cred(uid, gid, {groups.begin(), groups.size()});
    c->caps = caps;
    task t;
    t.cr = c;
    task_scope scope(t);
    auto result = fn();
    put_cred(c);
    return result;
  }
  static uint64_t bit(capability c) { return uint64_t{1} << static_cast<unsigned>(c); }

  inode_operations plain_{};
  super_block sb_;
  inode i_;
};

// Every mode, every kind of caller, every request, against the rule as the manual words it.
TEST_F(permission_test, mode_bits_exhaustive) {
  struct who {
    uid_t uid;
    gid_t gid;
    gid_t extra;
    unsigned shift;  // which bits apply
  };
  const who callers[] = {{owner, others, others, 6},
                         {owner, team, team, 6},  // owner first, even if the group would allow
                         {stranger, team, others, 3},
                         {stranger, others, team, 3},
                         {stranger, others, others, 0}};
  for (const umode_t type : {umode_t{S_IFREG}, umode_t{S_IFDIR}})
    for (const who& w : callers)
      as(w.uid, w.gid, {w.extra}, 0, [&] {
        int wrong = 0;
        for (umode_t mode = 0; mode < 01000; ++mode)
          for (unsigned mask = 0; mask < 8; ++mask) {
            i_.i_mode = type | mode;
            const bool want = (mask & ~(mode >> w.shift) & 7) == 0;
            const Status s = inode_permission(nop_mnt_idmap, i_, mask);
            if (s.ok() != want || (!want && s.code() != EACCES)) ++wrong;
          }
        EXPECT_EQ(wrong, 0) << "uid " << w.uid << " gid " << w.gid << " type " << type;
        return 0;
      });
}

TEST_F(permission_test, capabilities_exhaustive) {
  for (umode_t mode = 0; mode < 01000; ++mode)
    for (unsigned mask = 1; mask < 8; ++mask) {
      const bool by_mode = (mask & ~mode & 7) == 0;
      auto allowed = [&] { return inode_permission(nop_mnt_idmap, i_, mask).ok(); };
      i_.i_mode = S_IFREG | mode;
      const bool any_x = (mode & 0111) != 0;
      EXPECT_EQ(as(stranger, others, {}, bit(capability::dac_override), allowed),
                by_mode || !(mask & may_exec) || any_x);
      EXPECT_EQ(as(stranger, others, {}, bit(capability::dac_read_search), allowed),
                by_mode || mask == may_read);
      i_.i_mode = S_IFDIR | mode;
      EXPECT_TRUE(as(stranger, others, {}, bit(capability::dac_override), allowed));
      EXPECT_EQ(as(stranger, others, {}, bit(capability::dac_read_search), allowed),
                by_mode || !(mask & may_write));
    }
}

TEST_F(permission_test, read_only_and_immutable) {
  auto write = [&] { return inode_permission(nop_mnt_idmap, i_, may_write).code(); };
  auto root = [&] { return as(0, 0, {}, all_capabilities, write); };
  i_.i_mode = S_IFREG | 0666;
  EXPECT_EQ(root(), 0);
  sb_.s_flags |= sb_rdonly;
  for (umode_t type : {S_IFREG, S_IFDIR, S_IFLNK}) {
    i_.i_mode = type | 0666;
    EXPECT_EQ(root(), EROFS);
  }
  for (umode_t type : {S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK}) {
    i_.i_mode = type | 0666;
    EXPECT_EQ(root(), 0);  // writing to a device isn't writing to the file system
  }
  sb_.s_flags &= ~sb_rdonly;
  i_.i_mode = S_IFREG | 0666;
  i_.i_flags = s_immutable;
  EXPECT_EQ(root(), EPERM);
}

TEST_F(permission_test, file_systems_own_permission_decides) {
  static unsigned seen;
  inode_operations own{};
  own.permission = [](const mnt_idmap&, inode&, unsigned mask) -> Status {
    seen = mask;
    return Error(ECHILD);
  };
  i_.i_op = &own;
  i_.i_opflags = 0;
  i_.i_mode = S_IFDIR | 0777;
  EXPECT_EQ(
      as(0, 0, {}, all_capabilities,
         [&] { return inode_permission(nop_mnt_idmap, i_, may_exec | may_not_block).code(); }),
      ECHILD);
  EXPECT_EQ(seen, may_exec | may_not_block);
  EXPECT_FALSE(everybody_may_search(i_));
}

TEST_F(permission_test, everybody_may_search_only_if_all_three_may) {
  for (umode_t mode = 0; mode < 01000; ++mode) {
    i_.i_mode = S_IFDIR | mode;
    EXPECT_EQ(everybody_may_search(i_), (mode & 0111) == 0111);
  }
}

TEST_F(permission_test, groups) {
  cred* c = create_cred(stranger, others, std::initializer_list<gid_t>{9, 3, second_team, 5});
  for (gid_t g : {3u, 5u, 9u, second_team, others}) EXPECT_TRUE(c->in_group(g)) << g;
  for (gid_t g : {0u, 4u, 10u, team}) EXPECT_FALSE(c->in_group(g)) << g;
  EXPECT_EQ(c->caps, 0u);
  put_cred(c);
  c = create_cred(0, 0, {});
  EXPECT_TRUE(c->has(capability::chown));
  put_cred(c);
}

class setgid_test : public permission_test {
 protected:
  umode_t create(umode_t dir_mode, umode_t mode, gid_t gid, uint64_t caps, gid_t* got = nullptr) {
    inode dir;
    inode_init_once(sb_, dir);
    dir.i_mode = S_IFDIR | dir_mode;
    dir.i_gid = team;
    umode_t made = as(stranger, gid, {}, caps, [&] {
      inode_init_owner(nop_mnt_idmap, i_, &dir, mode);
      return i_.i_mode.load();
    });
    if (got) *got = i_.i_gid;
    inode_destroy(dir);
    return made;
  }
};

TEST_F(setgid_test, new_inodes) {
  gid_t gid = 0;
  // A plain directory: the creator's ids.
  EXPECT_EQ(create(0777, S_IFREG | 02755, others, 0, &gid), S_IFREG | 02755u);
  EXPECT_EQ(gid, others);
  EXPECT_EQ(i_.i_uid, stranger);
  // A setgid directory: its group, and directories pass the bit on.
  EXPECT_EQ(create(02777, S_IFDIR | 0755, others, 0, &gid), S_IFDIR | 02755u);
  EXPECT_EQ(gid, team);
  EXPECT_EQ(create(02777, S_IFREG | 0644, others, 0, &gid), S_IFREG | 0644u);
  EXPECT_EQ(gid, team);
  // An executable setgid file of a group that the creator isn't in.
  EXPECT_EQ(create(02777, S_IFREG | 02755, others, 0), S_IFREG | 0755u);
  EXPECT_EQ(create(02777, S_IFREG | 02755, team, 0), S_IFREG | 02755u);
  EXPECT_EQ(create(02777, S_IFREG | 02755, others, bit(capability::fsetid)), S_IFREG | 02755u);
  EXPECT_EQ(create(02777, S_IFREG | 02745, others, 0), S_IFREG | 02745u);  // no group execute
}

class setattr_test : public permission_test {
 protected:
  void SetUp() override {
    permission_test::SetUp();
    i_.i_mode = S_IFREG | 0644;
    d_.d_inode.store(&i_);
  }
  int ask(uid_t uid, gid_t gid, std::initializer_list<gid_t> groups, uint64_t caps, iattr& a) {
    return as(uid, gid, groups, caps, [&] { return setattr_prepare(nop_mnt_idmap, d_, a).code(); });
  }
  dentry d_;
};

TEST_F(setattr_test, chmod) {
  iattr a{.ia_valid = attr_mode, .ia_mode = S_IFREG | 02755};
  EXPECT_EQ(ask(stranger, team, {}, 0, a), EPERM);
  EXPECT_EQ(ask(owner, team, {}, 0, a), 0);
  EXPECT_EQ(a.ia_mode, S_IFREG | 02755u);
  EXPECT_EQ(ask(owner, others, {}, 0, a), 0);
  EXPECT_EQ(a.ia_mode, S_IFREG | 0755u);  // not in the file's group
  a.ia_mode = S_IFREG | 02755;
  EXPECT_EQ(ask(stranger, others, {}, bit(capability::fowner), a), 0);
  EXPECT_EQ(a.ia_mode, S_IFREG | 0755u);
  a.ia_mode = S_IFREG | 02755;
  EXPECT_EQ(ask(owner, others, {}, bit(capability::fsetid), a), 0);
  EXPECT_EQ(a.ia_mode, S_IFREG | 02755u);
}

TEST_F(setattr_test, chown) {
  iattr same_uid{.ia_valid = attr_uid, .ia_uid = owner};
  iattr new_uid{.ia_valid = attr_uid, .ia_uid = stranger};
  EXPECT_EQ(ask(owner, team, {}, 0, same_uid), 0);
  EXPECT_EQ(ask(owner, team, {}, 0, new_uid), EPERM);
  EXPECT_EQ(ask(stranger, team, {}, 0, new_uid), EPERM);
  EXPECT_EQ(ask(stranger, team, {}, bit(capability::chown), new_uid), 0);
  iattr to_second{.ia_valid = attr_gid, .ia_gid = second_team};
  iattr to_same{.ia_valid = attr_gid, .ia_gid = team};
  EXPECT_EQ(ask(owner, team, {second_team}, 0, to_second), 0);
  EXPECT_EQ(ask(owner, team, {others}, 0, to_second), EPERM);
  EXPECT_EQ(ask(owner, others, {}, 0, to_same), 0);
  EXPECT_EQ(ask(stranger, second_team, {}, 0, to_second), EPERM);
  EXPECT_EQ(ask(stranger, others, {}, bit(capability::chown), to_second), 0);
}

TEST_F(setattr_test, times) {
  iattr set{.ia_valid = attr_mtime | attr_mtime_set};
  iattr now{.ia_valid = attr_mtime};
  EXPECT_EQ(ask(stranger, others, {}, 0, set), EPERM);
  EXPECT_EQ(ask(stranger, others, {}, 0, now), 0);  // whether it may at all was asked before
  EXPECT_EQ(ask(owner, others, {}, 0, set), 0);
  EXPECT_EQ(ask(stranger, others, {}, bit(capability::fowner), set), 0);
  set.ia_valid |= attr_force;
  EXPECT_EQ(ask(stranger, others, {}, 0, set), 0);
}

TEST_F(setattr_test, size) {
  iattr a{.ia_valid = attr_size, .ia_size = -1};
  EXPECT_EQ(ask(owner, team, {}, 0, a), EINVAL);
  sb_.s_maxbytes = 1000;
  a.ia_size = 1000;
  EXPECT_EQ(ask(owner, team, {}, 0, a), 0);
  a.ia_size = 1001;
  EXPECT_EQ(ask(owner, team, {}, 0, a), EFBIG);
  a.ia_valid |= attr_force;
  EXPECT_EQ(ask(owner, team, {}, 0, a), EFBIG);  // force is about permission
  i_.i_size = 2000;
  a.ia_size = 1500;
  EXPECT_EQ(ask(owner, team, {}, 0, a), 0);  // shrinking is always possible ...
  i_.i_flags = s_swapfile;
  EXPECT_EQ(ask(owner, team, {}, 0, a), ETXTBSY);  // ... but for swap
}

TEST_F(setattr_test, copy) {
  iattr a{.ia_valid = attr_mode | attr_uid | attr_gid | attr_atime | attr_ctime,
          .ia_mode = S_IFREG | 02711,
          .ia_uid = 1,
          .ia_gid = 2};
  a.ia_atime = {5, 1500};
  a.ia_ctime = {6, 2500};
  sb_.s_time_gran = 1000;
  as(owner, others, {}, 0, [&] {
    setattr_copy(nop_mnt_idmap, i_, a);
    return 0;
  });
  EXPECT_EQ(i_.i_uid, 1u);
  EXPECT_EQ(i_.i_gid, 2u);
  EXPECT_EQ(i_.i_mode, S_IFREG | 0711u);  // the new group isn't the caller's
  EXPECT_EQ(inode_get_atime(i_), (timespec64{5, 1000}));
  EXPECT_EQ(inode_get_ctime(i_), (timespec64{6, 2000}));
  EXPECT_EQ(inode_get_mtime(i_), timespec64{});
}

}  // namespace
HF_NAMESPACE_END
