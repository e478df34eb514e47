// SPDX-License-Identifier: Apache-2.0
//
// percpu_rwsem<C>: readers write only a counter of their own shard; a writer waits until all shards
// drain. For locks that are taken shared all the time and exclusively almost never (freezing, mount
// changes).
//
// 1. A reader counts itself in, then looks at `writer`; a writer sets `writer`, then sums the
//    shards. Both sides are sequentially consistent, so one of them sees the other.
// 2. A shard's counter wraps: taken in one thread and released in another it goes below zero; only
//    the sum over all shards means something.
// 3. init() allocates the shards and precedes every other call; the destructor wants no holders.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/result.h"
#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {

struct alignas(64) counter_shard {
  std::atomic<uint64_t> count{0};
};

struct percpu_rwsem_core {
  counter_shard* shards = nullptr;
  uint32_t mask = 0;
  std::atomic<uint32_t> writer{
      0};  // 0: none; 1: one wants or has it; 2: and readers or writers sleep
  std::atomic<uint32_t> drained{
      0};  // changes when a shard may have drained; the writer sleeps on it

  percpu_rwsem_core() = default;
  percpu_rwsem_core(const percpu_rwsem_core&) = delete;
  percpu_rwsem_core& operator=(const percpu_rwsem_core&) = delete;
  ~percpu_rwsem_core();
  Status init();
  bool try_shared() {
    std::atomic<uint64_t>& mine = shards[thread_shard() & mask].count;
    mine.fetch_add(1, std::memory_order_seq_cst);
    if (writer.load(std::memory_order_seq_cst) == 0) [[likely]]
      return true;
    leave(mine);
    return false;
  }
  void unlock_shared() { leave(shards[thread_shard() & mask].count); }
  void lock_shared_slow(lock_class& c);
  void lock(lock_class& c);
  bool try_lock();
  void unlock();

 private:
  void leave(std::atomic<uint64_t>& mine) {
    mine.fetch_sub(1, std::memory_order_seq_cst);
    if (writer.load(std::memory_order_seq_cst) != 0) [[unlikely]]
      notify_writer();
  }
  void notify_writer();
  bool empty() const;
};

}  // namespace detail

template <lock_class& C>
class HF_CAPABILITY("percpu_rwsem") percpu_rwsem {
 public:
  percpu_rwsem() = default;

  Status init() { return core_.init(); }  // ENOMEM

  // May block, while a writer has it or wants it.
  void lock_shared(nest n = nest::normal) HF_ACQUIRE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, depth_, held::shared);
    if (!core_.try_shared()) [[unlikely]]
      core_.lock_shared_slow(C);
    after_acquire(this, C, n, depth_, held::shared);
  }
  bool try_lock_shared(nest n = nest::normal)
      HF_TRY_ACQUIRE_SHARED(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (!core_.try_shared()) return false;
    after_acquire(this, C, n, depth_, held::shared);
    return true;
  }
  // By any thread; with checking on, by a context that holds it (see pass_on).
  void unlock_shared() HF_RELEASE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::shared);
    core_.unlock_shared();
  }
  // May block until every reader has left.
  void lock(nest n = nest::normal) HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, depth_, held::exclusive);
    core_.lock(C);
    after_acquire(this, C, n, depth_, held::exclusive);
  }
  bool try_lock(nest n = nest::normal) HF_TRY_ACQUIRE(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (!core_.try_lock()) return false;
    after_acquire(this, C, n, depth_, held::exclusive);
    return true;
  }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::exclusive);
    core_.unlock();
  }

  // Between contexts: the holder passes its hold on (nobody answers for it), another context takes
  // it over and releases it. For asynchronous I/O (shared) and freezing (exclusive).
  void pass_on(held mode) { forget_held(this, C, mode); }
  void take_over(held mode) { after_acquire(this, C, nest::normal, depth_, mode); }

  bool is_write_locked() const { return core_.writer.load(std::memory_order_relaxed) != 0; }
  void set_stack_depth(uint8_t depth) { depth_ = depth; }
  static lock_class& get_class() { return C; }

 private:
  detail::percpu_rwsem_core core_;
  uint8_t depth_ = 0;
};

HF_NAMESPACE_END
