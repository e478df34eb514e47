// SPDX-License-Identifier: Apache-2.0
// Every rule of the validator is broken here once, and the report is expected.
#include "holdfast/sync/hooks.h"

#include <thread>

#include "holdfast/sync/completion.h"
#include "holdfast/sync/guard.h"
#include "holdfast/sync/lockref.h"
#include "holdfast/sync/mutex.h"
#include "holdfast/sync/percpu_rwsem.h"
#include "holdfast/sync/rcu.h"
#include "holdfast/sync/rwsem.h"
#include "holdfast/sync/seqlock.h"
#include "holdfast/sync/srcu.h"
#include "sync/check_fixture.h"
#include "sync/thread.h"

namespace holdfast {
namespace {

constinit lock_class class_a{"a", lock_kind::mutex};
constinit lock_class class_b{"b", lock_kind::rwsem};
constinit lock_class class_c{"c", lock_kind::mutex};
constinit lock_class class_spin{"spin", lock_kind::spinlock};
constinit lock_class class_p{"p", lock_kind::percpu_rwsem};
constinit lock_class class_s{"s", lock_kind::srcu};

using mutex_a = mutex<class_a>;
using rwsem_b = rwsem<class_b>;
using mutex_c = mutex<class_c>;
using spin = spinlock<class_spin>;

// The rules are broken on purpose, which the static analysis would refuse.
#define BREAKS_RULES HF_NO_THREAD_SAFETY_ANALYSIS

class Hooks : public checked_test {};

TEST_F(Hooks, HeldSetKnowsModesAndStacks) {
  mutex_a a;
  rwsem_b b;
  exclusive_guard ga(a);
  shared_guard gb(b);
  EXPECT_EQ(held_mode(&a), held::exclusive);
  EXPECT_EQ(held_mode(&b), held::shared);
  ASSERT_EQ(this_context().held_count, 2u);
  EXPECT_GT(this_context().held_locks[0].frames, 1);
  gb.unlock();
  EXPECT_EQ(held_mode(&b), held::none);
  ga.unlock();
  EXPECT_EQ(this_context().held_count, 0u);
  EXPECT_TRUE(found().empty());
}

TEST_F(Hooks, Downgrade) {
  rwsem_b b;
  [&]() BREAKS_RULES {
    b.lock();
    b.downgrade();
    EXPECT_EQ(held_mode(&b), held::shared);
    EXPECT_FALSE(b.is_write_locked());
    EXPECT_TRUE(b.is_locked());
    b.unlock_shared();
    EXPECT_TRUE(found().empty());
    b.lock_shared();
    b.unlock_shared();
    detail::hook_downgrade(&b, class_b);
  }();
  EXPECT_EQ(count(violation_kind::wrong_release), 1u);
}

TEST_F(Hooks, Recursion) {
  mutex_a a;
  rwsem_b b;
  a.lock();
  before_acquire(&a, class_a, nest::normal, 0,
                 held::exclusive);  // what a.lock() does before it hangs
  a.unlock();
  EXPECT_EQ(count(violation_kind::recursion), 1u);
  b.lock();
  before_acquire(&b, class_b, nest::normal, 0, held::shared);
  b.unlock();
  EXPECT_EQ(count(violation_kind::recursion), 2u);
  EXPECT_EQ(found()[0].locks_held, 1u);
  EXPECT_GT(found()[0].frames, 1u);
}

TEST_F(Hooks, ReleaseByAnotherContext) {
  mutex_a a;
  [&]() BREAKS_RULES {
    a.lock();
    std::thread([&]() BREAKS_RULES { a.unlock(); }).join();
    EXPECT_EQ(count(violation_kind::wrong_release), 1u);
    before_release(&a, class_a, held::exclusive);
  }();
}

TEST_F(Hooks, ReleaseInTheWrongMode) {
  rwsem_b b;
  [&]() BREAKS_RULES {
    b.lock();
    before_release(&b, class_b, held::shared);
  }();
  EXPECT_EQ(count(violation_kind::wrong_release), 1u);
  EXPECT_EQ(held_mode(&b), held::none);
}

TEST_F(Hooks, UnpairedSpinUnlockLeavesTheDepthIntact) {
  spin s;
  [&]() BREAKS_RULES { s.unlock(); }();
  EXPECT_EQ(count(violation_kind::wrong_release), 1u);
  EXPECT_TRUE(may_block());
}

void take_ab(mutex_a& a, rwsem_b& b) {
  exclusive_guard ga(a);
  exclusive_guard gb(b);
}
void take_bc(rwsem_b& b, mutex_c& c) {
  exclusive_guard gb(b);
  exclusive_guard gc(c);
}
void take_ca(mutex_c& c, mutex_a& a) {
  exclusive_guard gc(c);
  exclusive_guard ga(a);
}

TEST_F(Hooks, OrderCycleOverThreeClassesIsReportedOnceWithItsChain) {
  mutex_a a;
  rwsem_b b;
  mutex_c c;
  take_ab(a, b);
  take_bc(b, c);
  EXPECT_TRUE(found().empty());
  {
    operation_scope op("rename", "/x", "/y");
    for (int i = 0; i < 3; ++i) take_ca(c, a);
  }
  ASSERT_EQ(found().size(), 1u);
  EXPECT_EQ(found()[0].kind, violation_kind::order);
  EXPECT_EQ(found()[0].chain_length, 2u);
  EXPECT_EQ(found()[0].operation, "rename");
  EXPECT_EQ(violation_count(), 3u);
  take_ab(a, b);  // the known order stays good
  EXPECT_EQ(found().size(), 1u);
}

TEST_F(Hooks, ChainCarriesTheStacksOfBothSides) {
  static size_t outer_frames;
  static size_t inner_frames;
  static size_t known_frames;
  set_violation_sink([](const sync_violation& v) {
    outer_frames = v.new_edge->outer_frames;
    inner_frames = v.new_edge->inner_frames;
    known_frames = v.chain[0].outer_frames;
    print_violation(v);
  });
  mutex_a a;
  rwsem_b b;
  take_ab(a, b);
  ::testing::internal::CaptureStderr();
  {
    exclusive_guard gb(b);
    exclusive_guard ga(a);
  }
  std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_GT(outer_frames, 1u);
  EXPECT_GT(inner_frames, 1u);
  EXPECT_GT(known_frames, 1u);
  EXPECT_NE(text.find("takes a while it holds b"), std::string::npos) << text;
  EXPECT_NE(text.find("contradicts what is known"), std::string::npos) << text;
  EXPECT_NE(text.find("locks held: 1"), std::string::npos) << text;
}

TEST_F(Hooks, SameClassNeedsALevelOrADepth) {
  rwsem_b parent;
  rwsem_b child;
  rwsem_b upper;
  {
    exclusive_guard g1(parent, nest::parent);
    exclusive_guard g2(child, nest::child);
  }
  upper.set_stack_depth(1);
  {
    exclusive_guard g1(upper);
    exclusive_guard g2(parent);
  }
  EXPECT_TRUE(found().empty());
  {
    exclusive_guard g1(parent, nest::child);
    exclusive_guard g2(child, nest::parent);
  }
  EXPECT_EQ(count(violation_kind::order), 1u);
  {
    exclusive_guard g1(parent);
    exclusive_guard g2(child);
  }
  EXPECT_EQ(count(violation_kind::same_class), 1u);
}

TEST_F(Hooks, TryLockAddsNoOrder) {
  mutex_a a;
  rwsem_b b;
  take_ab(a, b);
  b.lock();
  if (a.try_lock()) a.unlock();
  b.unlock();
  EXPECT_TRUE(found().empty());
}

TEST_F(Hooks, DeclaredOrderIsKnownBeforeItIsSeen) {
  static constinit lock_class outer{"declared_outer", lock_kind::mutex};
  static constinit lock_class inner{"declared_inner", lock_kind::mutex};
  declare_order(outer, nest::normal, inner, nest::normal);
  mutex<outer> o;
  mutex<inner> i;
  exclusive_guard gi(i);
  exclusive_guard go(o);
  EXPECT_EQ(count(violation_kind::order), 1u);
}

// What lockdep calls a missing dependency: the section waits for the lock, the lock's holder for
// the end of all sections.
TEST_F(Hooks, ALockTakenInAnRcuSectionIsNotHeldOverAGracePeriod) {
  static constinit lock_class leaf{"rcu_leaf", lock_kind::spinlock};
  static constinit lock_class outer{"rcu_outer", lock_kind::mutex};
  spinlock<leaf> s;
  mutex<outer> m;
  {
    exclusive_guard hold(m);
    synchronize_rcu();  // fine: no section waits for m
  }
  {
    rcu_read_guard rcu;
    exclusive_guard hold(s);
  }
  EXPECT_TRUE(found().empty());
  {
    // By its hooks alone: blocking under the spinlock would be reported first.
    before_acquire(&s, leaf, nest::normal, 0, held::exclusive);
    after_acquire(&s, leaf, nest::normal, 0, held::exclusive);
    detail::hook_wait_for_readers(rcu_class);
    before_release(&s, leaf, held::exclusive);
  }
  ASSERT_EQ(count(violation_kind::order), 1u);
  EXPECT_NE(found().back().summary.find("RCU section"), std::string::npos)
      << found().back().summary;
  EXPECT_EQ(found().back().chain_length, 1u);
}

TEST_F(Hooks, AnRcuCallbackMustNotWantWhatTheBarrierIsWaitedForUnder) {
  static constinit lock_class leaf{"barrier_leaf", lock_kind::spinlock};
  static spinlock<leaf> s;
  static rcu_head head;
  call_rcu(head, [](rcu_head&) { exclusive_guard hold(s); });
  rcu_barrier();
  EXPECT_TRUE(found().empty());
  before_acquire(&s, leaf, nest::normal, 0, held::exclusive);
  after_acquire(&s, leaf, nest::normal, 0, held::exclusive);
  detail::hook_wait_for_readers(rcu_callback_class);
  before_release(&s, leaf, held::exclusive);
  EXPECT_EQ(count(violation_kind::order), 1u);
}

TEST_F(Hooks, EnteringAReadSectionIsInNoOrder) {
  static constinit lock_class leaf{"section_leaf", lock_kind::spinlock};
  static constinit lock_class domain_class{"section_srcu", lock_kind::srcu};
  spinlock<leaf> s;
  srcu_domain<domain_class> domain;
  ASSERT_TRUE(domain.init().ok());
  {
    exclusive_guard hold(s);
    rcu_read_guard rcu;
    domain.read_unlock(domain.read_lock());
  }
  {
    rcu_read_guard rcu;
    const int token = domain.read_lock();
    exclusive_guard hold(s);
    domain.read_unlock(token);
  }
  EXPECT_TRUE(found().empty()) << found().back().summary;
}

TEST_F(Hooks, AnSrcuGracePeriodIsWaitedForUnderNoLockOfItsReaders) {
  static constinit lock_class domain_class{"sync_srcu", lock_kind::srcu};
  mutex_a a;
  srcu_domain<domain_class> domain;
  ASSERT_TRUE(domain.init().ok());
  {
    const int token = domain.read_lock();
    exclusive_guard hold(a);
    domain.read_unlock(token);
  }
  exclusive_guard hold(a);
  domain.synchronize();
  EXPECT_EQ(count(violation_kind::order), 1u);
}

TEST_F(Hooks, ReadingASeqlockIsInTheOrderOfItsWriters) {
  static constinit lock_class seq_class{"read_seq", lock_kind::seqlock};
  static constinit lock_class leaf{"seq_leaf", lock_kind::spinlock};
  seqlock<seq_class> seq;
  spinlock<leaf> s;
  {
    exclusive_guard hold(seq);
    exclusive_guard inner(s);
  }
  {
    const uint32_t start = seq.read_begin();
    exclusive_guard inner(s);  // nobody waits for a reader: no order
    EXPECT_TRUE(!seq.read_retry(start));
  }
  EXPECT_TRUE(found().empty());
  exclusive_guard hold(s);
  EXPECT_TRUE(!seq.read_retry(seq.read_begin()));  // would wait for a writer that waits for s
  EXPECT_EQ(count(violation_kind::order), 1u);
}

TEST_F(Hooks, AWriterThatReadsItsOwnSeqlockWaitsForItself) {
  static constinit lock_class seq_class{"own_seq", lock_kind::seqlock};
  seqlock<seq_class> seq;
  exclusive_guard hold(seq);
  detail::hook_seq_read(seq.id(), seq_class, false);
  EXPECT_TRUE(found().empty()) << "without a write section it only excludes writers";
  detail::hook_seq_read(seq.id(), seq_class, true);
  EXPECT_EQ(count(violation_kind::recursion), 1u);
}

TEST_F(Hooks, BlockingWhereItIsForbidden) {
  mutex_a a;
  spin s;
  EXPECT_TRUE(may_block());
  {
    rcu_read_guard r;
    EXPECT_FALSE(may_block());
    exclusive_guard g(a);
  }
  EXPECT_EQ(count(violation_kind::blocks_in_rcu), 1u);
  {
    exclusive_guard gs(s);
    EXPECT_FALSE(may_block());
    exclusive_guard g(a);
  }
  EXPECT_EQ(count(violation_kind::blocks_in_atomic), 1u);
  {
    no_block_guard n("->d_hash may not block");
    EXPECT_FALSE(may_block());
    might_block("a read from the device");
  }
  ASSERT_EQ(count(violation_kind::blocks_forbidden), 1u);
  EXPECT_NE(found().back().summary.find("->d_hash may not block"), std::string::npos);
  EXPECT_TRUE(may_block());
  might_block("fine");
  EXPECT_EQ(found().size(), 3u);
}

TEST_F(Hooks, ABorrowedContextBringsItsLocksAndItsLimits) {
  mutex_a a;
  a.lock();
  exec_context& lender = this_context();
  no_block_guard n("in a fault");
  std::thread([&] {
    borrow_context b(lender);
    EXPECT_EQ(held_mode(&a), held::exclusive);
    EXPECT_FALSE(may_block());
    before_acquire(&a, class_a, nest::normal, 0, held::exclusive);
  }).join();
  EXPECT_EQ(count(violation_kind::recursion), 1u);
  EXPECT_EQ(count(violation_kind::blocks_forbidden), 1u);
  a.unlock();
}

TEST_F(Hooks, RcuMisuse) {
  static int x = 1;
  rcu_ptr<int> p(&x);
  rcu_read_unlock();
  EXPECT_EQ(count(violation_kind::rcu_unbalanced), 1u);
  EXPECT_FALSE(rcu_read_lock_held());
  EXPECT_EQ(*p.load(), 1);
  EXPECT_EQ(count(violation_kind::rcu_unprotected), 1u);
  {
    rcu_read_guard g;
    EXPECT_EQ(*p.load(), 1);
    might_block("synchronize_rcu");
  }
  EXPECT_EQ(count(violation_kind::rcu_unprotected), 1u);
  EXPECT_EQ(count(violation_kind::blocks_in_rcu), 1u);
}

TEST_F(Hooks, SrcuReadersMaySleepButNotWaitForThemselves) {
  mutex_a a;
  srcu_domain<class_s> d;
  ASSERT_TRUE(d.init());
  int t = d.read_lock();
  {
    exclusive_guard g(a);
  }
  EXPECT_TRUE(found().empty());
  detail::srcu_check_synchronize(&d, class_s);
  EXPECT_EQ(count(violation_kind::recursion), 1u);
  d.read_unlock(t);
  d.synchronize();
}

TEST_F(Hooks, LocksLeftBehind) {
  mutex_a a;
  a.lock();
  assert_no_locks_held("open");
  a.unlock();
  EXPECT_EQ(count(violation_kind::left_locked), 1u);
  rcu_read_lock();
  assert_no_locks_held("stat");
  rcu_read_unlock();
  EXPECT_EQ(count(violation_kind::left_locked), 2u);
  assert_no_locks_held("close");
  EXPECT_EQ(count(violation_kind::left_locked), 2u);
}

TEST_F(Hooks, MoreLocksThanFitAreReportedAndForgiven) {
  static char locks[max_held_locks + 2];
  static constinit lock_class many{"many", lock_kind::folio};
  for (char& l : locks) after_acquire(&l, many, nest::normal, 0, held::exclusive);
  EXPECT_EQ(count(violation_kind::too_many_locks), 1u);
  for (char& l : locks) before_release(&l, many, held::exclusive);
  EXPECT_EQ(found().size(), 1u);
  EXPECT_EQ(this_context().held_count, 0u);
}

TEST_F(Hooks, PercpuHoldPassesToAnotherThread) {
  percpu_rwsem<class_p> p;
  ASSERT_TRUE(p.init());
  [&]() BREAKS_RULES {
    p.lock_shared();
    p.pass_on(held::shared);
    std::thread([&]() BREAKS_RULES {
      p.take_over(held::shared);
      p.unlock_shared();
    }).join();
    EXPECT_TRUE(p.try_lock());
    p.unlock();
  }();
  EXPECT_TRUE(found().empty());
}

TEST_F(Hooks, SchedulePointsAreSeen) {
  static std::atomic<int> events[9];
  for (auto& e : events) e = 0;
  set_sched_hook([](sched_event e, const void*) { ++events[static_cast<int>(e)]; });
  mutex_a a;
  a.lock();
  a.unlock();
  rcu_read_lock();
  rcu_read_unlock();
  synchronize_rcu();
  set_sched_hook(nullptr);
  for (sched_event e : {sched_event::acquire, sched_event::acquired, sched_event::release,
                        sched_event::rcu_lock, sched_event::rcu_unlock, sched_event::rcu_wait})
    EXPECT_EQ(events[static_cast<int>(e)], 1) << static_cast<int>(e);
}

TEST_F(Hooks, LockrefGetOnALockedSiblingIsNoViolation) {
  lockref<class_spin> one(1);
  lockref<class_spin> two(1);
  exclusive_guard g(one);
  two.get();
  EXPECT_EQ(two.count(), 2);
  EXPECT_TRUE(found().empty());
}

TEST(HooksOff, NothingIsRecorded) {
  if (checking_on()) GTEST_SKIP() << "checking is on for the whole run";
  mutex_a a;
  a.lock();
  EXPECT_EQ(held_mode(&a), held::none);
  EXPECT_EQ(this_context().held_count, 0u);
  a.unlock();
}

TEST(HooksDeath, AbortModeAborts) {
  if (!checking_compiled_in) GTEST_SKIP();
  EXPECT_DEATH(
      {
        set_check_mode(check_mode::abort);
        rcu_read_unlock();
      },
      "rcu_unbalanced");
}

}  // namespace
}  // namespace holdfast
