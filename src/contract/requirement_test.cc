// SPDX-License-Identifier: Apache-2.0
#include "contract/requirement.h"

#include <gtest/gtest.h>

#include "contract/native.h"
#include "contract/text_buffer.h"

namespace holdfast {
namespace {

TEST(requirement_test, a_pointer_in_parentheses_changes_nothing) {
  EXPECT_EQ(read_cell(column_kind::lock, "yes, unlocks (see below)"),
            read_cell(column_kind::lock, "yes, unlocks"));
  EXPECT_EQ(read_cell(column_kind::lock, "exclusive (both)(see below)"),
            (requirement{requirement_kind::exclusive, subjects::both}));
  EXPECT_EQ(read_cell(column_kind::note, "(see below)"), requirement{requirement_kind::remark});
}

TEST(requirement_test, the_kind_of_the_column_decides) {
  EXPECT_EQ(read_cell(column_kind::lock, "yes")->kind, requirement_kind::exclusive);
  EXPECT_EQ(read_cell(column_kind::may_block, "yes")->kind, requirement_kind::blocks);
  EXPECT_EQ(read_cell(column_kind::flag, "yes")->kind, requirement_kind::flag_yes);
  EXPECT_EQ(read_cell(column_kind::rcu_walk, "no")->kind, requirement_kind::never_in_rcu_walk);
}

TEST(requirement_test, unknown_wording_has_no_reading) {
  EXPECT_FALSE(read_cell(column_kind::lock, "sometimes").has_value());
  EXPECT_FALSE(read_cell(column_kind::may_block, "").has_value());
  EXPECT_FALSE(read_cell(column_kind::rcu_walk, "yes").has_value());
}

TEST(requirement_test, blocking_is_joined_per_method) {
  const auto kind = [](method_id m) { return blocking_of[static_cast<size_t>(m)].kind; };
  EXPECT_EQ(kind(method_id::inode_lookup), requirement_kind::blocks);
  EXPECT_EQ(kind(method_id::inode_permission), requirement_kind::blocks_in_ref_walk);
  EXPECT_EQ(kind(method_id::dentry_d_revalidate), requirement_kind::blocks_in_ref_walk);
  EXPECT_EQ(kind(method_id::dentry_d_dname), requirement_kind::never_blocks);
  EXPECT_EQ(kind(method_id::super_drop_inode), requirement_kind::never_blocks);
  EXPECT_EQ(kind(method_id::super_free_inode), requirement_kind::rcu_callback);
  EXPECT_EQ(kind(method_id::aops_dirty_folio), requirement_kind::never_blocks);
  EXPECT_EQ(kind(method_id::aops_writepage), requirement_kind::blocks);
  EXPECT_EQ(kind(method_id::file_setlease), requirement_kind::blocks);
  EXPECT_EQ(kind(method_id::vm_map_pages), requirement_kind::never_blocks);
  EXPECT_EQ(kind(method_id::vm_fault), requirement_kind::unstated);
}

TEST(text_buffer_test, what_does_not_fit_is_cut) {
  text_buffer<8> out;
  out << "abc" << uint64_t{42} << '-';
  EXPECT_EQ(out.view(), "abc42-");
  EXPECT_FALSE(out.overflowed());
  out << "xyz";
  EXPECT_EQ(out.view(), "abc42-xy");
  EXPECT_TRUE(out.overflowed());
}

TEST(text_buffer_test, numbers) {
  text_buffer<64> out;
  out << uint64_t{0} << ' ' << ~uint64_t{0} << ' ';
  out.hex(0) << ' ';
  out.hex(0xdeadbeef) << ' ';
  out.hex(~uint64_t{0});
  EXPECT_EQ(out.view(), "0 18446744073709551615 0x0 0xdeadbeef 0xffffffffffffffff");
}

}  // namespace
}  // namespace holdfast
