// SPDX-License-Identifier: Apache-2.0
//
// What a gate costs around an indirect call: none, checking off, checking on.
#include <benchmark/benchmark.h>

#include "contract/gate.h"
#include "holdfast/contract.h"
#include "holdfast/sync/hooks.h"

namespace holdfast {
namespace {

int method(int x) {
  return x + 1;
}

[[gnu::noinline]] int call_plain(int (*volatile const& slot)(int), int x) {
  return slot(x);
}

[[gnu::noinline]] int call_gated(int (*volatile const& slot)(int), int x, const int& lock) {
  gate g(method_id::inode_lookup);
  if (g.on()) [[unlikely]] {
    g.lock(column::i_rwsem, lock, "dir");
    g.enter();
  }
  const int r = slot(x);
  g.leave(r == 0);
  return r;
}

int (*volatile slot)(int) = method;
constinit lock_class bench_class{"bench_i_rwsem", lock_kind::rwsem};

void no_gate(benchmark::State& state) {
  int x = 0;
  for (auto _ : state) benchmark::DoNotOptimize(x = call_plain(slot, x));
}
BENCHMARK(no_gate)->Name("gate/none");

void gate_in_mode(benchmark::State& state, check_mode mode) {
  set_check_mode(mode);
  static int lock = 0;
  before_acquire(&lock, bench_class, nest::normal, 0, held::shared);
  after_acquire(&lock, bench_class, nest::normal, 0, held::shared);
  int x = 0;
  for (auto _ : state) benchmark::DoNotOptimize(x = call_gated(slot, x, lock));
  before_release(&lock, bench_class, held::shared);
  set_check_mode(check_mode::off);
}
BENCHMARK_CAPTURE(gate_in_mode, off, check_mode::off)->Name("gate/off");
BENCHMARK_CAPTURE(gate_in_mode, on, check_mode::report)->Name("gate/on");

}  // namespace
}  // namespace holdfast
