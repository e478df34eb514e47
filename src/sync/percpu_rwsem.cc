// SPDX-License-Identifier: Apache-2.0
// Slow paths of percpu_rwsem: announcing a writer, draining the shards, waking those it kept out.
#include "holdfast/sync/percpu_rwsem.h"

#include <cerrno>
#include <new>

#include "sync/shards.h"
#include "sync/sleep.h"

HF_NAMESPACE_BEGIN
namespace detail {

percpu_rwsem_core::~percpu_rwsem_core() {
  delete[] shards;
}

Status percpu_rwsem_core::init() {
  uint32_t n = shard_count();
  shards = new (std::nothrow) counter_shard[n];
  if (shards == nullptr) return Error(ENOMEM);
  mask = n - 1;
  return {};
}

void percpu_rwsem_core::lock_shared_slow(lock_class& c) {
  contention_scope contention(c);
  for (;;) {
    uint32_t w = writer.load(std::memory_order_seq_cst);
    if (w == 0) {
      if (try_shared()) return;
      continue;
    }
    if (w == 1 && !writer.compare_exchange_strong(w, 2, std::memory_order_relaxed)) continue;
    contention.sleep(writer, 2, this);
  }
}

// Transient readers (counted in, saw the writer, leaving) can only make the sum too large. A sum of
// zero means that every reader that came before the writer has left.
bool percpu_rwsem_core::empty() const {
  uint64_t sum = 0;
  for (uint32_t i = 0; i <= mask; ++i) sum += shards[i].count.load(std::memory_order_seq_cst);
  return sum == 0;
}

void percpu_rwsem_core::lock(lock_class& c) {
  uint32_t none = 0;
  bool first = writer.compare_exchange_strong(none, 1, std::memory_order_seq_cst);
  if (first && empty()) return;
  contention_scope contention(c);
  if (!first)
    while (writer.exchange(2, std::memory_order_seq_cst) != 0) contention.sleep(writer, 2, this);
  for (;;) {
    uint32_t seen = drained.load(std::memory_order_seq_cst);
    if (empty()) return;
    contention.sleep(drained, seen, this);
  }
}

bool percpu_rwsem_core::try_lock() {
  uint32_t none = 0;
  if (!writer.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) return false;
  if (empty()) return true;
  unlock();
  return false;
}

void percpu_rwsem_core::unlock() {
  if (writer.exchange(0, std::memory_order_seq_cst) == 2) futex_wake(writer, wake_everyone);
}

void percpu_rwsem_core::notify_writer() {
  drained.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(drained, 1);
}

}  // namespace detail
HF_NAMESPACE_END
