// SPDX-License-Identifier: Apache-2.0
//
// Unused dentries: kept per superblock in the order of their last use, shrunk to a budget.
//
// 1. On the LRU: count was zero when it was put there, and is checked again when it is taken off; a
//    dentry in use may stay on the list until a shrinker passes.
// 2. A dentry on a private (shrink) list belongs to that list's owner: whoever kills it meanwhile
//    sets dcache_may_free and leaves the memory to the owner.
// 3. d_lru is guarded by s_dentry_lru_lock while dcache_lru_list, by the owner while
//    dcache_shrink_list.
#include "core/dentry/dcache.h"
#include "core/mount/sharded_count.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr size_t default_budget = 1u << 17;  // about 40 MiB
std::atomic<size_t> budget{default_budget};
std::atomic<int64_t> nr_unused{0};
sharded_count nr_total;

void unused(super_block& sb, int delta) {
  nr_unused.fetch_add(delta, std::memory_order_relaxed);
  sb.s_nr_dentry_unused.fetch_add(static_cast<size_t>(delta), std::memory_order_relaxed);
}

}  // namespace

void free_dentry_memory(dentry& d);  // dcache.cc

void count_dentry(int delta) {
  nr_total.add(delta);
}

dentry_stat_t dentry_stat() {
  auto clamp = [](int64_t n) { return n < 0 ? size_t{0} : static_cast<size_t>(n); };
  return {clamp(nr_total.sum()), clamp(nr_unused.load(std::memory_order_relaxed)),
          dentry_hash_buckets()};
}

void set_dentry_budget(size_t max_unused) {
  budget.store(max_unused, std::memory_order_relaxed);
}

void d_lru_add(dentry& d) {
  super_block& sb = *d.d_sb;
  exclusive_guard g(sb.s_dentry_lru_lock);
  d.d_flags = d.d_flags | dcache_lru_list;
  sb.s_dentry_lru.add_tail(d.d_lru);
  unused(sb, 1);
}

void d_lru_del(dentry& d) {
  super_block& sb = *d.d_sb;
  exclusive_guard g(sb.s_dentry_lru_lock);
  d.d_flags = d.d_flags & ~dcache_lru_list;
  d.d_lru.del_init();
  unused(sb, -1);
}

void d_to_shrink_list(dentry& d, list_head& dispose) {
  if (d.d_flags & dcache_lru_list) d_lru_del(d);
  d.d_flags = d.d_flags | dcache_shrink_list;
  dispose.add_tail(d.d_lru);
}

// Drops the reference a killed child had on its parent; if it was the last, the parent goes the
// same way at once. So a chain of any depth is taken down in one pass.
static void put_to_list(dentry* d, list_head& dispose) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (!d || d->d_lockref.put_or_lock()) return;
  d->d_lockref.add_locked(-1);
  if (!(d->d_flags & (dcache_shrink_list | dcache_dentry_killed))) d_to_shrink_list(*d, dispose);
  d->d_lockref.unlock();
}

void shrink_dentry_list(list_head& dispose) {
  while (!dispose.empty()) {
    dentry* d = dispose.first_entry<&dentry::d_lru>();
    d->d_lockref.lock();
    d->d_lru.del_init();
    d->d_flags = d->d_flags & ~dcache_shrink_list;
    if (d->d_flags & dcache_dentry_killed) {
      bool free_it = d->d_flags & dcache_may_free;
      d->d_lockref.unlock();
      if (free_it) free_dentry_memory(*d);
      continue;
    }
    if (d->d_lockref.count() != 0) {
      d->d_lockref.unlock();
      continue;
    }
    bool killed = false;
    put_to_list(d_kill(d, killed), dispose);
  }
}

size_t prune_dcache_sb(super_block& sb, size_t nr) {
  list_head dispose;
  size_t taken = 0;
  {
    exclusive_guard g(sb.s_dentry_lru_lock);
    // Twice around at most: once to use up second chances.
    for (size_t looked = 0; taken < nr && looked < 2 * nr && !sb.s_dentry_lru.empty(); ++looked) {
      dentry* d = sb.s_dentry_lru.first_entry<&dentry::d_lru>();
      if (!d->d_lockref.try_lock()) {  // the order is d_lock, then the LRU's
        d->d_lru.del_init();
        sb.s_dentry_lru.add_tail(d->d_lru);
        continue;
      }
      d->d_lru.del_init();
      if (d->d_lockref.count() != 0) {
        d->d_flags = d->d_flags & ~dcache_lru_list;
        unused(sb, -1);
      } else if (d->d_flags & dcache_referenced) {
        d->d_flags = d->d_flags & ~dcache_referenced;
        sb.s_dentry_lru.add_tail(d->d_lru);
      } else {
        d->d_flags = (d->d_flags & ~dcache_lru_list) | dcache_shrink_list;
        unused(sb, -1);
        dispose.add_tail(d->d_lru);
        ++taken;
      }
      d->d_lockref.unlock();
    }
  }
  shrink_dentry_list(dispose);
  return taken;
}

void d_enforce_budget(super_block& sb) {
  const auto limit = static_cast<int64_t>(budget.load(std::memory_order_relaxed));
  const int64_t over = nr_unused.load(std::memory_order_relaxed) - limit;
  // A batch is twice what is allocated between two calls (see balance()), so the excess goes down.
  constexpr size_t batch = 256;
  if (over > 0) prune_dcache_sb(sb, batch);
}

void shrink_dcache_sb(super_block& sb) {
  for (;;) {
    list_head dispose;
    {
      exclusive_guard g(sb.s_dentry_lru_lock);
      size_t batch = 1024;
      while (batch-- && !sb.s_dentry_lru.empty()) {
        dentry* d = sb.s_dentry_lru.first_entry<&dentry::d_lru>();
        if (!d->d_lockref.try_lock()) break;
        d->d_lru.del_init();
        d->d_flags = d->d_flags & ~dcache_lru_list;
        unused(sb, -1);
        if (d->d_lockref.count() == 0) {
          d->d_flags = d->d_flags | dcache_shrink_list;
          dispose.add_tail(d->d_lru);
        }
        d->d_lockref.unlock();
      }
      if (sb.s_dentry_lru.empty() && dispose.empty()) return;
    }
    shrink_dentry_list(dispose);
  }
}

HF_NAMESPACE_END
