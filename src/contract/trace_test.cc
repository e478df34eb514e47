// SPDX-License-Identifier: Apache-2.0
#include "holdfast/trace.h"

#include <gmock/gmock.h>

#include <thread>

#include "contract/test_locks.h"
#include "holdfast/sync/guard.h"
#include "holdfast/sync/mutex.h"
#include "holdfast/sync/rcu.h"
#include "holdfast/sync/rwsem.h"

namespace holdfast {
namespace {

using namespace contract_test;

struct seen {
  trace_kind kind;
  const void* lock;
  held mode;
  nest level;
  int thread;
  std::string text;  // operation and detail, or table.method
  bool failed;
  std::vector<trace_rule> rules;
};

class trace_test : public contract_fixture {
 protected:
  void SetUp() override {
    contract_fixture::SetUp();
    set_trace_sink(
        [](const trace_event& e, void* self) {
          auto& me = *static_cast<trace_test*>(self);
          std::string what(e.method.empty() ? e.operation : e.table);
          what += e.method.empty() ? " " + std::string(e.detail) : "." + std::string(e.method);
          const std::lock_guard g(me.lock_);
          me.events.push_back({e.kind,
                               e.lock,
                               e.mode,
                               e.level,
                               e.thread,
                               what,
                               e.failed,
                               {e.rules.begin(), e.rules.end()}});
        },
        this);
  }
  void TearDown() override {
    set_trace_sink(nullptr, nullptr);
    contract_fixture::TearDown();
  }
  std::vector<trace_kind> kinds() const {
    std::vector<trace_kind> out;
    for (const seen& s : events) out.push_back(s.kind);
    return out;
  }
  std::vector<seen> events;
  std::mutex lock_;
};

TEST_F(trace_test, a_call_is_told_from_its_locks_to_its_end) {
  stand_in dir(test_rwsem_class, nest::parent);
  {
    const operation_scope operation("mkdir", "/a");
    dir.take(held::exclusive);
    gate g(method_id::inode_mkdir);
    g.lock(column::i_rwsem, dir, "dir");
    g.enter();
    g.leave(true);
    dir.drop();
  }
  using enum trace_kind;
  ASSERT_THAT(kinds(), testing::ElementsAre(operation_begin, lock_taken, method_entered,
                                            method_left, lock_dropped, operation_end));
  EXPECT_EQ(events[0].text, "mkdir /a");
  EXPECT_EQ(events[1].lock, &dir);
  EXPECT_EQ(events[1].mode, held::exclusive);
  EXPECT_EQ(events[1].level, nest::parent);
  EXPECT_EQ(events[2].text, "inode_operations.mkdir");
  ASSERT_EQ(events[2].rules.size(), 2u);
  const trace_rule& cell = events[2].rules[0];
  EXPECT_EQ(cell.edition, "6.6");
  EXPECT_EQ(cell.column, "i_rwsem(inode)");
  EXPECT_EQ(cell.cell, "exclusive");
  EXPECT_EQ(cell.role, "dir");
  EXPECT_EQ(cell.lock, &dir);
  EXPECT_EQ(cell.found, held::exclusive);
  EXPECT_TRUE(cell.satisfied);
  EXPECT_EQ(events[2].rules[1].rule, "6.6-inode-1");
  EXPECT_TRUE(events[2].rules[1].satisfied);
  EXPECT_TRUE(events[3].failed);
  EXPECT_TRUE(events[3].rules.empty());
}

TEST_F(trace_test, a_broken_rule_is_told_as_broken) {
  stand_in dir(test_rwsem_class);
  const no_block_guard forbidden("the test forbids it");
  gate g(method_id::inode_mkdir);
  g.lock(column::i_rwsem, dir, "dir");
  g.enter();
  g.leave(false);
  ASSERT_EQ(events.size(), 2u);
  ASSERT_EQ(events[0].rules.size(), 2u);
  EXPECT_FALSE(events[0].rules[0].satisfied);
  EXPECT_EQ(events[0].rules[0].found, held::none);
  EXPECT_FALSE(events[0].rules[1].satisfied)
      << "it may block, and was called where that is forbidden";
  EXPECT_EQ(reports.size(), 2u);
}

TEST_F(trace_test, a_method_that_may_not_block_satisfies_its_rule_anywhere) {
  const rcu_read_guard rcu;
  gate g(method_id::dentry_d_hash);
  g.enter();
  g.leave(false);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].kind, trace_kind::rcu_begin);
  EXPECT_FALSE(events[1].rules.empty());
  for (const trace_rule& r : events[1].rules) EXPECT_TRUE(r.satisfied) << r.column;
}

TEST_F(trace_test, who_sleeps_for_a_lock_says_so_once) {
  static rwsem<test_rwsem_class> lock;
  lock.lock();
  const int holder = events.back().thread;
  std::thread other([] {
    lock.lock_shared();
    lock.unlock_shared();
  });
  const auto waits = [&] {
    const std::lock_guard g(lock_);
    size_t n = 0;
    for (const seen& s : events) n += s.kind == trace_kind::lock_waits;
    return n;
  };
  while (waits() == 0) std::this_thread::yield();
  lock.unlock();
  other.join();
  using enum trace_kind;
  EXPECT_THAT(kinds(),
              testing::ElementsAre(lock_taken, lock_waits, lock_dropped, lock_taken, lock_dropped));
  EXPECT_EQ(events[1].lock, &lock);
  EXPECT_EQ(events[1].mode, held::shared);
  EXPECT_NE(events[1].thread, holder);
  EXPECT_EQ(events[2].thread, holder);
}

// The analysis does not know that a lock is downgraded.
void take_and_downgrade(rwsem<test_rwsem_class>& lock) HF_NO_THREAD_SAFETY_ANALYSIS {
  lock.lock();
  lock.downgrade();
  forget_held(&lock, test_rwsem_class, held::shared);
  after_acquire(&lock, test_rwsem_class, nest::normal, 0, held::shared);
  lock.unlock_shared();
}

TEST_F(trace_test, passing_on_is_no_release_and_downgrading_is_told) {
  static rwsem<test_rwsem_class> lock;
  take_and_downgrade(lock);
  using enum trace_kind;
  EXPECT_THAT(kinds(), testing::ElementsAre(lock_taken, lock_downgraded, lock_passed_on, lock_taken,
                                            lock_dropped));
}

TEST_F(trace_test, only_the_outermost_read_section_is_told) {
  {
    const rcu_read_guard outer;
    const rcu_read_guard inner;
  }
  EXPECT_THAT(kinds(), testing::ElementsAre(trace_kind::rcu_begin, trace_kind::rcu_end));
}

TEST_F(trace_test, locks_are_told_with_checking_off_and_nothing_without_a_sink) {
  static rwsem<test_rwsem_class> lock;
  set_check_mode(check_mode::off);
  EXPECT_TRUE(instrumented());
  {
    const exclusive_guard g(lock);
  }
  EXPECT_EQ(events.size(), 2u);
  set_trace_sink(nullptr, nullptr);
  EXPECT_FALSE(instrumented());
  EXPECT_FALSE(tracing());
  {
    const exclusive_guard g(lock);
  }
  EXPECT_EQ(events.size(), 2u);
}

}  // namespace
}  // namespace holdfast
