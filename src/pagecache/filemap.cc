// SPDX-License-Identifier: Apache-2.0
//
// Folios in and out of a mapping's index.
#include <cassert>
#include <cerrno>

#include "contract/obligations.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN

folio* filemap_peek(const address_space& mapping, pgoff_t index) {
  return static_cast<folio*>(radix_lookup(mapping.i_pages.root, index));
}

folio* filemap_get_folio(address_space& mapping, pgoff_t index) {
  rcu_read_guard rcu;
  for (;;) {
    folio* f = filemap_peek(mapping, index);
    if (!f) return nullptr;
    if (!folio_try_get(*f)) continue;  // it is leaving the index, or being split
    if (filemap_peek(mapping, index) == f) return f;
    folio_put(f);
  }
}

LockedFolio filemap_lock_folio(address_space& mapping, pgoff_t index) {
  for (;;) {
    folio* f = filemap_get_folio(mapping, index);
    if (!f) return {};
    folio_lock(*f);
    if (folio_in(*f, mapping)) return LockedFolio(f);
    folio_unlock(*f);
    folio_put(f);
  }
}

Status filemap_add_folio(address_space& mapping, folio& f, pgoff_t index) {
  assert((index & (f.nr_pages() - 1)) == 0);
  obligations::filled(mapping);
  folio_lock(f);
  f.index = index;
  f.mapping.store(&mapping, std::memory_order_relaxed);
  folio_get(f);
  Status st;
  {
    exclusive_guard g(mapping.i_pages.lock);
    st = radix_insert(mapping.i_pages.root, index, f.order, &f, radix_reclaim::rcu);
    if (st) mapping.nrpages += f.nr_pages();
  }
  if (!st) {
    f.mapping.store(nullptr, std::memory_order_relaxed);
    folio_unlock(f);
    f.refcount.fetch_sub(1, std::memory_order_relaxed);
  }
  return st;
}

void filemap_remove_folio(folio& f) {
  address_space& mapping = *f.mapping.load(std::memory_order_relaxed);
  assert(folio_locked(f));
  obligations::changes(f);
  obligations::dirty_dropped(f);
  {
    exclusive_guard g(mapping.i_pages.lock);
    [[maybe_unused]] void* old =
        radix_erase(mapping.i_pages.root, f.index, f.order, radix_reclaim::rcu);
    assert(old == &f);
    mapping.nrpages -= f.nr_pages();
    f.marks.store(0, std::memory_order_relaxed);
    f.mapping.store(nullptr, std::memory_order_release);
  }
  folio_put(&f);
}

HF_NAMESPACE_END
