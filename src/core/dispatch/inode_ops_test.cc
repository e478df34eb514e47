// SPDX-License-Identifier: Apache-2.0
//
// inode_operations: each rule once kept and once broken. Rename has a file of its own, and so do
// defaults.
#include "core/dispatch/inode_ops.h"

#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr const char* i_rwsem_column = "i_rwsem(inode)";

class inode_ops_test : public prose_test {
 protected:
  // Fine with dir locked exclusively, reported with dir locked shared.
  template <class Call>
  void expect_exclusive(const char* method, inode& subject, Call&& call) {
    expect(
        method, i_rwsem_column,
        [&] {
          exclusive hold(subject.i_rwsem);
          call();
        },
        [&] {
          shared hold(subject.i_rwsem);
          call();
        });
  }
};

TEST_F(inode_ops_test, creators_hold_the_directory_exclusively) {
  expect_exclusive("create", dir, [&] {
    EXPECT_TRUE(inode_ops::create(nop_mnt_idmap, dir, negative, 0644, false).ok());
  });
  expect_exclusive("symlink", dir, [&] {
    EXPECT_TRUE(inode_ops::symlink(nop_mnt_idmap, dir, negative, "target").ok());
  });
  expect_exclusive("mkdir", dir,
                   [&] { EXPECT_TRUE(inode_ops::mkdir(nop_mnt_idmap, dir, negative, 0755).ok()); });
  expect_exclusive("mknod", dir, [&] {
    EXPECT_TRUE(inode_ops::mknod(nop_mnt_idmap, dir, negative, S_IFIFO | 0600u, 0).ok());
  });
}

TEST_F(inode_ops_test, lookup_holds_the_directory_at_least_shared) {
  expect(
      "lookup", i_rwsem_column,
      [&] {
        shared hold(dir.i_rwsem);
        EXPECT_TRUE(inode_ops::lookup(dir, negative, 0).ok());
      },
      [&] { EXPECT_TRUE(inode_ops::lookup(dir, negative, 0).ok()); });
  EXPECT_TRUE(during([&] {
                exclusive hold(dir.i_rwsem);
                EXPECT_TRUE(inode_ops::lookup(dir, negative, 0).ok());
              }).empty());
}

TEST_F(inode_ops_test, link_holds_directory_and_source) {
  expect(
      "link", i_rwsem_column,
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        EXPECT_TRUE(inode_ops::link(regular_dentry, dir, negative).ok());
      },
      [&] {
        exclusive hold(dir.i_rwsem);
        EXPECT_TRUE(inode_ops::link(regular_dentry, dir, negative).ok());
      });
  expect(
      "link", i_rwsem_column,
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        EXPECT_TRUE(inode_ops::link(regular_dentry, dir, negative).ok());
      },
      [&] {
        exclusive hold(regular.i_rwsem);
        EXPECT_TRUE(inode_ops::link(regular_dentry, dir, negative).ok());
      });
}

TEST_F(inode_ops_test, removal_holds_directory_and_victim) {
  auto unlink = [&] { EXPECT_TRUE(inode_ops::unlink(dir, regular_dentry).ok()); };
  auto rmdir = [&] { EXPECT_TRUE(inode_ops::rmdir(dir, subdir_dentry).ok()); };
  expect_report(
      {"lock", "inode_operations", "unlink", "", "6.6-inode-2",
       "held: none, required: exclusive, on victim"},
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        unlink();
      },
      [&] {
        exclusive hold(dir.i_rwsem);
        unlink();
      });
  expect(
      "unlink", i_rwsem_column,
      [&] {
        exclusive hold(dir.i_rwsem, regular.i_rwsem);
        unlink();
      },
      [&] {
        exclusive hold(regular.i_rwsem);
        unlink();
      });
  expect_report(
      {"lock", "inode_operations", "rmdir", "", "6.6-inode-2",
       "held: none, required: exclusive, on victim"},
      [&] {
        exclusive hold(dir.i_rwsem, subdir.i_rwsem);
        rmdir();
      },
      [&] {
        exclusive hold(dir.i_rwsem);
        rmdir();
      });
}

TEST_F(inode_ops_test, attributes_are_set_under_the_inode) {
  iattr attr;
  expect_exclusive("setattr", regular, [&] {
    EXPECT_TRUE(inode_ops::setattr(nop_mnt_idmap, regular_dentry, attr).ok());
  });
  auto& fa = reinterpret_cast<fileattr&>(attr);  // incomplete; the stand-in looks at nothing
  expect_exclusive("fileattr_set", regular, [&] {
    EXPECT_TRUE(inode_ops::fileattr_set(nop_mnt_idmap, regular_dentry, fa).ok());
  });
  auto fileattr_get = [&] { EXPECT_TRUE(inode_ops::fileattr_get(regular_dentry, fa).ok()); };
  expect_report(
      {"lock", "inode_operations", "fileattr_get", i_rwsem_column, "6.6-inode-8",
       "held: shared, required: none or exclusive, on inode"},
      [&] {
        fileattr_get();
        exclusive hold(regular.i_rwsem);
        fileattr_get();
      },
      [&] {
        shared hold(regular.i_rwsem);
        fileattr_get();
      });
}

TEST_F(inode_ops_test, atomic_open_is_exclusive_with_o_creat) {
  auto open = [&](unsigned flags) {
    EXPECT_TRUE(inode_ops::atomic_open(dir, negative, f, flags, 0644).ok());
  };
  constexpr const char* table = "inode_operations";
  expect_report(
      {"lock", table, "atomic_open", i_rwsem_column, "6.6-inode-7",
       "held: shared, required: exclusive, on dir"},
      [&] {
        exclusive hold(dir.i_rwsem);
        open(O_CREAT);
      },
      [&] {
        shared hold(dir.i_rwsem);
        open(O_CREAT);
      });
  expect_report(
      {"lock", table, "atomic_open", i_rwsem_column, "6.6-inode-7",
       "held: none, required: shared or exclusive, on dir"},
      [&] {
        shared hold(dir.i_rwsem);
        open(O_RDWR);
      },
      [&] { open(O_RDWR); });
}

TEST_F(inode_ops_test, methods_without_locks_may_block) {
  char buffer[8];
  kstat stat;
  iattr spare;
  const path p{nullptr, &regular_dentry};
  expect_blocks("readlink", [&] {
    EXPECT_TRUE(inode_ops::readlink(regular_dentry, buffer, sizeof buffer).ok());
  });
  expect_blocks("getattr",
                [&] { EXPECT_TRUE(inode_ops::getattr(nop_mnt_idmap, p, stat, 0, 0).ok()); });
  expect_blocks("listxattr", [&] {
    EXPECT_TRUE(inode_ops::listxattr(regular_dentry, buffer, sizeof buffer).ok());
  });
  expect_blocks("fiemap", [&] {
    auto& info = reinterpret_cast<fiemap_extent_info&>(spare);
    EXPECT_TRUE(inode_ops::fiemap(regular, info, 0, 1).ok());
  });
  expect_blocks("update_time", [&] {
    EXPECT_TRUE(inode_ops::update_time(regular, inode_ops::update_mtime).ok());
  });
  expect_blocks("tmpfile",
                [&] { EXPECT_TRUE(inode_ops::tmpfile(nop_mnt_idmap, dir, f, 0600).ok()); });
  expect_blocks("get_acl",
                [&] { EXPECT_TRUE(inode_ops::get_acl(nop_mnt_idmap, regular_dentry, 0).ok()); });
  expect_blocks("get_offset_ctx", [&] { inode_ops::get_offset_ctx(dir); });
  expect_blocks("truncate", [&] { inode_ops::truncate(regular); });
}

TEST_F(inode_ops_test, permission_and_its_like_block_in_ref_walk_alone) {
  auto permission = [&](unsigned mask) {
    stand_in::inside = [] { might_block("the stand-in"); };
    EXPECT_TRUE(inode_ops::permission(nop_mnt_idmap, dir, mask).ok());
  };
  auto get_link = [&](dentry* d) {
    stand_in::inside = [] { might_block("the stand-in"); };
    delayed_call done;
    EXPECT_TRUE(inode_ops::get_link(d, regular, done).ok());
  };
  auto get_inode_acl = [&](bool rcu) {
    stand_in::inside = [] { might_block("the stand-in"); };
    EXPECT_TRUE(inode_ops::get_inode_acl(regular, 0, rcu).ok());
  };
  auto report = [](const char* method, const char* rule) -> caught {
    return {"blocks_forbidden",
            "inode_operations",
            method,
            "",
            rule,
            std::string("the stand-in may block, in a call that may not: ") + method};
  };
  expect_report(
      report("permission", "6.6-inode-6"), [&] { permission(may_exec); },
      [&] { permission(may_exec | may_not_block); });
  expect_report(
      report("get_link", "6.6-inode-1"), [&] { get_link(&regular_dentry); },
      [&] { get_link(nullptr); });
  expect_report(
      report("get_inode_acl", "6.6-inode-1"), [&] { get_inode_acl(false); },
      [&] { get_inode_acl(true); });
}

}  // namespace
HF_NAMESPACE_END
