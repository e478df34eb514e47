// SPDX-License-Identifier: Apache-2.0
//
// Truncation: first everything that is free to go, then, waiting, what was locked, and the edges.
#include <cassert>
#include <cstring>

#include "core/dispatch/aops.h"
#include "holdfast/events.h"
#include "holdfast/writeback.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr unsigned batch = 32;

// Referenced folios that begin or run at or after `index` and begin before `end`; sets index behind
// them.
unsigned gather(address_space& mapping, pgoff_t& index, pgoff_t end, folio** out) {
  unsigned n = 0;
  rcu_read_guard rcu;
  while (n < batch && index < end) {
    pgoff_t at = index;
    auto* f = static_cast<folio*>(radix_next(mapping.i_pages.root, at));
    if (!f || at >= end) {
      index = end;
      break;
    }
    if (!folio_try_get(*f)) {
      if (filemap_peek(mapping, at) != f)
        index = at;  // else it is about to be replaced: look again
      continue;
    }
    if (filemap_peek(mapping, at) != f) {
      folio_put(f);
      continue;
    }
    out[n++] = f;
    index = f->index + f->nr_pages();
  }
  return n;
}

// Locked; takes it out of its mapping.
void remove_whole(folio& f) {
  address_space& mapping = *f.mapping.load(std::memory_order_relaxed);
  if (f.test(pg_private)) aops::invalidate_folio(f, 0, f.size());
  folio_cancel_dirty(f);
  filemap_remove_folio(f);
  if (mapping.a_ops->free_folio) aops::free_folio(*mapping.a_ops, f);
}

// A folio of which [from, to) (bytes of the file) goes and something stays: splits off what it can,
// zeroes the rest. Locked and referenced on entry, both given back. True: it was split, look at the
// range again.
bool trim(folio* f, loff_t from, loff_t to) {
  const loff_t pos = f->pos();
  const loff_t lo = from > pos ? from : pos;
  const loff_t hi =
      to < pos + static_cast<loff_t>(f->size()) ? to : pos + static_cast<loff_t>(f->size());
  std::memset(f->data + (lo - pos), 0, static_cast<size_t>(hi - lo));
  if (f->test(pg_private))
    aops::invalidate_folio(*f, static_cast<size_t>(lo - pos), static_cast<size_t>(hi - lo));
  // Whole pages inside the range can be freed when a part begins, or ends, with them.
  bool split = false;
  if (f->order > 0 && !f->test(pg_private)) {
    const pgoff_t first = (static_cast<pgoff_t>(lo) + page_size - 1) >> page_shift;
    const pgoff_t last = static_cast<pgoff_t>(hi) >> page_shift;
    if (first < last) {
      const pgoff_t at = first > f->index ? first : last;
      split = at > f->index && at < f->index + f->nr_pages() && split_folio(*f, at).ok();
    }
  }
  folio_unlock(*f);
  folio_put(f);
  return split;
}

bool inside(const folio& f, loff_t from, loff_t to) {
  return f.pos() >= from && f.pos() + static_cast<loff_t>(f.size()) <= to;
}

}  // namespace

void truncate_inode_pages_range(address_space& mapping, loff_t start, loff_t end) {
  if (mapping.nrpages == 0) return;
  const loff_t to = end < 0 || end == max_lfs_filesize ? max_lfs_filesize : end + 1;
  if (to <= start) return;
  note_event(event::pages_invalidated, &mapping, static_cast<uint64_t>(start),
             static_cast<uint64_t>(to - start));
  const pgoff_t first = static_cast<pgoff_t>(start) >> page_shift;
  const pgoff_t limit = (static_cast<pgoff_t>(to - 1) >> page_shift) + 1;
  folio* found[batch];

  for (pgoff_t index = first; index < limit;) {
    unsigned n = gather(mapping, index, limit, found);
    for (unsigned i = 0; i < n; ++i) {
      folio& f = *found[i];
      if ((inside(f, start, to) || to == max_lfs_filesize) && f.pos() >= start &&
          folio_trylock(f)) {
        if (folio_in(f, mapping) && !f.test(pg_writeback)) remove_whole(f);
        folio_unlock(f);
      }
      folio_put(&f);
    }
  }
  // Whoever locked a folio meanwhile may have left it in, and edges are still whole.
  for (pgoff_t index = first; index < limit;) {
    pgoff_t here = index;
    unsigned n = gather(mapping, index, limit, found);
    bool again = false;
    for (unsigned i = 0; i < n; ++i) {
      folio* f = found[i];
      folio_lock(*f);
      if (!folio_in(*f, mapping)) {
        folio_unlock(*f);
        folio_put(f);
        again = true;
        continue;
      }
      folio_wait_writeback(*f);
      if (f->pos() >= start && (to == max_lfs_filesize || inside(*f, start, to))) {
        remove_whole(*f);
        folio_unlock(*f);
        folio_put(f);
      } else {
        again |= trim(f, start, to);
      }
    }
    if (again) index = here;
  }
}

HF_NAMESPACE_END
