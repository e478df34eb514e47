// SPDX-License-Identifier: Apache-2.0
// Each published pair, taken the wrong way round once: reported on that first occurrence, with the
// published order as the chain that contradicts it.
#include "contract/lock_order.h"

#include <set>

#include "contract/broken_rule_log.h"
#include "contract/test_locks.h"
#include "holdfast/lock_classes.h"

HF_NAMESPACE_BEGIN
namespace {

using namespace contract_test;

class lock_order_test : public contract_fixture, public testing::WithParamInterface<size_t> {};

TEST_P(lock_order_test, the_reverse_is_reported_the_first_time) {
  const published_order& o = published_orders()[GetParam()];
  const char outer = 0;
  const char inner = 0;
  after_acquire(&inner, o.inner, o.inner_level, 0, held::exclusive);
  before_acquire(&outer, o.outer, o.outer_level, 0, held::exclusive);
  before_release(&inner, o.inner, held::exclusive);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "order");
  EXPECT_NE(reports[0].finding.find(o.outer.name), std::string::npos) << reports[0].finding;
  EXPECT_NE(reports[0].finding.find(o.inner.name), std::string::npos) << reports[0].finding;
  EXPECT_NE(reports[0].sentence.find("(published with 6.6: "), std::string::npos)
      << reports[0].sentence;
  if (&o.outer == &i_rwsem_class && &o.inner == &i_rwsem_class) log_broken_rule("6.6-inode-9");
}

TEST_P(lock_order_test, the_published_way_is_silent) {
  const published_order& o = published_orders()[GetParam()];
  const char outer = 0;
  const char inner = 0;
  before_acquire(&outer, o.outer, o.outer_level, 0, held::exclusive);
  after_acquire(&outer, o.outer, o.outer_level, 0, held::exclusive);
  before_acquire(&inner, o.inner, o.inner_level, 0, held::exclusive);
  before_release(&outer, o.outer, held::exclusive);
  EXPECT_TRUE(reports.empty()) << reports[0].finding;
}

INSTANTIATE_TEST_SUITE_P(published, lock_order_test,
                         testing::Range(size_t{0}, published_orders().size()));

// A stacked file system lies over another: its locks come before those of the same class below.
TEST_F(lock_order_test, the_order_holds_at_each_stacking_depth) {
  const char outer = 0;
  const char inner = 0;
  for (const uint8_t depth : {uint8_t{1}, uint8_t{2}}) {
    reports.clear();
    after_acquire(&inner, invalidate_lock_class, nest::normal, depth, held::exclusive);
    before_acquire(&outer, i_rwsem_class, nest::normal, depth, held::exclusive);
    before_release(&inner, invalidate_lock_class, held::exclusive);
    EXPECT_EQ(reports.size(), depth == 1 ? 1u : 0u) << "told once for all depths";
  }
}

TEST_F(lock_order_test, no_pair_is_said_twice_or_both_ways) {
  std::set<std::tuple<const lock_class*, nest, const lock_class*, nest>> seen;
  for (const published_order& o : published_orders()) {
    EXPECT_TRUE(seen.insert({&o.outer, o.outer_level, &o.inner, o.inner_level}).second)
        << o.outer.name << " before " << o.inner.name;
    EXPECT_FALSE(seen.contains({&o.inner, o.inner_level, &o.outer, o.outer_level}))
        << o.outer.name << " and " << o.inner.name;
  }
}

}  // namespace
HF_NAMESPACE_END
