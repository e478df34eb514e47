// SPDX-License-Identifier: Apache-2.0
//
// Waiting for an inode to be filled, or to have left the cache: hashed queues, shared by many
// inodes.
//
// 1. `evictions` of a queue moves after an inode of it was unhashed. A finder samples it under
//    i_lock while the inode is still hashed and i_freeing, so the move it waits for is still to
//    come.
#include "core/inode/inode_internal.h"
#include "holdfast/sync/wait_queue.h"

HF_NAMESPACE_BEGIN

namespace {

struct alignas(64) slot {
  wait_queue<inode_wait_class> queue;
  std::atomic<uint64_t> evictions{0};
};
constexpr size_t slots = 64;
slot table[slots];  // not constinit: there g++ 12 loses pointers to themselves, and an empty list
                    // is one

slot& slot_of(const inode* i) {
  return table[(reinterpret_cast<uintptr_t>(i) >> 8) * 0x9e3779b97f4a7c15u >> 58];
}
static_assert(slots == 64, "slot_of() keeps 6 bits");

}  // namespace

uint64_t inode_eviction_count(const inode& i) {
  return slot_of(&i).evictions.load(std::memory_order_acquire);
}

void inode_wait_evicted(const inode* i, uint64_t sampled) {
  slot& s = slot_of(i);
  s.queue.wait([&] { return s.evictions.load(std::memory_order_acquire) != sampled; });
}

void inode_wait_not_new(inode& i) {
  // Pairs with unlock_new_inode(): what was filled in is visible.
  auto settled = [&] { return !(i.i_state.atomic().load(std::memory_order_acquire) & i_new); };
  if (settled()) [[likely]]
    return;
  slot_of(&i).queue.wait(settled);
}

void inode_wake_new(inode& i) {
  slot_of(&i).queue.wake_all();
}

void inode_wake_evicted(const inode& i) {
  slot& s = slot_of(&i);
  s.evictions.fetch_add(1, std::memory_order_acq_rel);
  s.queue.wake_all();
}

HF_NAMESPACE_END
