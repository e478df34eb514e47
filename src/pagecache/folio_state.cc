// SPDX-License-Identifier: Apache-2.0
//
// A folio's way from dirty to written, and what its index says of it (writeback.h has the diagram).
//
// 1. Flags are changed by whom the diagram allows; marks follow them under i_pages.lock. A dirty
//    folio gets its flag first and its mark second, a written one loses the mark first: who walks
//    the marks misses nothing.
// 2. Each function tells the contract's obligations before it changes anything, or, where a change
//    may turn out to be none, after it.
#include "contract/obligations.h"
#include "core/dispatch/aops.h"
#include "holdfast/writeback.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN

void folio_set_marks(folio& f, uint8_t marks) {
  address_space* mapping = f.mapping.load(std::memory_order_acquire);
  if (mapping == nullptr) return;
  exclusive_guard g(mapping->i_pages.lock);
  if (folio_in(f, *mapping)) f.marks.fetch_or(marks, std::memory_order_release);
}

void folio_clear_marks(folio& f, uint8_t marks) {
  address_space* mapping = f.mapping.load(std::memory_order_acquire);
  if (mapping == nullptr) return;
  exclusive_guard g(mapping->i_pages.lock);
  f.marks.fetch_and(static_cast<uint8_t>(~marks), std::memory_order_release);
}

bool filemap_dirty_folio(address_space&, folio& f) {
  if (f.flags.fetch_or(pg_dirty, std::memory_order_acq_rel) & pg_dirty) return false;
  folio_set_marks(f, mark_dirty);
  // Not before the mark is there: a ->writepages that began in between could not find the folio.
  obligations::dirtied(f);
  return true;
}

bool folio_mark_dirty(folio& f) {
  address_space* mapping = f.mapping.load(std::memory_order_acquire);
  if (mapping != nullptr) return aops::dirty_folio(*mapping, f);
  return (f.flags.fetch_or(pg_dirty, std::memory_order_acq_rel) & pg_dirty) == 0;
}

bool folio_clear_dirty_for_io(folio& f) {
  if (!(f.flags.fetch_and(~pg_dirty, std::memory_order_acq_rel) & pg_dirty)) return false;
  obligations::dirty_cleared(f);
  return true;
}

void folio_redirty_for_writepage(writeback_control& wbc, folio& f) {
  wbc.pages_skipped += static_cast<int64_t>(f.nr_pages());
  obligations::redirtied(f);
  if (address_space* mapping = f.mapping.load(std::memory_order_acquire))
    filemap_dirty_folio(*mapping, f);
}

void folio_cancel_dirty(folio& f) {
  obligations::dirty_dropped(f);
  f.flags.fetch_and(~pg_dirty, std::memory_order_relaxed);
  if (f.marks.load(std::memory_order_relaxed) & (mark_dirty | mark_towrite))
    folio_clear_marks(f, mark_dirty | mark_towrite);
}

void folio_start_writeback(folio& f) {
  obligations::writeback_begins(f);
  f.flags.fetch_or(pg_writeback, std::memory_order_acq_rel);
  folio_set_marks(f, mark_writeback);
  folio_clear_marks(f, static_cast<uint8_t>(mark_towrite | (f.test(pg_dirty) ? 0 : mark_dirty)));
}

void folio_submit_write(folio& f) {
  obligations::write_submitted(f);
}

void folio_activate(folio& f) {
  obligations::activated(f);
  f.flags.fetch_or(pg_active, std::memory_order_relaxed);
}

unsigned filemap_get_marked(address_space& mapping, pgoff_t& index, pgoff_t end, uint8_t mark,
                            folio** out, unsigned n) {
  unsigned found = 0;
  rcu_read_guard rcu;
  while (found < n && index <= end) {
    pgoff_t at = index;
    auto* f = static_cast<folio*>(radix_next(mapping.i_pages.root, at));
    if (!f || at > end) {
      index = end + 1;
      break;
    }
    if (!folio_try_get(*f)) {
      if (filemap_peek(mapping, at) != f) index = at;  // else it is about to be replaced
      continue;
    }
    if (filemap_peek(mapping, at) != f) {
      folio_put(f);
      continue;
    }
    index = f->index + f->nr_pages();
    if (mark == 0 || (f->marks.load(std::memory_order_acquire) & mark) != 0)
      out[found++] = f;
    else
      folio_put(f);
  }
  return found;
}

folio* readahead_folio(readahead_control& rac) {
  rac.index += rac.batch_count;
  rac.nr_pages -= rac.batch_count;
  rac.batch_count = 0;
  if (rac.nr_pages == 0) return nullptr;
  rcu_read_guard rcu;  // the lock keeps it in the index, and so in existence
  folio* f = filemap_peek(*rac.mapping, rac.index);
  if (f == nullptr) return nullptr;
  rac.batch_count = static_cast<unsigned>(f->nr_pages());
  obligations::read_attempted(*f);
  return f;
}

HF_NAMESPACE_END
