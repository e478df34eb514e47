// SPDX-License-Identifier: Apache-2.0
//
// The inode cache: (superblock, number) -> inode.
//
// 1. A chain is read under RCU; a hit counts only after i_lock confirmed that the inode is still
//    hashed. A miss is confirmed under the chain's lock before a new inode goes in.
// 2. i_hashed (under i_lock) and membership in a chain (under the chain's lock) change together,
//    both held.
// 3. A finder never takes a reference to an inode that is being freed: it waits until that one has
//    left the cache, and looks again. It waits for a new one to be filled, with a reference, and
//    looks again if that one failed.
#include "core/inode/inode_internal.h"

HF_NAMESPACE_BEGIN

namespace {

// Chains stay short up to some million inodes; untouched parts of the table cost no memory. Locks
// are fewer than chains: what counts is how many threads insert at a time.
constexpr size_t hash_bits = 18;
constexpr size_t hash_size = size_t{1} << hash_bits;
constexpr size_t stripes = 1024;
constinit hlist_head table[hash_size];
struct alignas(64) stripe {
  spinlock<inode_hash_class> lock;
};
constinit stripe stripe_locks[stripes];

size_t bucket_of(const super_block& sb, uint64_t ino) {
  uint64_t h = (ino ^ (reinterpret_cast<uintptr_t>(&sb) >> 6)) * 0x9e3779b97f4a7c15u;
  h ^= h >> 32;
  return h & (hash_size - 1);
}

spinlock<inode_hash_class>& lock_of(size_t bucket) {
  return stripe_locks[bucket % stripes].lock;
}

enum class found : uint8_t { none, hit, freeing };

// One pass over a chain; in an RCU section or under the chain's lock. hit: `out` is referenced.
// freeing: wait for `out` with `evictions`, then look again.
found find(size_t bucket, const super_block& sb, uint64_t ino, inode*& out, uint64_t& evictions) {
  for (inode& i : entries_rcu<&inode::i_hash>(table[bucket])) {
    if (i.i_ino != ino || i.i_sb != &sb) continue;
    exclusive_guard g(i.i_lock);
    if (!(i.i_state & i_hashed)) continue;
    out = &i;
    if (i.i_state & (i_freeing | i_will_free)) {
      evictions = inode_eviction_count(i);
      return found::freeing;
    }
    i.i_count.fetch_add(1, std::memory_order_relaxed);
    return found::hit;
  }
  return found::none;
}

// From the cache, filled; null: not there.
inode* find_wait(super_block& sb, uint64_t ino) {
  const size_t bucket = bucket_of(sb, ino);
  for (;;) {
    inode* i = nullptr;
    uint64_t evictions = 0;
    found f;
    {
      rcu_read_guard rcu;
      f = find(bucket, sb, ino, i, evictions);
    }
    if (f == found::none) return nullptr;
    if (f == found::freeing) {
      inode_wait_evicted(i, evictions);
      continue;
    }
    inode_wait_not_new(*i);
    if (i->i_state & i_hashed) return i;
    iput(i);  // whoever filled it gave up
  }
}

}  // namespace

inode* ilookup(super_block& sb, uint64_t ino) {
  return find_wait(sb, ino);
}

inode* iget_locked(super_block& sb, uint64_t ino) {
  const size_t bucket = bucket_of(sb, ino);
  for (;;) {
    if (inode* i = find_wait(sb, ino)) return i;
    inode* fresh = alloc_inode(sb);
    if (fresh == nullptr) return nullptr;
    fresh->i_ino = ino;
    inode* old = nullptr;
    uint64_t evictions = 0;
    found f;
    {
      exclusive_guard g(lock_of(bucket));
      f = find(bucket, sb, ino, old, evictions);
      if (f == found::none) {
        exclusive_guard gi(fresh->i_lock);
        fresh->i_state = i_new | i_hashed;
        table[bucket].add_head_rcu(fresh->i_hash);
      }
    }
    if (f == found::none) {
      inode_sb_list_add(*fresh);
      return fresh;
    }
    // Somebody else was quicker. Nobody has seen ours.
    destroy_inode(*fresh);
    if (f == found::hit) iput(old);
  }
}

void insert_inode_hash(inode& i) {
  const size_t bucket = bucket_of(*i.i_sb, i.i_ino);
  exclusive_guard g(lock_of(bucket));
  exclusive_guard gi(i.i_lock);
  if (i.i_state & i_hashed) return;
  i.i_state |= i_hashed;
  table[bucket].add_head_rcu(i.i_hash);
}

void remove_inode_hash(inode& i) {
  if (!(i.i_state & i_hashed)) return;
  const size_t bucket = bucket_of(*i.i_sb, i.i_ino);
  exclusive_guard g(lock_of(bucket));
  exclusive_guard gi(i.i_lock);
  if (!(i.i_state & i_hashed)) return;
  i.i_state &= ~i_hashed;
  i.i_hash.del_rcu();
}

void unlock_new_inode(inode& i) {
  inode_fill_opflags(i);
  {
    exclusive_guard g(i.i_lock);
    assert(i.i_state & i_new);
    // Release: a finder that sees the bit gone without i_lock sees what was filled in.
    i.i_state.atomic().store(i.i_state & ~(i_new | i_creating), std::memory_order_release);
  }
  inode_wake_new(i);
}

void iget_failed(inode& i) {
  // Out of the cache first: who waits for it must find it gone when it wakes.
  remove_inode_hash(i);
  unlock_new_inode(i);
  iput(&i);
}

HF_NAMESPACE_END
