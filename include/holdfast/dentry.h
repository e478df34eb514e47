// SPDX-License-Identifier: Apache-2.0
//
// A dentry: one name in one directory, positive (it has an inode) or negative (it is known to be
// absent).
//
// 1. RCU readers see a dentry's identity (parent, name, inode) under d_seq: sample, copy, re-check.
//    Writers of identity hold d_lock, and d_seq's write side inside it; a change of name or parent
//    also holds rename_lock.
// 2. A name's bytes never change while a reader may look: a rename publishes another buffer and
//    frees the old one after a grace period.
// 3. d_lockref.count: references. Zero: cached, on the LRU. dead: on its way out, never
//    resurrected. A child holds a reference on its parent.
// 4. d_child and d_subdirs are guarded by the parent's d_lock; d_alias by the inode's i_lock.
// 5. Who holds references: struct path, open files, mounts (root and mount point), children, and
//    walks that left RCU.
#pragma once

#include "holdfast/list.h"
#include "holdfast/lock_classes.h"
#include "holdfast/operations.h"
#include "holdfast/sync/guard.h"
#include "holdfast/sync/lockref.h"
#include "holdfast/sync/rcu.h"
#include "holdfast/sync/relaxed.h"
#include "holdfast/sync/seqlock.h"

HF_NAMESPACE_BEGIN

// dentry::d_flags. Written under d_lock; read anywhere.
inline constexpr uint32_t dcache_op_hash = 1u << 0;
inline constexpr uint32_t dcache_op_compare = 1u << 1;
inline constexpr uint32_t dcache_op_revalidate = 1u << 2;
inline constexpr uint32_t dcache_op_delete = 1u << 3;
inline constexpr uint32_t dcache_op_prune = 1u << 4;
inline constexpr uint32_t dcache_op_weak_revalidate = 1u << 5;
inline constexpr uint32_t dcache_op_real = 1u << 6;
inline constexpr uint32_t dcache_disconnected = 1u << 7;  // not known to hang off the root
inline constexpr uint32_t dcache_referenced = 1u << 8;    // a second chance on the LRU
inline constexpr uint32_t dcache_dont_cache = 1u << 9;    // discard when the last reference goes
inline constexpr uint32_t dcache_lru_list = 1u << 10;     // on the LRU
inline constexpr uint32_t dcache_shrink_list = 1u << 11;  // on somebody's private list
inline constexpr uint32_t dcache_mounted = 1u << 12;      // something may be mounted here
inline constexpr uint32_t dcache_need_automount = 1u << 13;
inline constexpr uint32_t dcache_manage_transit = 1u << 14;
inline constexpr uint32_t dcache_par_lookup = 1u << 15;  // in ->lookup of one thread
inline constexpr uint32_t dcache_dentry_killed = 1u << 16;
inline constexpr uint32_t dcache_cant_mount = 1u << 17;
inline constexpr uint32_t dcache_may_free = 1u << 18;
inline constexpr uint32_t dcache_norcu = 1u << 19;
inline constexpr uint32_t dcache_unhashed = 1u << 20;  // not in the name index: no lookup finds it
inline constexpr uint32_t dcache_genocide = 1u << 21;  // d_genocide took its pin
inline constexpr uint32_t dcache_entry_type = 7u
                                              << 24;  // what d_inode is, so a walk needn't touch it
inline constexpr uint32_t dcache_miss_type = 0u << 24;
inline constexpr uint32_t dcache_directory_type = 1u << 24;
inline constexpr uint32_t dcache_autodir_type =
    2u << 24;  // a directory whose lookups all come from ->lookup
inline constexpr uint32_t dcache_symlink_type = 3u << 24;
inline constexpr uint32_t dcache_regular_type = 4u << 24;
inline constexpr uint32_t dcache_special_type = 5u << 24;
inline constexpr uint32_t dcache_managed_dentry =
    dcache_mounted | dcache_need_automount | dcache_manage_transit;

inline constexpr size_t dname_inline_len = 40;  // bytes, terminator included

struct dentry_hash_link {
  std::atomic<dentry*> next{nullptr};
  std::atomic<dentry*>* pprev = nullptr;  // null: not in that table
};

struct dentry {
  // What a lookup touches, in two cache lines.
  relaxed<uint32_t> d_flags{0};
  seqcount d_seq;
  dentry_hash_link d_hash[2];  // one for the current table, one for the table a resize fills
  std::atomic<dentry*> d_parent{nullptr};
  std::atomic<uint64_t> d_hash_len{0};       // qstr::hash_len of the name
  std::atomic<const char*> d_name{nullptr};  // NUL-terminated; inline or external
  std::atomic<inode*> d_inode{nullptr};
  const dentry_operations* d_op = nullptr;
  super_block* d_sb = nullptr;
  lockref<d_lock_class> d_lockref;
  char d_iname[dname_inline_len];

  void* d_fsdata = nullptr;
  uint64_t d_time = 0;  // the file system's own
  list_node d_lru;
  list_node d_child;
  list_head d_subdirs HF_GUARDED_BY(d_lockref);
  list_node d_alias;                   // on inode::i_dentry while positive
  dentry* d_in_lookup_next = nullptr;  // chain of the in-lookup hash, under its bucket lock
  rcu_head d_rcu;

  uint32_t name_len() const {
    return static_cast<uint32_t>(d_hash_len.load(std::memory_order_relaxed) >> 32);
  }
  // Stable only under d_lock of this or i_rwsem of the parent; else sample d_seq around it.
  std::string_view name() const { return {d_name.load(std::memory_order_acquire), name_len()}; }
  inode* inode_ptr() const { return d_inode.load(std::memory_order_acquire); }
  dentry* parent() const { return d_parent.load(std::memory_order_acquire); }
  uint32_t type() const { return d_flags & dcache_entry_type; }
  bool is_negative() const { return type() == dcache_miss_type; }
  bool is_positive() const { return !is_negative(); }
  bool is_dir() const {
    uint32_t t = type();
    return t == dcache_directory_type || t == dcache_autodir_type;
  }
  bool is_symlink() const { return type() == dcache_symlink_type; }
  bool is_root() const { return parent() == this; }
};

// Allocation and references. All of d_alloc*, d_lookup and dget return a reference that dput()
// drops.
dentry* d_alloc(dentry& parent, std::string_view name);  // negative, unhashed; null: out of memory
dentry* d_make_root(inode* root);  // takes the inode's reference, also on failure
dentry* d_alloc_anon(super_block& sb);
Result<dentry*> d_alloc_parallel(dentry& parent, const qstr& name);
void d_lookup_done(dentry& d);  // ends what d_alloc_parallel began
inline dentry* dget(dentry* d) {
  if (d) d->d_lockref.get();
  return d;
}
void dput(dentry* d);  // may block (the last reference can end in eviction); null is allowed
dentry* dget_parent(dentry& d);

// Filling in. `i`'s reference passes to the dentry.
void d_instantiate(dentry& d, inode* i);      // d is hashed or in lookup already
void d_instantiate_new(dentry& d, inode* i);  // and unlocks a new inode
void d_add(dentry& d, inode* i);              // instantiate and hash; null i makes a negative entry
// semantics.md A: null = `d` was used; else the alias that takes its place, referenced. Takes i's
// reference in every case. Error: ESTALE, ELOOP.
Result<dentry*> d_splice_alias(inode* i, dentry& d);
Result<dentry*> d_obtain_alias(inode* i);  // by handle: any alias or a disconnected one
dentry* d_find_alias(inode& i);
void d_rehash(dentry& d);
void d_drop(dentry& d);
void d_delete(dentry& d);                // after a removal: negative if unused, else unhashed
void d_move(dentry& d, dentry& target);  // d takes target's place and name
void d_exchange(dentry& a, dentry& b);
void d_invalidate(dentry& d);
void d_mark_dontcache(inode& i);
void d_prune_aliases(inode& i);
void shrink_dcache_parent(dentry& d);
void shrink_dcache_sb(super_block& sb);
void shrink_dcache_for_umount(super_block& sb);  // every dentry of sb; s_umount held exclusively
void d_genocide(
    dentry& top);  // drops one pin of every positive entry below: kill_litter_super's part
// Gives an unnamed inode (O_TMPFILE) to the unhashed dentry of `f`; the inode's reference passes.
void d_tmpfile(file& f, inode* i);
void d_set_d_op(dentry& d, const dentry_operations* ops);
bool d_unhashed(const dentry& d);
bool is_subdir(dentry& d, dentry& ancestor);
dentry* d_ancestor(dentry& p1, dentry& p2);  // the child of p1 that p2 is or is below; null if none
size_t simple_positive_children(dentry& d);
uint32_t full_name_hash(const dentry* salt, std::string_view name);
// Cached child, referenced, or null. d_lookup is stable against renames; the plain hash walk isn't.
dentry* d_lookup(dentry& parent, const qstr& name);

// Memory: how many dentries exist, how many are unused; shrink frees about `nr` of the unused,
// oldest first.
struct dentry_stat_t {
  size_t nr_dentry = 0;
  size_t nr_unused = 0;
  size_t hash_buckets = 0;
};
dentry_stat_t dentry_stat();
size_t prune_dcache_sb(super_block& sb, size_t nr);
void set_dentry_budget(size_t max_unused);  // unused dentries kept, over all superblocks

HF_NAMESPACE_END
