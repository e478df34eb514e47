// SPDX-License-Identifier: Apache-2.0
//
// Page frames: blocks of 2^order pages, aligned to the page size, out of 2 MiB chunks.
//
// 1. A buddy system inside each chunk: two free halves of a block join at once. A chunk that became
//    free as a whole is unmapped, except for a small reserve.
// 2. Single pages pass through a cache of the thread; it is filled and drained in batches.
// 3. A block that was never handed out since its chunk was mapped is known to be zero and is not
//    cleared again.
// 4. A block is naturally aligned (to its own size).
//
// Locks: one leaf lock over buddies and chunks, taken once a batch. See slab.h for why it is a
// plain_mutex.
#pragma once

#include <cstddef>

#include "mem/fail.h"

HF_NAMESPACE_BEGIN

inline constexpr unsigned max_page_order = 9;  // 2 MiB

// Null: out of memory. `zero`: the block reads as zeros.
std::byte* alloc_pages(unsigned order, bool zero);
void free_pages(std::byte* block, unsigned order);

struct page_stats {
  size_t chunks = 0;  // of 2 MiB
  size_t in_use = 0;  // pages that callers hold; exact while no thread is inside the allocator
  size_t cached = 0;  // single pages in threads' caches
};
page_stats page_statistics();
// Gives this thread's cached pages back, and every free chunk to the system.
void page_trim();

HF_NAMESPACE_END
