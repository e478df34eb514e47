// SPDX-License-Identifier: Apache-2.0
//
// Buffer heads: a block of a device, or of a file, inside of a folio. The layout and the lock bit;
// reading, writing and waiting come with the buffer cache.
//
// 1. The lock is a bit of b_state. It guards the block's contents and its state while I/O is under
//    way, and is handed to the I/O: whoever submits takes it, the completion releases it.
// 2. ->b_end_io runs in completion context (completion_scope): like an interrupt handler it may not
//    block, and the lock bit is all that it may rely on.
#pragma once

#include <atomic>

#include "holdfast/address_space.h"
#include "holdfast/events.h"

HF_NAMESPACE_BEGIN

// buffer_head::b_state
inline constexpr uint32_t bh_uptodate = 1u << 0;
inline constexpr uint32_t bh_dirty = 1u << 1;
inline constexpr uint32_t bh_lock = 1u << 2;
inline constexpr uint32_t bh_req = 1u << 3;     // was submitted for I/O
inline constexpr uint32_t bh_mapped = 1u << 4;  // b_blocknr says where it is
inline constexpr uint32_t bh_new = 1u << 5;     // just allocated on the device
inline constexpr uint32_t bh_async_read = 1u << 6;
inline constexpr uint32_t bh_async_write = 1u << 7;
inline constexpr uint32_t bh_delay = 1u << 8;  // gets its block when it is written
inline constexpr uint32_t bh_boundary = 1u << 9;
inline constexpr uint32_t bh_write_eio = 1u << 10;
inline constexpr uint32_t bh_unwritten = 1u << 11;  // allocated, reads as zeros
inline constexpr uint32_t bh_quiet = 1u << 12;
inline constexpr uint32_t bh_meta = 1u << 13;
inline constexpr uint32_t bh_prio = 1u << 14;

struct buffer_head {
  std::atomic<uint32_t> b_state{0};
  std::atomic<int32_t> b_count{0};     // references; the last one keeps nothing alive but this
  buffer_head* b_this_page = nullptr;  // the folio's buffers, in a ring
  folio* b_folio = nullptr;
  sector_t b_blocknr = 0;  // in units of b_size on b_bdev
  size_t b_size = 0;
  std::byte* b_data = nullptr;  // in the folio's memory
  block_device* b_bdev = nullptr;
  const buffer_head_operations* b_ops = nullptr;  // b_end_io; never null on submission
  void* b_private = nullptr;                      // b_end_io's own
  list_node b_assoc_buffers;                      // what fsync of another mapping has to write
  address_space* b_assoc_map = nullptr;

  bool test(uint32_t bit) const { return (b_state.load(std::memory_order_acquire) & bit) != 0; }
};

inline bool buffer_locked(const buffer_head& bh) {
  return bh.test(bh_lock);
}
inline bool trylock_buffer(buffer_head& bh) {
  if ((bh.b_state.fetch_or(bh_lock, std::memory_order_acquire) & bh_lock) != 0) return false;
  after_acquire(&bh, buffer_lock_class, nest::normal, 0, held::exclusive);
  return true;
}
// The bit stays set; the completion answers for it from now on.
inline void hand_over_buffer_lock(buffer_head& bh) {
  forget_held(&bh, buffer_lock_class, held::exclusive);
}
// By its holder, or by the completion of what it was handed to.
inline void unlock_buffer(buffer_head& bh) {
  if (checking_on() && held_mode(&bh) == held::none)
    after_acquire(&bh, buffer_lock_class, nest::normal, 0, held::exclusive);
  before_release(&bh, buffer_lock_class, held::exclusive);
  bh.b_state.fetch_and(~bh_lock, std::memory_order_release);
}

// Around what a device runs when a request is done.
class completion_scope {
 public:
  completion_scope() : site_(call_site::io_completion), quick_("I/O completion") {}

 private:
  call_site_scope site_;
  no_block_guard quick_;
};

HF_NAMESPACE_END
