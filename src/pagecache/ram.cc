// SPDX-License-Identifier: Apache-2.0
//
// Address space operations for mappings whose only copy is the page cache: nothing is ever dirty in
// the sense of writeback, and what has no folio is a hole.
//
// 1. Bytes of a folio beyond i_size are zero: a new folio is completed with zeros, truncation
//    zeroes.
// 2. Folios come and go only under i_rwsem exclusively (or at eviction); readers don't make any.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "holdfast/libfs.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

unsigned order_by_write(loff_t pos, size_t len) {
  const pgoff_t first = static_cast<pgoff_t>(pos) >> page_shift;
  const pgoff_t pages = ((static_cast<pgoff_t>(pos) + len) >> page_shift) - first;
  unsigned order = 0;
  if (pos & static_cast<loff_t>(page_size - 1)) return 0;
  while (order < max_folio_order && (first & ((pgoff_t{2} << order) - 1)) == 0 &&
         pgoff_t{2} << order <= pages)
    ++order;
  return order;
}

Status ram_write_begin(file*, address_space& mapping, loff_t pos, size_t len, folio*& f, void*&) {
  const unsigned order = mapping.flags & as_large_folio ? by_write : 0;
  HF_TRY_ASSIGN(f, ram_get_folio(mapping, pos, len, order, nullptr));
  return {};
}

}  // namespace

Result<folio*> ram_get_folio(address_space& mapping, loff_t pos, size_t len, unsigned order,
                             const page_charge* charge) {
  const pgoff_t index = static_cast<pgoff_t>(pos) >> page_shift;
  if (LockedFolio there = filemap_lock_folio(mapping, index)) return there.release();
  inode& i = *mapping.host;
  if (order == by_write) order = order_by_write(pos, len);
  for (;;) {
    const pgoff_t start = index & ~((pgoff_t{1} << order) - 1);
    const size_t pages = size_t{1} << order;
    bool in_the_way = false;
    if (order > 0) {
      rcu_read_guard rcu;
      uint64_t next = start;
      in_the_way = radix_next(mapping.i_pages.root, next) && next < start + pages;
    }
    if (!in_the_way) {
      int why = ENOSPC;
      if (!charge || charge->take(i, pages)) {
        if (folio* f = folio_alloc(order, false)) {
          Status st = filemap_add_folio(mapping, *f, start);
          if (st) return f;
          folio_put(f);
          why = st.code();
        } else {
          why = ENOMEM;
        }
        if (charge) charge->give(i, pages);
      }
      if (order == 0) return Error(why);
    }
    order = order > 3 ? order / 2 : 0;
  }
}

void ram_fill_zero(folio& f) {
  std::memset(f.data, 0, f.size());
  folio_mark_uptodate(f);
}

Result<size_t> ram_write_end(file*, address_space& mapping, loff_t pos, size_t, size_t copied,
                             folio& f, void*) {
  inode& i = *mapping.host;
  if (!f.test(pg_uptodate)) {
    if (copied == 0) {
      filemap_remove_folio(f);
    } else {
      const auto from = static_cast<size_t>(pos - f.pos());
      std::memset(f.data, 0, from);
      std::memset(f.data + from + copied, 0, f.size() - from - copied);
      folio_mark_uptodate(f);
    }
  }
  const loff_t end = pos + static_cast<loff_t>(copied);
  if (copied > 0 && end > i.i_size.load(std::memory_order_relaxed))
    i.i_size.store(end, std::memory_order_release);
  folio_unlock(f);
  folio_put(&f);
  return copied;
}

Status ram_read_folio(file*, folio& f) {
  if (!f.test(pg_uptodate)) ram_fill_zero(f);
  folio_unlock(f);
  return {};
}

bool ram_dirty_folio(address_space&, folio&) {
  return false;
}

constinit const address_space_operations ram_aops = {
    .read_folio = ram_read_folio,
    .dirty_folio = ram_dirty_folio,
    .write_begin = ram_write_begin,
    .write_end = ram_write_end,
};

HF_NAMESPACE_END
