// SPDX-License-Identifier: Apache-2.0
//
// xattr_handler: each rule once kept and once broken; the choice of a handler.
#include "core/dispatch/xattr_ops.h"

#include <cerrno>

#include "core/dispatch/stand_ins.h"

HF_NAMESPACE_BEGIN
namespace {

using xattr_ops_test = dispatch_test;

TEST_F(xattr_ops_test, set_holds_the_inode_exclusively) {
  const xattr_handler& h = stand_in::xattr_table::full;
  auto set = [&] {
    EXPECT_TRUE(xattr_ops::set(h, nop_mnt_idmap, &regular_dentry, regular, "a", "v", 1, 0).ok());
  };
  expect(
      "set", "i_rwsem(inode)",
      [&] {
        exclusive hold(regular.i_rwsem);
        set();
      },
      [&] {
        shared hold(regular.i_rwsem);
        set();
      });
}

TEST_F(xattr_ops_test, list_and_get_may_block) {
  const xattr_handler& h = stand_in::xattr_table::full;
  char buffer[8];
  expect_blocks("list", [&] { xattr_ops::list(h, regular_dentry); });
  expect_blocks("get", [&] {
    EXPECT_TRUE(xattr_ops::get(h, &regular_dentry, regular, "a", buffer, sizeof buffer).ok());
  });
}

TEST_F(xattr_ops_test, null_means_the_default) {
  const xattr_handler& h = stand_in::xattr_table::empty;
  EXPECT_TRUE(xattr_ops::list(h, regular_dentry));
  EXPECT_EQ(xattr_ops::get(h, nullptr, regular, "a", nullptr, 0).code(), EOPNOTSUPP);
  EXPECT_EQ(xattr_ops::set(h, nop_mnt_idmap, nullptr, regular, "a", "", 0, 0).code(), EOPNOTSUPP);
}

TEST_F(xattr_ops_test, a_handler_is_found_by_name_or_prefix) {
  const xattr_handler exact{.name = "system.posix_acl_access"};
  const xattr_handler user{.prefix = "user."};
  const xattr_handler* const handlers[] = {&exact, &user, nullptr};
  auto find = [&](std::string_view name, std::string_view expected_rest) {
    const xattr_handler* h = xattr_ops::find_handler(sb, name);
    EXPECT_EQ(name, expected_rest);
    return h;
  };
  EXPECT_EQ(find("user.a", "user.a"), nullptr) << "a superblock without handlers";
  sb.s_xattr = handlers;
  EXPECT_EQ(find("user.a", "a"), &user);
  EXPECT_EQ(find("user.user.a", "user.a"), &user);
  EXPECT_EQ(find("system.posix_acl_access", ""), &exact);
  EXPECT_EQ(find("system.posix_acl_access2", "system.posix_acl_access2"), nullptr);
  EXPECT_EQ(find("user.", "user."), nullptr);
  EXPECT_EQ(find("trusted.a", "trusted.a"), nullptr);
}

}  // namespace
HF_NAMESPACE_END
