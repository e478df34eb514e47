// SPDX-License-Identifier: Apache-2.0
#include "front/fuse/node_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "holdfast/filesystems.h"
#include "holdfast/syscalls.h"

namespace {

using namespace holdfast;

class fuse_node_table : public ::testing::Test {
 protected:
  void SetUp() override {
    if (get_fs_type("tmpfs") == nullptr) ASSERT_TRUE(register_tmpfs());
    auto made = create_mnt_namespace("tmpfs", "none", 0, "");
    ASSERT_TRUE(made);
    ns = *made;
    t = create_task(*ns);
    ASSERT_NE(t, nullptr);
    table.set_root(mnt_ns_root(*ns));
  }
  void TearDown() override {
    table.clear();
    destroy_task(t);
    put_mnt_ns(ns);
  }
  path_ref walk(const char* name) {
    auto p = user_path_at(*t, at_cwd, name);
    EXPECT_TRUE(p) << name << ": " << p.code();
    return p ? std::move(p).value() : path_ref();
  }
  uint64_t remember(const char* name) {
    auto id = table.remember(walk(name));
    EXPECT_TRUE(id) << id.code();
    return id.value_or(0);
  }
  mnt_namespace* ns = nullptr;
  task* t = nullptr;
  node_table table;
};

TEST_F(fuse_node_table, the_root_is_always_known) {
  EXPECT_EQ(remember("/"), node_table::root_id);
  table.forget(node_table::root_id, 1000);
  auto root = table.find(node_table::root_id);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->get(), mnt_ns_root(*ns));
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(fuse_node_table, counts_are_exact) {
  ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/d", 0755));
  uint64_t id = remember("/d");
  EXPECT_EQ(remember("/d"), id);
  EXPECT_EQ(table.lookups(), 2U);
  table.forget(id, 1);
  EXPECT_TRUE(table.find(id));
  table.forget(id, 1);
  EXPECT_EQ(table.find(id).code(), ESTALE);
  EXPECT_EQ(table.misses(), 1U);
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(fuse_node_table, more_forgets_than_lookups_do_not_wrap) {
  ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/d", 0755));
  uint64_t id = remember("/d");
  table.forget(id, 5);
  EXPECT_EQ(table.lookups(), 0U);
  table.forget(id, 1);
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(fuse_node_table, made_up_ids_are_stale) {
  for (uint64_t id : {uint64_t{0}, uint64_t{2}, uint64_t{0xdeadbeef}, ~uint64_t{0}}) {
    EXPECT_EQ(table.find(id).code(), ESTALE) << id;
  }
}

TEST_F(fuse_node_table, a_removed_name_is_replaced_by_the_next_one) {
  ASSERT_TRUE(sys_mknod(*t, at_cwd, "/a", S_IFREG | 0644, 0));
  ASSERT_TRUE(sys_link(*t, at_cwd, "/a", at_cwd, "/b", 0));
  uint64_t id = remember("/a");
  EXPECT_EQ(remember("/b"), id);
  EXPECT_EQ(table.find(id)->get().dent, walk("/a")->dent);
  ASSERT_TRUE(sys_unlink(*t, at_cwd, "/a", 0));
  EXPECT_EQ(remember("/b"), id);
  EXPECT_EQ(table.find(id)->get().dent, walk("/b")->dent);
  table.forget(id, 3);
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(fuse_node_table, many_nodes_by_many_threads) {
  constexpr int nodes = 500;
  for (int i = 0; i < nodes; ++i) {
    ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/" + std::to_string(i), 0755));
  }
  std::vector<std::thread> all;
  for (int k = 0; k < 4; ++k) {
    all.emplace_back([this] {
      task* mine = create_task(*ns);
      for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < nodes; ++i) {
          auto p = user_path_at(*mine, at_cwd, "/" + std::to_string(i));
          ASSERT_TRUE(p);
          const dentry* d = p->get().dent;
          auto id = table.remember(std::move(p).value());
          ASSERT_TRUE(id);
          auto found = table.find(*id);
          ASSERT_TRUE(found);
          EXPECT_EQ(found->get().dent, d);
          if (round % 2 == 1) table.forget(*id, 2);
        }
      }
      destroy_task(mine);
    });
  }
  for (std::thread& th : all) th.join();
  EXPECT_EQ(table.size(), static_cast<size_t>(nodes + 1));
  EXPECT_EQ(table.lookups(), static_cast<uint64_t>(4 * nodes));
}

}  // namespace
