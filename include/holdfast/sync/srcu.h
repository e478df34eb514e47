// SPDX-License-Identifier: Apache-2.0
//
// srcu_domain<C>: RCU whose readers may sleep; one domain's readers delay only that domain's grace
// periods.
//
// 1. Readers count themselves in and out of one of two phases, by shard. synchronize() flips the
//    phase and waits until as many left the old one as entered it; it does so twice, since a reader
//    may have picked its phase before a flip and counted itself in after.
// 2. init() precedes every other call.
// 3. synchronize() inside a section of the same domain never ends; it is reported.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/result.h"
#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {

struct alignas(64) srcu_shard {
  std::atomic<uint64_t> entered[2]{};
  std::atomic<uint64_t> left[2]{};
};

struct srcu_core {
  srcu_shard* shards = nullptr;
  uint32_t mask = 0;
  std::atomic<uint32_t> phase{0};
  std::atomic<uint32_t> waiting{0};  // a synchronize() wants to be told about leavers
  std::atomic<uint32_t> leaves{0};   // it sleeps on this
  std::atomic<uint32_t> turn{0};     // lock: one synchronize() at a time

  srcu_core() = default;
  srcu_core(const srcu_core&) = delete;
  srcu_core& operator=(const srcu_core&) = delete;
  ~srcu_core();
  Status init();
  uint32_t enter() {
    uint32_t p = phase.load(std::memory_order_relaxed) & 1;
    shards[thread_shard() & mask].entered[p].fetch_add(1, std::memory_order_seq_cst);
    return p;
  }
  void leave(uint32_t p) {
    shards[thread_shard() & mask].left[p].fetch_add(1, std::memory_order_seq_cst);
    if (waiting.load(std::memory_order_seq_cst) != 0) [[unlikely]]
      notify();
  }
  void synchronize(lock_class& c);

 private:
  void notify();
  bool drained(uint32_t p) const;
  void wait_drained(uint32_t p, lock_class& c);
};

void srcu_check_synchronize(const void* domain, lock_class& c);

}  // namespace detail

template <lock_class& C>
class HF_CAPABILITY("srcu") srcu_domain {
 public:
  srcu_domain() = default;
  Status init() { return core_.init(); }  // ENOMEM

  // The result goes to read_unlock(), in the same context.
  int read_lock() HF_ACQUIRE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    uint32_t p = core_.enter();
    after_acquire(this, C, nest::normal, 0, held::shared);
    return static_cast<int>(p);
  }
  void read_unlock(int token) HF_RELEASE_SHARED() HF_NO_THREAD_SAFETY_ANALYSIS {
    before_release(this, C, held::shared);
    core_.leave(static_cast<uint32_t>(token));
  }
  // Returns when every section that began before has ended. Blocks.
  void synchronize() HF_EXCLUDES(this) {
    if (instrumented()) [[unlikely]]
      detail::srcu_check_synchronize(this, C);
    core_.synchronize(C);
  }
  static lock_class& get_class() { return C; }

 private:
  detail::srcu_core core_;
};

HF_NAMESPACE_END
