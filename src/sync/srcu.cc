// SPDX-License-Identifier: Apache-2.0
// Grace periods of an SRCU domain.
#include "holdfast/sync/srcu.h"

#include <cerrno>
#include <new>

#include "sync/raw_lock.h"
#include "sync/shards.h"
#include "sync/sleep.h"

HF_NAMESPACE_BEGIN
namespace detail {

srcu_core::~srcu_core() {
  delete[] shards;
}

Status srcu_core::init() {
  uint32_t n = shard_count();
  shards = new (std::nothrow) srcu_shard[n];
  if (shards == nullptr) return Error(ENOMEM);
  mask = n - 1;
  return {};
}

// Leaves are summed before entries: who is counted as having left is then counted as having
// entered, and equal sums mean that everybody seen has left.
bool srcu_core::drained(uint32_t p) const {
  uint64_t out = 0;
  uint64_t in = 0;
  for (uint32_t i = 0; i <= mask; ++i) out += shards[i].left[p].load(std::memory_order_seq_cst);
  for (uint32_t i = 0; i <= mask; ++i) in += shards[i].entered[p].load(std::memory_order_seq_cst);
  return in == out;
}

void srcu_core::wait_drained(uint32_t p, lock_class& c) {
  if (drained(p)) return;
  contention_scope contention(c);
  waiting.store(1, std::memory_order_seq_cst);
  for (;;) {
    uint32_t seen = leaves.load(std::memory_order_seq_cst);
    if (drained(p)) break;
    contention.sleep(leaves, seen, this);
  }
  waiting.store(0, std::memory_order_relaxed);
}

void srcu_core::synchronize(lock_class& c) {
  might_block(c.name);
  schedule_point(sched_event::rcu_wait, this);
  // The caller's removal comes before the sums: a reader counted in later sees it.
  raw_word_guard g(turn);
  for (int flip = 0; flip < 2; ++flip) {
    uint32_t old = phase.load(std::memory_order_relaxed) & 1;
    wait_drained(old ^ 1, c);
    phase.fetch_add(1, std::memory_order_seq_cst);
    wait_drained(old, c);
  }
}

void srcu_core::notify() {
  leaves.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(leaves, wake_everyone);
}

}  // namespace detail
HF_NAMESPACE_END
