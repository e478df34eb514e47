// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "holdfast/sync/rcu.h"

HF_NAMESPACE_BEGIN
namespace {

TEST(rcu_mark_test, passes_with_a_grace_period_that_began_later) {
  rcu_barrier();  // of callbacks that others left: their grace periods count as well
  const uint64_t mark = rcu_mark();
  EXPECT_NE(mark, 0u);
  EXPECT_FALSE(rcu_passed(mark));
  synchronize_rcu();
  EXPECT_TRUE(rcu_passed(mark));
  EXPECT_FALSE(rcu_passed(rcu_mark()));
}

TEST(rcu_mark_test, a_callback_finds_its_mark_passed) {
  struct object {
    rcu_head head;
    uint64_t mark = 0;
    bool passed = false;
  };
  static object o;
  o.mark = rcu_mark();
  call_rcu(o.head, [](rcu_head&) { o.passed = rcu_passed(o.mark); });
  rcu_barrier();
  EXPECT_TRUE(o.passed);
}

// A grace period under way when the mark is taken does not count, however long it still takes.
TEST(rcu_mark_test, is_not_passed_while_a_section_from_before_is_open) {
  std::atomic<bool> inside{false}, leave{false};
  std::thread reader([&] {
    const rcu_read_guard section;
    inside = true;
    while (!leave) std::this_thread::yield();
  });
  while (!inside) std::this_thread::yield();
  const uint64_t mark = rcu_mark();
  std::thread waiter([] { synchronize_rcu(); });
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(rcu_passed(mark));
    std::this_thread::yield();
  }
  leave = true;
  reader.join();
  waiter.join();
  EXPECT_TRUE(rcu_passed(mark));
}

}  // namespace
HF_NAMESPACE_END
