// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the inode code share.
//
// Lock order inside: s_inode_list_lock -> i_lock -> i_lru;  inode_hash_lock -> i_lock.
// Waiting happens on hashed queues, never on memory of the inode: one that is being freed may be
// gone when its waiter wakes.
#pragma once

#include "holdfast/inode.h"
#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

// i_state bits that keep an inode from being thrown away to save memory.
inline constexpr uint32_t i_dirty_all =
    i_dirty_sync | i_dirty_datasync | i_dirty_pages | i_dirty_time;

// -- wait.cc
// How many evictions of this inode's queue have finished; sample it under i_lock while i_freeing is
// seen.
uint64_t inode_eviction_count(const inode& i);
void inode_wait_evicted(const inode* i,
                        uint64_t sampled);  // until that count moves; `i` isn't dereferenced
void inode_wait_not_new(inode& i);          // the caller has a reference
void inode_wake_new(inode& i);              // i_new was cleared
void inode_wake_evicted(const inode& i);    // it left the hash

// -- lifecycle.cc
// Ends an inode that the caller marked i_freeing and took off the LRU. Nobody has a reference.
void evict(inode& i);
void inode_lru_add(inode& i) HF_REQUIRES(i.i_lock);
void inode_lru_del(inode& i) HF_REQUIRES(i.i_lock);

// -- alloc.cc
inode* alloc_inode(super_block& sb);  // off every list, count 1; null: out of memory
void destroy_inode(inode& i);  // the end: ->destroy_inode, then the memory after a grace period
void inode_sb_list_add(inode& i);
void inode_sb_list_del(inode& i);

HF_NAMESPACE_END
