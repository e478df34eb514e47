// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the dentry cache share, and what path walk uses of it beyond dentry.h.
//
// Lock order inside: rename_lock -> i_lock -> d_lock(ancestor) -> d_lock(descendant)
//                    -> {d_hash stripe, d_lru, d_in_lookup}.
// Two unrelated d_locks are held together only under rename_lock's write side.
#pragma once

#include "holdfast/inode.h"
#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

extern constinit seqlock<rename_lock_class> rename_lock;

// Nesting of d_lock: a child below its parent; in a move the two parents, then the two children.
inline constexpr nest d_nest_parent = nest::parent;
inline constexpr nest d_nest_parent2 = nest::parent2;
inline constexpr nest d_nest_child = nest::child;
inline constexpr nest d_nest_child2 = nest::nondirectory2;

// -- hash.cc: the name index. A resize keeps every lookup that started before it whole.
void dentry_hash_insert(dentry& d) HF_REQUIRES(d.d_lockref);
void dentry_hash_remove(dentry& d) HF_REQUIRES(d.d_lockref);
void dentry_hash_grow_if_needed(size_t nr_dentries);  // no locks held that a reader may want
size_t dentry_hash_buckets();

// The child, unreferenced, and the d_seq it was seen at; in an RCU section. A null result means
// only "not seen". With ->d_compare the file system judges; that path may return null after
// Error-like doubt.
dentry* d_lookup_rcu(const dentry& parent, const qstr& name, uint32_t& seq);
// Whether `d` has that name and parent; under RCU with d_seq re-checked by the caller, or d_lock
// held.
bool d_same_name(const dentry& d, const dentry& parent, const qstr& name);

// -- lru.cc
void d_lru_add(dentry& d) HF_REQUIRES(d.d_lockref);
void d_lru_del(dentry& d) HF_REQUIRES(d.d_lockref);
// Takes d off the LRU and puts it on a caller's list; d_lock held, count zero.
void d_to_shrink_list(dentry& d, list_head& dispose) HF_REQUIRES(d.d_lockref);
void shrink_dentry_list(list_head& dispose);
void d_enforce_budget(super_block& sb);
void count_dentry(int delta);

// -- dcache.cc
// d_lock held, count zero and staying so: ends the dentry. Releases d_lock. Returns the parent
// whose reference the caller must drop, or null; `killed` false: somebody took it meanwhile.
dentry* d_kill(dentry* d, bool& killed) HF_RELEASE(d->d_lockref);
void d_drop_locked(dentry& d) HF_REQUIRES(d.d_lockref);
void d_set_inode_and_type(dentry& d, inode* i, uint32_t type) HF_REQUIRES(d.d_lockref);
uint32_t d_flags_for_inode(inode* i);

// -- lookup.cc: out of the table of lookups under way, dcache_par_lookup being cleared; wakes who
// waits.
void d_leave_lookups(dentry& d);

// -- name.cc: name buffers. One that isn't inline is counted, and freed after a grace period.
char* name_alloc(std::string_view name);  // null: out of memory
void name_put(const dentry& d, const char* name);
// A buffer `d` may publish as a name equal to `of`'s; never null (waits for memory).
const char* name_copy_for_move(const dentry& of);

HF_NAMESPACE_END
