// SPDX-License-Identifier: Apache-2.0
//
// Finding a name outside RCU-walk, and lookups under way.
//
// 1. d_lookup is stable against renames: a miss counts only if rename_lock did not move.
// 2. At most one dentry per (parent, name) is in ->lookup at a time (semantics.md A, parallel
//    lookup). The table of those under way is asked after the index; its owner fills the index
//    before it leaves the table; so under a bucket's lock a second look at the index settles it.
// 3. Who waits for a lookup under way holds a reference on its dentry and starts over when it is
//    done.
#include "core/dentry/dcache.h"
#include "core/dentry/name_hash.h"
#include "holdfast/sync/wait_queue.h"

HF_NAMESPACE_BEGIN

namespace {

struct alignas(64) in_lookup_bucket {
  spinlock<d_lookup_class> lock;
  dentry* first HF_GUARDED_BY(lock) = nullptr;  // chain by d_in_lookup_next
  wait_queue<d_lookup_wait_class> queue;
};
constexpr size_t nr_buckets = 256;
in_lookup_bucket in_lookup[nr_buckets];

in_lookup_bucket& bucket_of(const dentry& d) {
  return in_lookup[static_cast<uint32_t>(d.d_hash_len.load(std::memory_order_relaxed)) %
                   nr_buckets];
}

// One pass over the index; a reference or null.
dentry* lookup_once(dentry& parent, const qstr& name) {
  rcu_read_guard rcu;
  uint32_t seq;
  dentry* d = d_lookup_rcu(parent, name, seq);
  return d && d->d_lockref.get_not_dead() ? d : nullptr;
}

bool still(const dentry& d, const dentry& parent, const qstr& name) {
  return !(d.d_flags & dcache_unhashed) && d_same_name(d, parent, name);
}

}  // namespace

uint32_t full_name_hash(const dentry* salt, std::string_view name) {
  return hash_bytes(salt, name);
}

dentry* d_lookup(dentry& parent, const qstr& name) {
  for (;;) {
    const uint32_t seq = rename_lock.read_begin();
    dentry* d = lookup_once(parent, name);
    if (d) {
      {
        exclusive_guard g(d->d_lockref);
        if (still(*d, parent, name)) return d;
      }
      dput(d);  // it moved while the reference was taken
      continue;
    }
    if (!rename_lock.read_retry(seq)) return nullptr;
  }
}

Result<dentry*> d_alloc_parallel(dentry& parent, const qstr& name) {
  dentry* fresh = d_alloc(parent, name.view());
  if (!fresh) return Error(ENOMEM);
  fresh->d_hash_len.store(name.hash_len(),
                          std::memory_order_relaxed);  // ->d_hash may have its own idea
  fresh->d_flags = fresh->d_flags | dcache_par_lookup;
  in_lookup_bucket& b = bucket_of(*fresh);
  for (;;) {
    if (dentry* d = d_lookup(parent, name)) {
      fresh->d_flags = fresh->d_flags & ~dcache_par_lookup;
      dput(fresh);
      return d;
    }
    dentry* other = nullptr;
    bool retry = false;
    b.lock.lock();
    for (dentry* d = b.first; d; d = d->d_in_lookup_next) {
      if (d->d_hash_len.load(std::memory_order_relaxed) == name.hash_len() &&
          d_same_name(*d, parent, name)) {
        other = dget(d);
        break;
      }
    }
    if (!other) {
      rcu_read_guard rcu;
      uint32_t seq;
      retry = d_lookup_rcu(parent, name, seq) != nullptr;
      if (!retry) {
        fresh->d_in_lookup_next = b.first;
        b.first = fresh;
      }
    }
    b.lock.unlock();
    if (!other) {
      if (retry) continue;
      return fresh;
    }
    b.queue.wait([other] { return !(other->d_flags & dcache_par_lookup); });
    bool good;
    {
      exclusive_guard g(other->d_lockref);
      good = still(*other, parent, name);
    }
    if (good) {
      fresh->d_flags = fresh->d_flags & ~dcache_par_lookup;
      dput(fresh);
      return other;
    }
    dput(other);
  }
}

void d_leave_lookups(dentry& d) {
  in_lookup_bucket& b = bucket_of(d);
  {
    exclusive_guard g(b.lock);
    for (dentry** p = &b.first; *p; p = &(*p)->d_in_lookup_next) {
      if (*p == &d) {
        *p = d.d_in_lookup_next;
        d.d_in_lookup_next = nullptr;
        break;
      }
    }
  }
  b.queue.wake_all();
}

void d_lookup_done(dentry& d) {
  if (!(d.d_flags & dcache_par_lookup)) return;
  {
    exclusive_guard g(d.d_lockref);
    d.d_flags = d.d_flags & ~dcache_par_lookup;
  }
  d_leave_lookups(d);
}

HF_NAMESPACE_END
