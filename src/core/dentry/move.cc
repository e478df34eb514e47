// SPDX-License-Identifier: Apache-2.0
//
// Renames in the tree of dentries, and aliases of directories.
//
// 1. Everything here that changes a name or a parent holds rename_lock's write side and d_seq's of
//    both.
// 2. d_move: `d` takes target's place and name; target leaves the index and keeps its own name and
//    parent. d_exchange: both stay in the index, each in the other's place.
// 3. A directory has one dentry that is in the index; ->lookup that meets it elsewhere moves it
//    there (semantics.md A, d_splice_alias), without ever waiting for a lock.
#include "core/dentry/dcache.h"

HF_NAMESPACE_BEGIN

dentry* d_ancestor(dentry& p1, dentry& p2) {
  for (dentry* p = &p2; !p->is_root(); p = p->parent()) {
    if (p->parent() == &p1) return p;
  }
  return nullptr;
}

bool is_subdir(dentry& d, dentry& ancestor) {
  if (&d == &ancestor) return true;
  for (;;) {
    const uint32_t seq = rename_lock.read_begin();
    bool yes;
    {
      rcu_read_guard rcu;
      yes = d_ancestor(ancestor, d) != nullptr;
    }
    if (!rename_lock.read_retry(seq)) return yes;
  }
}

namespace {

// rename_lock held for writing. `name_d`: the buffer d will publish; `name_t` likewise for target
// in an exchange (else null).
void move_locked(dentry& d, dentry& target, const char* name_d,
                 const char* name_t) HF_NO_THREAD_SAFETY_ANALYSIS {
  const bool exchange = name_t != nullptr;
  dentry* old_parent = d.parent();
  dentry* new_parent = target.parent();
  const bool was_root = old_parent == &d;
  // Parents: an ancestor before its descendant; unrelated ones in either order, under rename_lock.
  dentry* first = was_root ? new_parent : old_parent;
  dentry* second = nullptr;
  if (!was_root && old_parent != new_parent) {
    if (d_ancestor(*old_parent, *new_parent)) {
      second = new_parent;
    } else {
      first = new_parent;
      second = old_parent;
    }
  }
  first->d_lockref.lock(d_nest_parent);
  if (second) second->d_lockref.lock(d_nest_parent2);
  d.d_lockref.lock(d_nest_child);
  target.d_lockref.lock(d_nest_child2);

  if (d.d_flags & dcache_par_lookup) __builtin_trap();  // a lookup under way is nobody's to move
  d.d_seq.write_begin();
  target.d_seq.write_begin();
  if (!(d.d_flags & dcache_unhashed)) dentry_hash_remove(d);
  if (!(target.d_flags & dcache_unhashed)) dentry_hash_remove(target);
  const bool d_was_hashed = !(d.d_flags & dcache_unhashed);
  const char* old_name_d = d.d_name.load(std::memory_order_relaxed);
  const char* old_name_t = target.d_name.load(std::memory_order_relaxed);
  const uint64_t old_hash_len = d.d_hash_len.load(std::memory_order_relaxed);
  d.d_name.store(name_d, std::memory_order_release);
  d.d_hash_len.store(target.d_hash_len.load(std::memory_order_relaxed), std::memory_order_relaxed);
  d.d_parent.store(new_parent, std::memory_order_release);
  bool drop_old_parent = false;
  if (exchange) {
    target.d_name.store(name_t, std::memory_order_release);
    target.d_hash_len.store(old_hash_len, std::memory_order_relaxed);
    target.d_parent.store(old_parent, std::memory_order_release);
    d.d_child.del_init();
    target.d_child.del_init();
    new_parent->d_subdirs.add(d.d_child);
    old_parent->d_subdirs.add(target.d_child);
  } else {
    target.d_flags = target.d_flags | dcache_unhashed;
    d.d_child.del_init();
    new_parent->d_subdirs.add(d.d_child);
    if (old_parent != new_parent) {
      new_parent->d_lockref.add_locked(1);
      drop_old_parent = !was_root;
    }
  }
  d.d_flags = d.d_flags & ~(dcache_unhashed | dcache_disconnected);
  dentry_hash_insert(d);
  if (exchange && d_was_hashed) dentry_hash_insert(target);
  if (exchange && !d_was_hashed) target.d_flags = target.d_flags | dcache_unhashed;
  target.d_seq.write_end();
  d.d_seq.write_end();
  if (drop_old_parent) old_parent->d_lockref.add_locked(-1);  // its caller holds another reference

  target.d_lockref.unlock();
  d.d_lockref.unlock();
  if (second) second->d_lockref.unlock();
  first->d_lockref.unlock();
  name_put(d, old_name_d);
  if (exchange) name_put(target, old_name_t);
}

}  // namespace

void d_move(dentry& d, dentry& target) {
  const char* name = name_copy_for_move(target);
  exclusive_guard g(rename_lock);
  move_locked(d, target, name, nullptr);
}

void d_exchange(dentry& a, dentry& b) {
  const char* name_a = name_copy_for_move(b);
  const char* name_b = name_copy_for_move(a);
  exclusive_guard g(rename_lock);
  move_locked(a, b, name_a, name_b);
}

// The other parent's locks are only tried: the caller holds its own parent, in whatever order.
static Status move_alias(dentry& alias, dentry& d, const char* name) HF_NO_THREAD_SAFETY_ANALYSIS {
  super_block& sb = *d.d_sb;
  if (alias.parent() == d.parent()) {
    move_locked(alias, d, name, nullptr);
    return {};
  }
  if (!sb.s_vfs_rename_mutex.try_lock()) return Error(ESTALE);
  inode* other = alias.parent()->inode_ptr();
  Status st = Error(ESTALE);
  if (other->i_rwsem.try_lock_shared()) {
    move_locked(alias, d, name, nullptr);
    other->i_rwsem.unlock_shared();
    st = {};
  }
  sb.s_vfs_rename_mutex.unlock();
  return st;
}

Result<dentry*> d_splice_alias(inode* i, dentry& d) {
  if (!i || !i->is_dir()) {
    d_add(d, i);
    return nullptr;
  }
  dentry* alias = d_find_alias(*i);
  if (!alias) {
    d_add(d, i);
    return nullptr;
  }
  Status st;
  const char* name = name_copy_for_move(d);
  {
    exclusive_guard g(rename_lock);
    if (d_ancestor(*alias, d) || alias == &d)
      st = Error(ELOOP);
    else if (alias->is_root())
      move_locked(*alias, d, name, nullptr);
    else
      st = move_alias(*alias, d, name);
  }
  d_lookup_done(d);
  iput(i);
  if (!st.ok()) {
    name_put(d, name);
    dput(alias);
    return st.error();
  }
  return alias;
}

HF_NAMESPACE_END
