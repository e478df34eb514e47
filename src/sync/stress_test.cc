// SPDX-License-Identifier: Apache-2.0
// Each primitive under several threads: exclusion, no lost wake-ups, grace periods. Plain data are
// guarded by the primitive alone, so TSan judges the ordering.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "holdfast/sync/completion.h"
#include "holdfast/sync/guard.h"
#include "holdfast/sync/lockref.h"
#include "holdfast/sync/mutex.h"
#include "holdfast/sync/percpu_rwsem.h"
#include "holdfast/sync/protected.h"
#include "holdfast/sync/rcu.h"
#include "holdfast/sync/rwsem.h"
#include "holdfast/sync/seqlock.h"
#include "holdfast/sync/srcu.h"
#include "holdfast/sync/wait_queue.h"

namespace holdfast {
namespace {

constinit lock_class m_class{"stress_mutex", lock_kind::mutex};
constinit lock_class r_class{"stress_rwsem", lock_kind::rwsem};
constinit lock_class p_class{"stress_percpu", lock_kind::percpu_rwsem};
constinit lock_class s_class{"stress_spin", lock_kind::spinlock};
constinit lock_class q_class{"stress_seq", lock_kind::seqlock};
constinit lock_class u_class{"stress_srcu", lock_kind::srcu};
constinit lock_class w_class{"stress_wait", lock_kind::spinlock};

constexpr int threads = 4;
constexpr int rounds = 20000;

template <class F>
void run(F f) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([&f, i] { f(i); });
  for (std::thread& t : all) t.join();
}

template <class L>
void count_under(L& lock) {
  long n = 0;
  run([&](int) {
    for (int i = 0; i < rounds; ++i) {
      exclusive_guard g(lock);
      ++n;
    }
  });
  EXPECT_EQ(n, long{threads} * rounds);
  EXPECT_FALSE(lock.is_locked());
}

TEST(Stress, Mutex) {
  mutex<m_class> m;
  count_under(m);
}
TEST(Stress, Spinlock) {
  spinlock<s_class> s;
  count_under(s);
  EXPECT_TRUE(may_block());
}
TEST(Stress, RwsemWriters) {
  rwsem<r_class> r;
  count_under(r);
  EXPECT_FALSE(r.has_waiters());
}
TEST(Stress, Lockref) {
  lockref<s_class> l(1);
  count_under(l);
  EXPECT_EQ(l.count(), 1);
}

template <class L>
void read_and_write(L& lock, int write_every) {
  long a = 0;
  long b = 0;
  std::atomic<long> writes{0};
  run([&](int who) {
    for (int i = 0; i < rounds; ++i) {
      if ((i + who) % write_every == 0) {
        exclusive_guard g(lock);
        ++a;
        ++b;
        ++writes;
      } else {
        shared_guard g(lock);
        ASSERT_EQ(a, b);
      }
    }
  });
  EXPECT_EQ(a, writes.load());
}

TEST(Stress, RwsemMixed) {
  for (int every : {2, 5, 50}) {
    rwsem<r_class> r;
    read_and_write(r, every);
    EXPECT_FALSE(r.is_locked());
    EXPECT_FALSE(r.has_waiters());
  }
}
TEST(Stress, PercpuRwsem) {
  percpu_rwsem<p_class> p;
  ASSERT_TRUE(p.init());
  read_and_write(p, 100);
  [&]() HF_NO_THREAD_SAFETY_ANALYSIS {
    ASSERT_TRUE(p.try_lock());
    EXPECT_FALSE(p.try_lock_shared());
    p.unlock();
  }();
}

// Writers come through while readers overlap without end.
TEST(Stress, RwsemWriterIsNotStarved) {
  rwsem<r_class> r;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop.load()) {
        shared_guard g(r);
        for (int k = 0; k < 50; ++k) std::atomic_signal_fence(std::memory_order_seq_cst);
      }
    });
  for (int i = 0; i < 200; ++i) exclusive_guard g(r);
  stop = true;
  for (std::thread& t : readers) t.join();
  EXPECT_FALSE(r.is_locked());
}

TEST(Stress, RwsemDowngradeLetsReadersInAndKeepsWritersOut) {
  rwsem<r_class> r;
  long value = 0;
  run([&](int) HF_NO_THREAD_SAFETY_ANALYSIS {
    for (int i = 0; i < rounds / 4; ++i) {
      r.lock();
      long mine = ++value;
      r.downgrade();
      ASSERT_EQ(value, mine);
      r.unlock_shared();
    }
  });
  EXPECT_EQ(value, long{threads} * (rounds / 4));
}

TEST(Stress, RwsemTryLock) {
  rwsem<r_class> r;
  [&]() HF_NO_THREAD_SAFETY_ANALYSIS {
    ASSERT_TRUE(r.try_lock_shared());
    EXPECT_TRUE(r.try_lock_shared());
    EXPECT_FALSE(r.try_lock());
    r.unlock_shared();
    r.unlock_shared();
    ASSERT_TRUE(r.try_lock());
    EXPECT_FALSE(r.try_lock_shared());
    r.unlock();
  }();
}

TEST(Stress, SeqlockReadersSeeNoHalfWrites) {
  seqlock<q_class> s;
  relaxed<long> a{0};
  relaxed<long> b{0};
  run([&](int who) {
    for (int i = 0; i < rounds; ++i) {
      if (who == 0) {
        exclusive_guard g(s);
        a = a + 1;
        b = b + 1;
        continue;
      }
      long x = 0;
      long y = 0;
      uint32_t seq = 0;
      do {
        seq = s.read_begin();
        x = a;
        y = b;
      } while (s.read_retry(seq));
      ASSERT_EQ(x, y);
    }
  });
  EXPECT_EQ(a.load(), rounds);
}

TEST(Stress, LockrefCounts) {
  lockref<s_class> l(1);
  run([&](int who) {
    for (int i = 0; i < rounds; ++i) {
      ASSERT_TRUE(l.get_not_dead());
      if (who == 0) exclusive_guard g(l);
      if (!l.put_or_lock()) {
        ADD_FAILURE() << "the first reference is still there";
        l.unlock();
      }
    }
  });
  EXPECT_EQ(l.count(), 1);
  EXPECT_FALSE(l.put_return());
  if (!l.put_or_lock()) {
    l.mark_dead();
    l.unlock();
  }
  EXPECT_TRUE(l.is_dead());
  EXPECT_FALSE(l.get_not_dead());
  EXPECT_FALSE(l.get_not_zero());
}

struct node {
  explicit node(long v) : value(v), check(~v) {}
  ~node() { value = check = 0; }
  long value;
  long check;
  rcu_head head;
};
std::atomic<long> freed{0};

TEST(Stress, RcuReadersSeeLiveNodesAndAllAreFreed) {
  freed = 0;
  rcu_ptr<node> p(new node(0));
  mutex<m_class> writers;
  run([&](int who) {
    for (int i = 1; i <= rounds; ++i) {
      if (who == 0) {
        auto* fresh = new node(i);
        exclusive_guard g(writers);
        node* old = p.exchange(fresh);
        call_rcu(old->head, [](rcu_head& h) {
          delete &container_of<&node::head>(h);
          ++freed;
        });
      } else if (who == 1 && i % 500 == 0) {
        synchronize_rcu();
      } else {
        rcu_read_guard g;
        node* n = p.load();
        ASSERT_EQ(n->value, ~n->check);
      }
    }
  });
  rcu_barrier();
  EXPECT_EQ(freed.load(), rounds);
  EXPECT_EQ(rcu_pending(), 0u);
  delete p.load_owned();
}

TEST(Stress, SynchronizeRcuWaitsForASection) {
  std::atomic<int> phase{0};
  long data = 1;
  std::thread reader([&] {
    rcu_read_lock();
    rcu_read_lock();
    phase = 1;
    rcu_read_unlock();
    for (int i = 0; i < 200; ++i) std::this_thread::yield();
    EXPECT_EQ(data, 1);
    rcu_read_unlock();
  });
  while (phase.load() == 0) std::this_thread::yield();
  synchronize_rcu();
  data = 2;
  reader.join();
}

TEST(Stress, CallRcuBacklogIsBounded) {
  struct tiny {
    rcu_head head;
  };
  uint64_t most = 0;
  for (int i = 0; i < 200000; ++i) {
    call_rcu((new tiny)->head, [](rcu_head& h) { delete &container_of<&tiny::head>(h); });
    if (i % 64 == 0 && rcu_pending() > most) most = rcu_pending();
  }
  EXPECT_LE(most, 16u * 4096u + 1);
  rcu_barrier();
  EXPECT_EQ(rcu_pending(), 0u);
}

TEST(Stress, SrcuSynchronizeWaits) {
  srcu_domain<u_class> d;
  ASSERT_TRUE(d.init());
  std::atomic<long*> p{new long(1)};
  run([&](int who) {
    for (int i = 0; i < rounds / 10; ++i) {
      if (who == 0) {
        long* old = p.exchange(new long(1));
        d.synchronize();
        *old = 0;
        delete old;
      } else {
        int t = d.read_lock();
        long* v = p.load();
        if (i % 64 == 0) std::this_thread::yield();
        EXPECT_EQ(*v, 1);
        d.read_unlock(t);
      }
    }
  });
  delete p.load();
}

TEST(Stress, WaitQueuePingPongLosesNoWake) {
  wait_queue<w_class> q;
  std::atomic<int> turn{0};
  run([&](int who) {
    for (int i = 0; i < 2000; ++i) {
      q.wait([&] { return turn.load() % threads == who; });
      ++turn;
      q.wake_all();
    }
  });
  EXPECT_EQ(turn.load(), threads * 2000);
  EXPECT_TRUE(q.empty());
}

TEST(Stress, WaitQueueDeadlineAndCallback) {
  wait_queue<w_class> q;
  EXPECT_FALSE(q.wait_until(monotonic_ns() + 1'000'000, [] { return false; }));
  EXPECT_TRUE(q.empty());
  struct call : wait_entry {
    int calls = 0;
  } c, d;
  c.func = d.func = [](wait_entry& e) { ++static_cast<call&>(e).calls; };
  q.add(c);
  q.add(d);
  q.wake_one();
  EXPECT_EQ(c.calls, 1);
  EXPECT_EQ(d.calls, 0);
  EXPECT_TRUE(q.remove(d));
  EXPECT_FALSE(q.remove(c));
  q.wake_all();
  EXPECT_EQ(d.calls, 0);
}

TEST(Stress, CompletionOnTheWaitersStack) {
  mutex<m_class> m;
  completion<w_class>* slot = nullptr;
  std::atomic<bool> stop{false};
  std::thread completer([&] {
    while (!stop.load()) {
      completion<w_class>* c = nullptr;
      {
        exclusive_guard g(m);
        c = slot;
        slot = nullptr;
      }
      if (c != nullptr)
        c->complete();
      else
        std::this_thread::yield();
    }
  });
  for (int i = 0; i < rounds / 4; ++i) {
    completion<w_class> c;
    {
      exclusive_guard g(m);
      slot = &c;
    }
    c.wait();
  }
  stop = true;
  completer.join();
}

TEST(Stress, CompletionCountsAndCallsBack) {
  completion<w_class> c;
  c.complete();
  c.complete();
  EXPECT_TRUE(c.try_wait());
  c.wait();
  EXPECT_FALSE(c.try_wait());
  EXPECT_FALSE(c.wait_until(monotonic_ns() + 1'000'000));
  struct call : wait_entry {
    int calls = 0;
  } e, f;
  e.func = f.func = [](wait_entry& w) { ++static_cast<call&>(w).calls; };
  c.on_complete(e);
  c.on_complete(f);
  EXPECT_TRUE(c.cancel(f));
  c.complete_all();
  EXPECT_EQ(e.calls, 1);
  EXPECT_EQ(f.calls, 0);
  c.on_complete(f);
  EXPECT_EQ(f.calls, 1);
  c.wait();
}

TEST(Stress, ProtectedValue) {
  Protected<std::vector<int>, rwsem<r_class>> v;
  run([&](int who) {
    for (int i = 0; i < 200; ++i) {
      v.write()->push_back(who);
      ASSERT_GT(v.read()->size(), 0u);
    }
  });
  EXPECT_EQ(v.read()->size(), size_t{threads} * 200);
}

TEST(Stress, ContentionIsCountedPerClass) {
  static constinit lock_class counted{"counted", lock_kind::mutex};
  mutex<counted> m;
  m.lock();
  std::thread t([&] { exclusive_guard g(m); });
  while (counted.id.load() == 0 && m.is_locked()) {
    // The waiter counts when it leaves the slow path; let it get there.
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    break;
  }
  m.unlock();
  t.join();
  bool listed = false;
  for (lock_class* c = first_lock_class(); c != nullptr; c = c->next_used.load())
    listed = listed || c == &counted;
  EXPECT_EQ(listed, counted.contended.load() > 0 || checking_on());
}

}  // namespace
}  // namespace holdfast
