// SPDX-License-Identifier: Apache-2.0
//
// Inodes: memory, numbers, and the superblock's list of them.
//
// 1. A file system with ->alloc_inode embeds the inode in its own object and frees it in
//    ->free_inode, after a grace period; one with ->destroy_inode and without ->free_inode frees it
//    there and has to care about RCU-walk itself. Without either the inode comes from the cache
//    here.
// 2. inode_init_once()/inode_destroy() bracket every inode's life, whoever owns the memory: they
//    count.
#include <new>

#include "core/dispatch/super_ops.h"
#include "core/inode/inode_internal.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr inode_operations empty_iops{};
constexpr file_operations no_fops{};
constexpr address_space_operations empty_aops{};
constinit slab_cache<inode> inode_cache("inode");

// Sharded: every create and every eviction of every thread passes here.
constexpr unsigned count_shards = 16;
struct alignas(64) count_shard {
  std::atomic<int64_t> n{0};
};
constinit count_shard inode_count[count_shards];

void count_inode(int64_t by) {
  inode_count[thread_shard() % count_shards].n.fetch_add(by, std::memory_order_relaxed);
}

// Numbers are handed out a batch a thread, so that creators don't meet at one counter.
constexpr uint64_t ino_batch = 1024;
constinit std::atomic<uint64_t> next_ino_batch{0};
constinit thread_local uint64_t thread_next_ino = 0;

void free_inode_default(inode& i) {
  inode_destroy(i);
  i.~inode();
  inode_cache.free(&i);
}

void free_inode_rcu(rcu_head& head) {
  inode& i = container_of<&inode::i_rcu>(head);
  // The superblock may be gone by now.
  if (i.i_free_ops != nullptr && i.i_free_ops->free_inode != nullptr)
    super_ops::free_inode_with(i.i_free_ops, i);
  else
    free_inode_default(i);
}

}  // namespace

void inode_init_once(super_block& sb, inode& i) {
  i.i_sb = &sb;
  i.i_op = &empty_iops;
  i.i_fop = &no_fops;
  i.i_blkbits = sb.s_blocksize_bits;
  i.i_data.host = &i;
  i.i_data.a_ops = &empty_aops;
  i.i_mapping = &i.i_data;
  count_inode(1);
}

// Nobody else has it any more: its own members need no lock.
void inode_destroy(inode& i) HF_NO_THREAD_SAFETY_ANALYSIS {
  assert(!i.i_hash.linked() && !i.i_sb_list.linked() && !i.i_lru.linked());
  assert(i.i_dentry.empty());
  (void)i;
  count_inode(-1);
}

size_t nr_inodes() {
  int64_t sum = 0;
  for (const auto& s : inode_count) sum += s.n.load(std::memory_order_relaxed);
  return sum < 0 ? 0 : static_cast<size_t>(sum);
}

uint64_t get_next_ino() {
  uint64_t ino = thread_next_ino;
  if (ino % ino_batch == 0) ino = next_ino_batch.fetch_add(ino_batch, std::memory_order_relaxed);
  ++ino;
  thread_next_ino = ino;
  return ino;
}

inode* alloc_inode(super_block& sb) {
  inode* i;
  if (sb.s_op != nullptr && sb.s_op->alloc_inode != nullptr) {
    i = super_ops::alloc_inode(sb);
  } else {
    void* mem = inode_cache.allocate();
    if (mem == nullptr) return nullptr;
    i = new (mem) inode;
    inode_init_once(sb, *i);
  }
  return i;
}

void destroy_inode(inode& i) {
  if (i.i_nlink == 0) i.i_sb->s_remove_count.fetch_sub(1, std::memory_order_relaxed);
  if (i.i_sb->s_op != nullptr && i.i_sb->s_op->destroy_inode != nullptr) {
    const bool freed_there = i.i_sb->s_op->free_inode == nullptr;
    super_ops::destroy_inode(i);
    if (freed_there) return;
  }
  super_ops::keep_for_free(i);
  call_rcu(i.i_rcu, free_inode_rcu);
}

void inode_sb_list_add(inode& i) {
  super_block& sb = *i.i_sb;
  exclusive_guard g(sb.s_inode_list_lock);
  sb.s_inodes.add(i.i_sb_list);
}

void inode_sb_list_del(inode& i) {
  super_block& sb = *i.i_sb;
  exclusive_guard g(sb.s_inode_list_lock);
  i.i_sb_list.del();
}

inode* new_inode(super_block& sb) {
  inode* i = alloc_inode(sb);
  if (i != nullptr) inode_sb_list_add(*i);
  return i;
}

uint32_t inode_fill_opflags(inode& i) {
  uint32_t f = iop_valid;
  if (i.i_op->permission == nullptr &&
      (i.i_op->get_inode_acl == nullptr || !(i.i_sb->s_flags & sb_posixacl)))
    f |= iop_fastperm;
  if (i.i_op->lookup != nullptr) f |= iop_lookup;
  if (!i.is_lnk()) f |= iop_nofollow;
  if (i.i_sb->s_xattr != nullptr) f |= iop_xattr;
  if (i.i_op->getattr == nullptr) f |= iop_default_getattr;
  i.i_opflags = f;
  return f;
}

HF_NAMESPACE_END
