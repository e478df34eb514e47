// SPDX-License-Identifier: Apache-2.0
// Uncontended cost of each primitive, with checking off and on, and the sizes that objects pay for.
#include <benchmark/benchmark.h>

#include "holdfast/sync/lockref.h"
#include "holdfast/sync/mutex.h"
#include "holdfast/sync/percpu_rwsem.h"
#include "holdfast/sync/rcu.h"
#include "holdfast/sync/rwsem.h"
#include "holdfast/sync/seqlock.h"
#include "holdfast/sync/srcu.h"

namespace holdfast {
namespace {

constinit lock_class m_class{"bench_mutex", lock_kind::mutex};
constinit lock_class r_class{"bench_rwsem", lock_kind::rwsem};
constinit lock_class p_class{"bench_percpu", lock_kind::percpu_rwsem};
constinit lock_class s_class{"bench_spin", lock_kind::spinlock};
constinit lock_class u_class{"bench_srcu", lock_kind::srcu};

// Argument: 0 checking off, 1 on. Only set where no lock is held.
class mode {
 public:
  explicit mode(const benchmark::State& s) : before_(get_check_mode()) {
    set_check_mode(s.range(0) != 0 ? check_mode::report : check_mode::off);
  }
  ~mode() { set_check_mode(before_); }
  mode(const mode&) = delete;
  mode& operator=(const mode&) = delete;

 private:
  check_mode before_;
};

void sync_rcu_section(benchmark::State& s) {
  mode m(s);
  for (auto _ : s) {
    rcu_read_lock();
    rcu_read_unlock();
  }
}
void sync_mutex(benchmark::State& s) {
  mode m(s);
  mutex<m_class> l;
  for (auto _ : s) {
    l.lock();
    l.unlock();
  }
  s.counters["bytes"] = sizeof l;
}
void sync_spinlock(benchmark::State& s) {
  mode m(s);
  spinlock<s_class> l;
  for (auto _ : s) {
    l.lock();
    l.unlock();
  }
  s.counters["bytes"] = sizeof l;
}
void sync_rwsem_shared(benchmark::State& s) {
  mode m(s);
  rwsem<r_class> l;
  for (auto _ : s) {
    l.lock_shared();
    l.unlock_shared();
  }
  s.counters["bytes"] = sizeof l;
}
void sync_rwsem_exclusive(benchmark::State& s) {
  mode m(s);
  rwsem<r_class> l;
  for (auto _ : s) {
    l.lock();
    l.unlock();
  }
}
void sync_percpu_rwsem_shared(benchmark::State& s) {
  mode m(s);
  percpu_rwsem<p_class> l;
  if (!l.init()) return s.SkipWithError("no memory");
  for (auto _ : s) {
    l.lock_shared();
    l.unlock_shared();
  }
  s.counters["bytes"] = sizeof l;
}
void sync_srcu_section(benchmark::State& s) {
  mode m(s);
  srcu_domain<u_class> d;
  if (!d.init()) return s.SkipWithError("no memory");
  for (auto _ : s) {
    int t = d.read_lock();
    d.read_unlock(t);
  }
}
void sync_lockref_get_put(benchmark::State& s) {
  mode m(s);
  lockref<s_class> l(1);
  for (auto _ : s) {
    l.get();
    benchmark::DoNotOptimize(l.put_return());
  }
  s.counters["bytes"] = sizeof l;
}
void sync_seqcount_read(benchmark::State& s) {
  mode m(s);
  seqcount c;
  relaxed<int> data{0};
  for (auto _ : s) {
    uint32_t q = 0;
    do {
      q = c.read_begin();
      benchmark::DoNotOptimize(data.load());
    } while (c.read_retry(q));
  }
}
void sync_call_rcu(benchmark::State& s) {
  mode m(s);
  struct tiny {
    rcu_head head;
  };
  for (auto _ : s) {
    auto* t = new tiny;
    call_rcu(t->head, [](rcu_head& h) { delete reinterpret_cast<tiny*>(&h); });
  }
  rcu_barrier();
}

BENCHMARK(sync_rcu_section)->Arg(0)->Arg(1);
BENCHMARK(sync_mutex)->Arg(0)->Arg(1);
BENCHMARK(sync_spinlock)->Arg(0)->Arg(1);
BENCHMARK(sync_rwsem_shared)->Arg(0)->Arg(1);
BENCHMARK(sync_rwsem_exclusive)->Arg(0)->Arg(1);
BENCHMARK(sync_percpu_rwsem_shared)->Arg(0)->Arg(1);
BENCHMARK(sync_srcu_section)->Arg(0)->Arg(1);
BENCHMARK(sync_lockref_get_put)->Arg(0)->Arg(1);
BENCHMARK(sync_seqcount_read)->Arg(0)->Arg(1);
BENCHMARK(sync_call_rcu)->Arg(0)->Arg(1);

}  // namespace
}  // namespace holdfast
