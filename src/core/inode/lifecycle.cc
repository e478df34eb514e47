// SPDX-License-Identifier: Apache-2.0
//
// References, the unused list, and the end of an inode.
//
//   live, count > 0 --last iput()--> kept: count 0, on the LRU --found again--> live
//                                 \-> i_freeing --evict()--> i_clear, unhashed --> destroyed
//   kept --prune_icache_sb(), evict_inodes()--> i_freeing
//
// 1. i_count goes from and to zero under i_lock only. So who holds i_lock and sees zero, and marks
//    the inode i_freeing, is its only owner.
// 2. The LRU is lazy: a found inode stays on it until the pruner meets it.
// 3. A last reference dropped where blocking is forbidden travels, undropped, to a worker:
//    ->evict_inode may block.
// 4. Dirty inodes without references stay until the file system has written them or is shut down.
#include "core/dispatch/super_ops.h"
#include "core/inode/inode_internal.h"
#include "holdfast/libfs.h"

HF_NAMESPACE_BEGIN

namespace {

void iput_deferred(deferred_work& w) {
  iput(&container_of<&inode::i_deferred>(w));
}

bool should_drop(inode& i) HF_REQUIRES(i.i_lock) {
  if (i.i_sb->s_op != nullptr && i.i_sb->s_op->drop_inode != nullptr)
    return super_ops::drop_inode(i);
  return i.i_nlink == 0 || !(i.i_state & i_hashed);
}

// Marks `i` as the caller's to evict, if it is unused and settled.
bool claim_unused(inode& i, uint32_t unsettled) HF_REQUIRES(i.i_lock) {
  if (i.i_count.load(std::memory_order_relaxed) != 0) return false;
  if (i.i_state & (unsettled | i_new | i_freeing | i_will_free | i_sync)) return false;
  i.i_state |= i_freeing;
  inode_lru_del(i);
  return true;
}

size_t dispose(list_head& list) {
  size_t n = 0;
  while (list_node* node = list.first()) {
    node->del();
    evict(container_of<&inode::i_lru>(*node));
    ++n;
  }
  return n;
}

}  // namespace

inode* igrab(inode& i) {
  exclusive_guard g(i.i_lock);
  if (i.i_state & (i_freeing | i_will_free)) return nullptr;
  i.i_count.fetch_add(1, std::memory_order_relaxed);
  return &i;
}

void inode_lru_add(inode& i) {
  super_block& sb = *i.i_sb;
  exclusive_guard g(sb.s_inode_lru_lock);
  if (i.i_lru.linked()) {
    i.i_state |= i_referenced;
    return;
  }
  sb.s_inode_lru.add_tail(i.i_lru);
  sb.s_nr_inodes_unused.fetch_add(1, std::memory_order_relaxed);
}

void inode_lru_del(inode& i) {
  super_block& sb = *i.i_sb;
  exclusive_guard g(sb.s_inode_lru_lock);
  if (!i.i_lru.linked()) return;
  i.i_lru.del();
  sb.s_nr_inodes_unused.fetch_sub(1, std::memory_order_relaxed);
}

void iput(inode* i) {
  if (i == nullptr) return;
  int32_t c = i->i_count.load(std::memory_order_relaxed);
  while (c > 1) {
    if (i->i_count.compare_exchange_weak(c, c - 1, std::memory_order_release,
                                         std::memory_order_relaxed))
      return;
  }
  assert(c == 1);
  if (!may_block()) {
    i->i_deferred.run = iput_deferred;
    defer_work(i->i_deferred);
    return;
  }
  i->i_lock.lock();
  if (i->i_count.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    i->i_lock.unlock();
    return;
  }
  const bool drop = should_drop(*i);
  if (!drop && !(i->i_state & i_dontcache) && (i->i_sb->s_flags & sb_active)) {
    inode_lru_add(*i);
    i->i_lock.unlock();
    return;
  }
  i->i_state |= i_freeing;
  inode_lru_del(*i);
  i->i_lock.unlock();
  evict(*i);
}

void clear_inode(inode& i) {
  assert(i.i_data.nrpages == 0);
  exclusive_guard g(i.i_lock);
  assert(i.i_state & i_freeing);
  assert(!(i.i_state & i_clear));
  i.i_state = (i.i_state & i_hashed) | i_freeing | i_clear;
}

void evict(inode& i) {
  assert(i.i_state & i_freeing);
  assert(!i.i_lru.linked());
  inode_sb_list_del(i);  // whether it is on the list only the lock can tell
  if (i.i_sb->s_op != nullptr && i.i_sb->s_op->evict_inode != nullptr) {
    super_ops::evict_inode(i);
  } else {
    truncate_inode_pages_final(i.i_data);
    clear_inode(i);
  }
  remove_inode_hash(i);
  assert(i.i_state == (i_freeing | i_clear));
  inode_wake_evicted(i);
  destroy_inode(i);
}

void evict_inodes(super_block& sb) {
  for (;;) {
    list_head doomed;
    {
      exclusive_guard g(sb.s_inode_list_lock);
      for (inode& i : entries<&inode::i_sb_list>(sb.s_inodes)) {
        exclusive_guard gi(i.i_lock);
        if (claim_unused(i, 0)) doomed.add_tail(i.i_lru);
      }
    }
    if (dispose(doomed) == 0) return;
  }
}

size_t prune_icache_sb(super_block& sb, size_t nr) {
  list_head doomed;
  {
    exclusive_guard g(sb.s_inode_lru_lock);
    size_t scan = sb.s_nr_inodes_unused.load(std::memory_order_relaxed);
    for (size_t taken = 0; scan > 0 && taken < nr; --scan) {
      list_node* node = sb.s_inode_lru.first();
      if (node == nullptr) break;
      inode& i = container_of<&inode::i_lru>(*node);
      // Against the order, so only tried; whoever has it is using the inode.
      if (!i.i_lock.try_lock()) {
        sb.s_inode_lru.move_tail(*node);
        continue;
      }
      const uint32_t state = i.i_state;
      if (i.i_count.load(std::memory_order_relaxed) != 0 ||
          (state & (i_dirty_all | i_sync | i_new | i_freeing | i_will_free)) != 0) {
        node->del();  // comes back with its last reference
        sb.s_nr_inodes_unused.fetch_sub(1, std::memory_order_relaxed);
      } else if (state & i_referenced) {
        i.i_state = state & ~i_referenced;
        sb.s_inode_lru.move_tail(*node);
      } else {
        i.i_state = state | i_freeing;
        node->del();
        sb.s_nr_inodes_unused.fetch_sub(1, std::memory_order_relaxed);
        doomed.add_tail(*node);
        ++taken;
      }
      i.i_lock.unlock();
    }
  }
  return dispose(doomed);
}

void d_prune_and_evict(super_block& sb) {
  shrink_dcache_sb(sb);
  flush_deferred_work();
  // Twice: the first pass takes the second chance away.
  prune_icache_sb(sb, SIZE_MAX);
  prune_icache_sb(sb, SIZE_MAX);
}

HF_NAMESPACE_END
