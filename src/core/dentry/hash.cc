// SPDX-License-Identifier: Apache-2.0
//
// The name index: (parent, name) -> dentry, read under RCU without any lock, grown while in use.
//
// 1. Buckets are singly linked chains; a chain changes only under its stripe lock. A stripe is
//    chosen by the low bits of the hash, which both tables of a resize share, so one stripe lock
//    covers both.
// 2. A dentry has two links. The current table uses one of them; a resize fills a new table through
//    the other. From then until the new table is current, insertions and removals go to both, so
//    the current table is whole at every moment.
// 3. A reader that still walks the table that was replaced may miss what was added since. A miss is
//    never an absence: the walk leaves RCU, and REF-walk starts from the current table.
// 4. The next resize begins only after a grace period has ended for the last one, because it reuses
//    its link.
#include <new>

#include "core/dentry/dcache.h"
#include "core/dispatch/dentry_ops.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr size_t nr_stripes = 256;
constexpr size_t first_buckets = 1024;

struct table {
  size_t mask;
  unsigned link;
  rcu_head rcu;
  std::atomic<dentry*>* buckets;
  std::atomic<dentry*>& bucket(uint32_t hash) { return buckets[hash & mask]; }
};

struct alignas(64) stripe {
  spinlock<d_hash_class> lock;
};

stripe stripes[nr_stripes];
std::atomic<dentry*> boot_buckets[first_buckets];
table boot_table{first_buckets - 1, 0, {}, boot_buckets};
std::atomic<table*> current_table{&boot_table};
std::atomic<table*> growing_table{nullptr};
std::atomic<bool> resizing{false};  // from the decision until the old table is gone

uint32_t hash_of(const dentry& d) {
  return static_cast<uint32_t>(d.d_hash_len.load(std::memory_order_relaxed));
}

void link_in(table& t, dentry& d) {
  dentry_hash_link& l = d.d_hash[t.link];
  if (l.pprev) return;
  std::atomic<dentry*>& head = t.bucket(hash_of(d));
  dentry* first = head.load(std::memory_order_relaxed);
  l.next.store(first, std::memory_order_relaxed);
  l.pprev = &head;
  if (first) first->d_hash[t.link].pprev = &l.next;
  head.store(&d, std::memory_order_release);
}

void unlink_from(dentry& d, unsigned link) {
  dentry_hash_link& l = d.d_hash[link];
  if (!l.pprev) return;
  dentry* next = l.next.load(std::memory_order_relaxed);
  l.pprev->store(next, std::memory_order_release);
  if (next) next->d_hash[link].pprev = l.pprev;
  l.pprev = nullptr;  // l.next stays: a reader may stand on d
}

// After the grace period nobody walks the old table; its links of dentries that were in it still
// say so, and must not when the next resize reuses them.
void retire(rcu_head& head) {
  table* t = &container_of<&table::rcu>(head);
  for (size_t s = 0; s < nr_stripes; ++s) {
    exclusive_guard g(stripes[s].lock);
    for (size_t b = s; b <= t->mask; b += nr_stripes) {
      while (dentry* d = t->buckets[b].load(std::memory_order_relaxed)) unlink_from(*d, t->link);
    }
  }
  if (t != &boot_table) {
    delete[] t->buckets;
    delete t;
  }
  resizing.store(false, std::memory_order_release);
}

}  // namespace

void dentry_hash_insert(dentry& d) {
  exclusive_guard g(stripes[hash_of(d) % nr_stripes].lock);
  // growing before current: see invariant 2; if it is null here, current is the one to fill.
  table* growing = growing_table.load(std::memory_order_acquire);
  table* now = current_table.load(std::memory_order_acquire);
  link_in(*now, d);
  if (growing && growing != now) link_in(*growing, d);
}

void dentry_hash_remove(dentry& d) {
  exclusive_guard g(stripes[hash_of(d) % nr_stripes].lock);
  unlink_from(d, 0);
  unlink_from(d, 1);
}

size_t dentry_hash_buckets() {
  rcu_read_guard g;
  return current_table.load(std::memory_order_acquire)->mask + 1;
}

void dentry_hash_grow_if_needed(size_t nr_dentries) {
  if (nr_dentries <= dentry_hash_buckets() || resizing.exchange(true, std::memory_order_acq_rel))
    return;
  table* old = current_table.load(std::memory_order_acquire);
  size_t size = (old->mask + 1) * 2;
  while (size < nr_dentries) size *= 2;
  auto* t = new (std::nothrow) table{size - 1, old->link ^ 1u, {}, nullptr};
  if (t) t->buckets = new (std::nothrow) std::atomic<dentry*>[size]();
  if (!t || !t->buckets) {  // the old table goes on serving, with longer chains
    delete t;
    resizing.store(false, std::memory_order_release);
    return;
  }
  growing_table.store(t, std::memory_order_release);
  for (size_t s = 0; s < nr_stripes; ++s) {
    exclusive_guard g(stripes[s].lock);
    for (size_t b = s; b <= old->mask; b += nr_stripes) {
      for (dentry* d = old->buckets[b].load(std::memory_order_relaxed); d;
           d = d->d_hash[old->link].next.load(std::memory_order_relaxed))
        link_in(*t, *d);
    }
  }
  current_table.store(t, std::memory_order_release);
  growing_table.store(nullptr, std::memory_order_release);
  call_rcu(old->rcu, retire);
}

bool d_same_name(const dentry& d, const dentry& parent, const qstr& name) {
  if (d.d_parent.load(std::memory_order_acquire) != &parent) return false;
  if (parent.d_flags & dcache_op_compare) [[unlikely]]
    return dentry_ops::d_compare(d, d.name(), name);
  return d.d_hash_len.load(std::memory_order_relaxed) == name.hash_len() &&
         __builtin_memcmp(d.d_name.load(std::memory_order_acquire), name.name, name.len) == 0;
}

dentry* d_lookup_rcu(const dentry& parent, const qstr& name, uint32_t& seq) {
  table* t = current_table.load(std::memory_order_acquire);
  const unsigned link = t->link;
  const uint64_t hash_len = name.hash_len();
  if (parent.d_flags & dcache_op_compare) [[unlikely]] {
    for (dentry* d = t->bucket(name.hash).load(std::memory_order_acquire); d;
         d = d->d_hash[link].next.load(std::memory_order_acquire)) {
      if (static_cast<uint32_t>(d->d_hash_len.load(std::memory_order_relaxed)) != name.hash)
        continue;
      seq = d->d_seq.read_begin();
      if (d->d_parent.load(std::memory_order_acquire) != &parent) continue;
      if (d->d_flags & dcache_unhashed) continue;
      std::string_view candidate = d->name();
      if (d->d_seq.read_retry(seq)) return nullptr;  // a torn name would go to the file system
      if (dentry_ops::d_compare(*d, candidate, name)) return d;
    }
    return nullptr;
  }
  for (dentry* d = t->bucket(name.hash).load(std::memory_order_acquire); d;
       d = d->d_hash[link].next.load(std::memory_order_acquire)) {
    // Most candidates fail here, before their d_seq is worth a load.
    if (d->d_hash_len.load(std::memory_order_relaxed) != hash_len) continue;
    seq = d->d_seq.read_begin();
    if (d->d_parent.load(std::memory_order_acquire) != &parent) continue;
    if (d->d_hash_len.load(std::memory_order_relaxed) != hash_len) continue;
    if (__builtin_memcmp(d->d_name.load(std::memory_order_acquire), name.name, name.len) != 0)
      continue;
    if (d->d_flags & dcache_unhashed) continue;
    return d;
  }
  return nullptr;
}

HF_NAMESPACE_END
