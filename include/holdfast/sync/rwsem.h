// SPDX-License-Identifier: Apache-2.0
//
// rwsem<C>: many readers or one writer, both may sleep under it. 24 bytes.
//
// 1. state: bit 0 a writer holds it; bit 1 threads wait; bit 2 the first waiter is to get it next;
//    the rest counts readers. Readers and a writer never hold it together.
// 2. Waiters queue in order. Readers never overtake a waiter; a running writer may, until the first
//    waiter has waited long (1 ms): then bit 2 is set and the lock is handed over. So nobody
//    starves.
// 3. The queue is guarded by queue_lock and is empty exactly when bit 1 is clear, seen under
//    queue_lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {

struct rwsem_waiter;

struct rwsem_core {
  static constexpr uint32_t writer = 1;
  static constexpr uint32_t waiters = 2;
  static constexpr uint32_t handoff = 4;
  static constexpr uint32_t reader = 8;

  std::atomic<uint32_t> state{0};
  std::atomic<uint32_t> queue_lock{0};
  rwsem_waiter* tail = nullptr;  // circular: tail->next is the first

  bool try_shared() {
    uint32_t s = state.load(std::memory_order_relaxed);
    while ((s & (writer | waiters | handoff)) == 0) {
      if (state.compare_exchange_weak(s, s + reader, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  bool try_exclusive() {
    uint32_t s = state.load(std::memory_order_relaxed) & waiters;
    return state.compare_exchange_strong(s, s | writer, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  void lock_slow(held mode, lock_class& c);
  void wake_slow();
};

}  // namespace detail

template <lock_class& C>
class HF_CAPABILITY("rwsem") rwsem {
  using core = detail::rwsem_core;

 public:
  constexpr rwsem() = default;
  rwsem(const rwsem&) = delete;
  rwsem& operator=(const rwsem&) = delete;

  // May block.
  void lock(nest n = nest::normal) HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, depth_, held::exclusive);
    if (!core_.try_exclusive()) [[unlikely]]
      core_.lock_slow(held::exclusive, C);
    after_acquire(this, C, n, depth_, held::exclusive);
  }
  bool try_lock(nest n = nest::normal) HF_TRY_ACQUIRE(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (!core_.try_exclusive()) return false;
    after_acquire(this, C, n, depth_, held::exclusive);
    return true;
  }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::exclusive);
    if (core_.state.fetch_and(~core::writer, std::memory_order_release) & core::waiters)
        [[unlikely]]
      core_.wake_slow();
  }
  // May block.
  void lock_shared(nest n = nest::normal) HF_ACQUIRE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_acquire(this, C, n, depth_, held::shared);
    if (!core_.try_shared()) [[unlikely]]
      core_.lock_slow(held::shared, C);
    after_acquire(this, C, n, depth_, held::shared);
  }
  bool try_lock_shared(nest n = nest::normal)
      HF_TRY_ACQUIRE_SHARED(true) HF_NO_THREAD_SAFETY_ANALYSIS {
    if (!core_.try_shared()) return false;
    after_acquire(this, C, n, depth_, held::shared);
    return true;
  }
  void unlock_shared() HF_RELEASE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::shared);
    uint32_t s = core_.state.fetch_sub(core::reader, std::memory_order_release) - core::reader;
    if ((s & core::waiters) != 0 && s < core::reader) [[unlikely]]
      core_.wake_slow();
  }
  // Exclusive to shared without a gap; readers that wait first in line come in too.
  void downgrade() HF_NO_THREAD_SAFETY_ANALYSIS {
    if (instrumented()) [[unlikely]]
      detail::hook_downgrade(this, C);
    uint32_t s = core_.state.fetch_add(core::reader - core::writer, std::memory_order_release);
    if ((s & core::waiters) != 0) [[unlikely]]
      core_.wake_slow();
  }

  bool is_locked() const {  // in any mode, by anyone
    uint32_t s = core_.state.load(std::memory_order_relaxed);
    return (s & core::writer) != 0 || s >= core::reader;
  }
  bool is_write_locked() const {
    return (core_.state.load(std::memory_order_relaxed) & core::writer) != 0;
  }
  bool has_waiters() const {
    return (core_.state.load(std::memory_order_relaxed) & core::waiters) != 0;
  }

  // Before first use: depth of the file system it belongs to in a stack of them.
  void set_stack_depth(uint8_t depth) { depth_ = depth; }
  static lock_class& get_class() { return C; }

 private:
  core core_;
  uint8_t depth_ = 0;
};

HF_NAMESPACE_END
