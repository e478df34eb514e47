// SPDX-License-Identifier: Apache-2.0
//
// Dentries: allocation, references, attachment to inodes, death.
//
// 1. A dentry dies in d_kill() alone: count zero, i_lock, the parent's d_lock and its own held,
//    dead marked, ->d_prune called, then off the name index, the parent's list, the inode; ->d_iput
//    or iput; ->d_release; the memory after a grace period.
// 2. i_lock comes before d_lock and an ancestor's d_lock before a descendant's; who starts from the
//    child tries, and starts over from above when that fails. RCU keeps what it then looks at from
//    going away.
// 3. Losing the inode (d_delete of the last user, death) changes d_seq, so that a walk that saw the
//    inode can't use it.
#include <cstring>

#include "core/dentry/dcache.h"
#include "core/dispatch/dentry_ops.h"
#include "holdfast/file.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN

namespace {

slab_cache<dentry>& cache() {
  static slab_cache<dentry> c("dentry");
  return c;
}

void free_rcu_cb(rcu_head& head) {
  auto* d = &container_of<&dentry::d_rcu>(head);
  name_put(*d, d->d_name.load(std::memory_order_relaxed));
  d->~dentry();
  cache().free(d);
}

dentry* alloc(super_block& sb, std::string_view name) {
  dentry* mem = cache().allocate();
  if (!mem) return nullptr;
  auto* d = new (static_cast<void*>(mem)) dentry;
  char* buf = d->d_iname;
  if (name.size() < dname_inline_len) {
    std::memcpy(buf, name.data(), name.size());
    buf[name.size()] = '\0';
  } else {
    buf = name_alloc(name);
    if (!buf) {
      d->~dentry();
      cache().free(d);
      return nullptr;
    }
  }
  d->d_flags = dcache_unhashed;
  d->d_hash_len.store(uint64_t{name.size()} << 32, std::memory_order_relaxed);
  d->d_name.store(buf, std::memory_order_release);
  d->d_sb = &sb;
  d->d_parent.store(d, std::memory_order_relaxed);
  d->d_lockref.get();  // starts at zero
  d_set_d_op(*d, sb.s_d_op);
  if (d->d_op && d->d_op->d_init) {
    if (!dentry_ops::d_init(*d).ok()) {
      name_put(*d, buf);
      d->~dentry();
      cache().free(d);
      return nullptr;
    }
  }
  count_dentry(1);
  return d;
}

// Whether an unused dentry is worth keeping; d_lock held, count 1 (the one about to go).
bool retain(dentry& d) HF_REQUIRES(d.d_lockref) {
  const uint32_t flags = d.d_flags;
  if (flags & (dcache_unhashed | dcache_disconnected | dcache_dont_cache | dcache_dentry_killed))
    return false;
  if ((flags & dcache_op_delete) && dentry_ops::d_delete(d)) return false;
  if (!(flags & dcache_lru_list)) {
    if (!(flags & dcache_shrink_list)) d_lru_add(d);
  } else if (!(flags & dcache_referenced)) {
    d.d_flags = flags | dcache_referenced;
  }
  return true;
}

// d_lock and i_lock held; both released. Takes the inode off and gives its reference back.
void unlink_inode(dentry& d, inode& i) HF_NO_THREAD_SAFETY_ANALYSIS {
  d.d_seq.write_begin();
  d.d_flags = d.d_flags & ~dcache_entry_type;
  d.d_inode.store(nullptr, std::memory_order_relaxed);
  d.d_seq.write_end();
  d.d_alias.del_init();
  d.d_lockref.unlock();
  i.i_lock.unlock();
  if (d.d_op && d.d_op->d_iput)
    dentry_ops::d_iput(d, i);
  else
    iput(&i);
}

}  // namespace

constinit seqlock<rename_lock_class> rename_lock;

void free_dentry_memory(dentry& d) {
  count_dentry(-1);
  call_rcu(d.d_rcu, free_rcu_cb);
}

void d_set_d_op(dentry& d, const dentry_operations* ops) {
  d.d_op = ops;
  if (!ops) return;
  uint32_t f = d.d_flags;
  if (ops->d_hash) f |= dcache_op_hash;
  if (ops->d_compare) f |= dcache_op_compare;
  if (ops->d_revalidate) f |= dcache_op_revalidate;
  if (ops->d_weak_revalidate) f |= dcache_op_weak_revalidate;
  if (ops->d_delete) f |= dcache_op_delete;
  if (ops->d_prune) f |= dcache_op_prune;
  if (ops->d_real) f |= dcache_op_real;
  if (ops->d_manage) f |= dcache_manage_transit;
  d.d_flags = f;
}

// What allocation pays for now and then, where it may block: a larger index, fewer unused dentries.
static void balance(super_block& sb) {
  thread_local uint32_t allocations = 0;
  if (++allocations % 128 != 0 || !may_block()) return;
  dentry_hash_grow_if_needed(dentry_stat().nr_dentry);
  if (!(this_context().alloc_flags & alloc_nofs)) d_enforce_budget(sb);
}

dentry* d_alloc(dentry& parent, std::string_view name) {
  balance(*parent.d_sb);
  dentry* d = alloc(*parent.d_sb, name);
  if (!d) return nullptr;
  uint32_t h = full_name_hash(&parent, name);
  d->d_hash_len.store((uint64_t{name.size()} << 32) | h, std::memory_order_relaxed);
  exclusive_guard g(parent.d_lockref);
  parent.d_lockref.add_locked(1);
  d->d_parent.store(&parent, std::memory_order_release);
  parent.d_subdirs.add(d->d_child);
  return d;
}

dentry* d_alloc_anon(super_block& sb) {
  return alloc(sb, "/");
}

dentry* d_make_root(inode* root) {
  if (!root) return nullptr;
  dentry* d = d_alloc_anon(*root->i_sb);
  if (!d) {
    iput(root);
    return nullptr;
  }
  d_instantiate(*d, root);
  return d;
}

uint32_t d_flags_for_inode(inode* i) {
  if (!i) return dcache_miss_type;
  if (i->is_dir())
    return (i->i_op && i->i_op->lookup) ? dcache_directory_type : dcache_autodir_type;
  if (i->is_lnk()) return dcache_symlink_type;
  if (i->is_reg()) return dcache_regular_type;
  return dcache_special_type;
}

void d_set_inode_and_type(dentry& d, inode* i, uint32_t type) {
  d.d_seq.write_begin();
  d.d_inode.store(i, std::memory_order_release);
  d.d_flags = (d.d_flags & ~dcache_entry_type) | type;
  d.d_seq.write_end();
}

void d_instantiate(dentry& d, inode* i) {
  if (!i) return;
  const uint32_t type = d_flags_for_inode(i);
  exclusive_guard gi(i->i_lock);
  exclusive_guard gd(d.d_lockref);
  i->i_dentry.add(d.d_alias);
  d_set_inode_and_type(d, i, type);
}

void d_instantiate_new(dentry& d, inode* i) {
  d_instantiate(d, i);
  unlock_new_inode(*i);
}

void d_rehash(dentry& d) {
  exclusive_guard g(d.d_lockref);
  if (!(d.d_flags & dcache_unhashed)) return;
  d.d_flags = d.d_flags & ~dcache_unhashed;
  dentry_hash_insert(d);
}

void d_add(dentry& d, inode* i) {
  if (i) d_instantiate(d, i);
  bool was_in_lookup;
  {
    exclusive_guard g(d.d_lockref);
    if (!i) d_set_inode_and_type(d, nullptr, dcache_miss_type);
    // In one step: whoever finds the name in the index must not take it for a lookup of his own.
    const uint32_t flags = d.d_flags;
    was_in_lookup = flags & dcache_par_lookup;
    d.d_flags = flags & ~(dcache_unhashed | dcache_par_lookup);
    if (flags & dcache_unhashed) dentry_hash_insert(d);
  }
  // Only then it leaves the table of lookups under way: at no time nobody finds it.
  if (was_in_lookup) d_leave_lookups(d);
}

bool d_unhashed(const dentry& d) {
  return d.d_flags & dcache_unhashed;
}

void d_drop_locked(dentry& d) {
  if (d.d_flags & dcache_unhashed) return;
  d.d_flags = d.d_flags | dcache_unhashed;
  dentry_hash_remove(d);
  d.d_seq.write_begin();  // whoever stands on it in RCU-walk notices
  d.d_seq.write_end();
}

void d_drop(dentry& d) {
  exclusive_guard g(d.d_lockref);
  d_drop_locked(d);
}

// i_lock and the parent's d_lock, starting from d_lock; true with all held (those that exist).
static bool lock_for_kill(dentry& d, inode*& i, dentry*& parent) HF_NO_THREAD_SAFETY_ANALYSIS {
  rcu_read_guard rcu;
  for (;;) {
    i = d.d_inode.load(std::memory_order_relaxed);
    parent = d.d_parent.load(std::memory_order_relaxed);
    if (parent == &d) parent = nullptr;
    bool got_i = !i || i->i_lock.try_lock();
    if (got_i) {
      if (!parent || parent->d_lockref.try_lock()) return true;
      if (i) i->i_lock.unlock();
    }
    d.d_lockref.unlock();
    // From above, in order; what was seen may have changed meanwhile.
    if (i) i->i_lock.lock();
    if (parent) parent->d_lockref.lock(d_nest_parent);
    d.d_lockref.lock(parent ? d_nest_child : nest::normal);
    dentry* p = d.d_parent.load(std::memory_order_relaxed);
    if (p == &d) p = nullptr;
    const bool same = d.d_inode.load(std::memory_order_relaxed) == i && p == parent;
    const bool unused = d.d_lockref.count() == 0 && !(d.d_flags & dcache_dentry_killed);
    if (same && unused) return true;
    if (parent) parent->d_lockref.unlock();
    if (i) i->i_lock.unlock();
    if (!unused) return false;
  }
}

dentry* d_kill(dentry* d, bool& killed) HF_NO_THREAD_SAFETY_ANALYSIS {
  inode* i;
  dentry* parent;
  if (!lock_for_kill(*d, i, parent)) {
    d->d_lockref.unlock();
    killed = false;
    return nullptr;
  }
  killed = true;
  d->d_lockref.mark_dead();
  if (d->d_flags & dcache_op_prune) dentry_ops::d_prune(*d);
  if (d->d_flags & dcache_lru_list) d_lru_del(*d);
  d_drop_locked(*d);
  d->d_flags = d->d_flags | dcache_dentry_killed;
  if (parent) {
    d->d_child.del_init();
    parent->d_lockref.unlock();
  }
  if (i)
    unlink_inode(*d, *i);
  else
    d->d_lockref.unlock();
  if (d->d_op && d->d_op->d_release) dentry_ops::d_release(*d);
  bool free_it = true;
  d->d_lockref.lock();
  if (d->d_flags & dcache_shrink_list) {
    d->d_flags = d->d_flags | dcache_may_free;
    free_it = false;
  }
  d->d_lockref.unlock();
  if (free_it) free_dentry_memory(*d);
  return parent;
}

void dput(dentry* d) HF_NO_THREAD_SAFETY_ANALYSIS {
  while (d) {
    if (d->d_lockref.put_return()) return;
    if (d->d_lockref.put_or_lock()) return;
    if (retain(*d)) {
      d->d_lockref.add_locked(-1);
      d->d_lockref.unlock();
      return;
    }
    d->d_lockref.add_locked(-1);
    bool killed = false;
    d = d_kill(d, killed);
  }
}

dentry* dget_parent(dentry& d) {
  rcu_read_guard rcu;
  for (;;) {
    uint32_t seq = d.d_seq.read_begin();
    dentry* p = d.parent();
    if (p->d_lockref.get_not_zero()) {
      if (!d.d_seq.read_retry(seq)) return p;
      rcu_read_unlock();
      dput(p);
      rcu_read_lock();
      continue;
    }
    // A child holds a reference on its parent, so a zero means that `d` has moved.
  }
}

dentry* d_find_alias(inode& i) {
  exclusive_guard g(i.i_lock);
  dentry* fallback = nullptr;
  for (dentry& alias : entries<&dentry::d_alias>(i.i_dentry)) {
    dentry* d = &alias;
    exclusive_guard gd(d->d_lockref);
    if (d->d_flags & dcache_dentry_killed) continue;
    if (i.is_dir() || !(d->d_flags & dcache_unhashed)) {
      if (!(d->d_flags & dcache_disconnected)) {
        d->d_lockref.add_locked(1);
        if (fallback) fallback->d_lockref.put_return();
        return d;
      }
      if (!fallback) {
        d->d_lockref.add_locked(1);
        fallback = d;
      }
    }
  }
  return fallback;
}

Result<dentry*> d_obtain_alias(inode* i) {
  if (!i) return Error(ESTALE);
  if (dentry* d = d_find_alias(*i)) {
    iput(i);
    return d;
  }
  dentry* d = d_alloc_anon(*i->i_sb);
  if (!d) {
    iput(i);
    return Error(ENOMEM);
  }
  const uint32_t type = d_flags_for_inode(i);
  {
    exclusive_guard gi(i->i_lock);
    exclusive_guard gd(d->d_lockref);
    d->d_flags = d->d_flags | dcache_disconnected;
    i->i_dentry.add(d->d_alias);
    d_set_inode_and_type(*d, i, type);
  }
  return d;
}

void d_delete(dentry& d) HF_NO_THREAD_SAFETY_ANALYSIS {
  inode* i = d.inode_ptr();
  if (!i) {
    d_drop(d);
    return;
  }
  i->i_lock.lock();
  d.d_lockref.lock();
  if (d.d_lockref.count() == 1) {
    d.d_flags = d.d_flags & ~dcache_cant_mount;
    unlink_inode(d, *i);  // stays in the index as a negative entry
    return;
  }
  d_drop_locked(d);
  d.d_lockref.unlock();
  i->i_lock.unlock();
}

void d_tmpfile(file& f, inode* i) {
  dentry& d = *f.f_path.dent;
  drop_nlink(*i);
  d_instantiate(d, i);
}

void d_mark_dontcache(inode& i) {
  exclusive_guard g(i.i_lock);
  for (dentry& alias : entries<&dentry::d_alias>(i.i_dentry)) {
    dentry* d = &alias;
    exclusive_guard gd(d->d_lockref);
    d->d_flags = d->d_flags | dcache_dont_cache;
  }
  i.i_state = i.i_state | i_dontcache;
}

void d_prune_aliases(inode& i) {
  list_head dispose;
  {
    exclusive_guard g(i.i_lock);
    for (dentry& alias : entries<&dentry::d_alias>(i.i_dentry)) {
      dentry* d = &alias;
      exclusive_guard gd(d->d_lockref);
      if (d->d_lockref.count() == 0 && !(d->d_flags & (dcache_shrink_list | dcache_dentry_killed)))
        d_to_shrink_list(*d, dispose);
    }
  }
  shrink_dentry_list(dispose);
}

HF_NAMESPACE_END
