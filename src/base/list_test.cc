// SPDX-License-Identifier: Apache-2.0
// Intrusive lists: order, unlinking while iterating, hash chains.
#include "holdfast/list.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast {
namespace {

struct item {
  int value = 0;
  list_node link;
  hlist_node hash;
};

std::vector<int> values(list_head& h) {
  std::vector<int> v;
  for (item& i : entries<&item::link>(h)) v.push_back(i.value);
  return v;
}

TEST(List, KeepsOrderAndUnlinksWhileIterating) {
  list_head h;
  item items[5];
  for (int i = 0; i < 5; ++i) {
    items[i].value = i;
    h.add_tail(items[i].link);
  }
  EXPECT_EQ(values(h), (std::vector<int>{0, 1, 2, 3, 4}));
  for (item& i : entries_safe<&item::link>(h))
    if (i.value % 2 == 1) i.link.del();
  EXPECT_EQ(values(h), (std::vector<int>{0, 2, 4}));
  EXPECT_FALSE(items[1].link.linked());
  items[1].link.del();  // harmless
  h.move(items[4].link);
  h.move_tail(items[0].link);
  EXPECT_EQ(values(h), (std::vector<int>{4, 2, 0}));
  EXPECT_EQ(h.first_entry<&item::link>(), &items[4]);
  EXPECT_EQ(h.last_entry<&item::link>(), &items[0]);
}

TEST(List, SplicesAndEmpties) {
  list_head a;
  list_head b;
  item items[4];
  for (int i = 0; i < 4; ++i) {
    items[i].value = i;
    (i < 2 ? a : b).add_tail(items[i].link);
  }
  a.splice_tail(b);
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(values(a), (std::vector<int>{0, 1, 2, 3}));
  a.splice_tail(b);
  EXPECT_EQ(values(a).size(), 4u);
  while (list_node* n = a.first()) n->del_init();
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a.last(), nullptr);
}

TEST(Hlist, AddsAtTheFrontAndRemovesAnywhere) {
  hlist_head h;
  item items[3];
  for (int i = 0; i < 3; ++i) {
    items[i].value = i;
    h.add_head_rcu(items[i].hash);
  }
  std::vector<int> seen;
  for (item& i : entries_rcu<&item::hash>(h)) seen.push_back(i.value);
  EXPECT_EQ(seen, (std::vector<int>{2, 1, 0}));
  items[1].hash.del_rcu();
  // A reader that stands on the removed node still finds the rest.
  EXPECT_EQ(items[1].hash.next.load(), &items[0].hash);
  EXPECT_FALSE(items[1].hash.linked());
  items[2].hash.del_rcu();
  items[0].hash.del_rcu();
  EXPECT_TRUE(h.empty());
}

}  // namespace
}  // namespace holdfast
