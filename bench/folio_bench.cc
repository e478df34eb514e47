// SPDX-License-Identifier: Apache-2.0
//
// What following a folio's obligations costs: the lock, and a round from dirty to written, with
// checking off and on; on, with the folio tracked.
#include <benchmark/benchmark.h>

#include "holdfast/sync/context.h"
#include "holdfast/writeback.h"

HF_NAMESPACE_BEGIN
namespace {

void folio_lock_unlock(benchmark::State& state) {
  set_check_mode(state.range(0) != 0 ? check_mode::report : check_mode::off);
  folio* f = folio_alloc(0, true);
  for (auto _ : state) {
    folio_lock(*f);
    folio_unlock(*f);
  }
  folio_put(f);
  set_check_mode(check_mode::off);
}

void folio_write_round(benchmark::State& state) {
  set_check_mode(state.range(0) != 0 ? check_mode::report : check_mode::off);
  folio* f = folio_alloc(0, true);
  for (auto _ : state) {
    folio_lock(*f);
    folio_mark_dirty(*f);
    folio_clear_dirty_for_io(*f);
    folio_start_writeback(*f);
    folio_unlock(*f);
    folio_submit_write(*f);
    folio_end_writeback(*f);
  }
  folio_put(f);
  set_check_mode(check_mode::off);
}

BENCHMARK(folio_lock_unlock)->Arg(0)->Arg(1);
BENCHMARK(folio_write_round)->Arg(0)->Arg(1);

}  // namespace
HF_NAMESPACE_END
