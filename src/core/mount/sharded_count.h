// SPDX-License-Identifier: Apache-2.0
//
// A count that many threads change and almost nobody reads: one cache line per shard, a thread
// keeps to one.
//
// 1. add() touches only the calling thread's shard; a shard may go negative, the sum is what
//    counts.
// 2. sum() is exact only when whoever could add has been stopped.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

class sharded_count {
 public:
  static constexpr unsigned shards = 16;
  void add(int64_t n) {
    shard_[thread_shard() % shards].value.fetch_add(n, std::memory_order_seq_cst);
  }
  int64_t sum() const {
    int64_t s = 0;
    for (const auto& sh : shard_) s += sh.value.load(std::memory_order_seq_cst);
    return s;
  }

 private:
  struct alignas(64) one {
    std::atomic<int64_t> value{0};
  };
  one shard_[shards];
};

HF_NAMESPACE_END
