// SPDX-License-Identifier: Apache-2.0
//
// Splitting a large folio: the same memory, described by smaller folios.
//
// 1. The caller's and the index's references are the only ones; they are frozen (count zero) while
//    the index changes, so that nobody can gain one. Lock-free readers may be copying from the
//    memory: it stays what it is, and the re-check after their copy fails since the old folio has
//    lost its mapping.
// 2. The parts are as large as alignment to `at` allows.
#include <cassert>
#include <cerrno>

#include "contract/obligations.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

struct parts {
  folio* part[2 * max_folio_order] = {};
  unsigned count = 0;
};

void* part_for(uint64_t position, void* ctx) {
  auto& p = *static_cast<parts*>(ctx);
  for (unsigned i = 0; i < p.count; ++i)
    if (position - p.part[i]->index < p.part[i]->nr_pages()) return p.part[i];
  return nullptr;
}

}  // namespace

Status split_folio(folio& f, pgoff_t at) {
  const pgoff_t start = f.index;
  const pgoff_t end = start + f.nr_pages();
  if (at <= start || at >= end) return {};
  obligations::changes(f);
  address_space& mapping = *f.mapping.load(std::memory_order_relaxed);
  const uint32_t keep =
      f.flags.load(std::memory_order_relaxed) & (pg_uptodate | pg_dirty | pg_referenced);
  parts ps;
  for (pgoff_t p = start; p < end;) {
    unsigned order = 0;
    while (order + 1 < f.order && (p & ((pgoff_t{2} << order) - 1)) == 0 &&
           p + (pgoff_t{2} << order) <= (p < at ? at : end))
      ++order;
    folio* n = folio_alloc_on(f.data + ((p - start) << page_shift), order);
    if (!n) {
      while (ps.count) folio_discard_unused(ps.part[--ps.count]);
      return Error(ENOMEM);
    }
    n->index = p;
    n->mapping.store(&mapping, std::memory_order_relaxed);
    n->flags.store(keep, std::memory_order_relaxed);
    n->marks.store(f.marks.load(std::memory_order_relaxed), std::memory_order_relaxed);
    assert(ps.count < 2 * max_folio_order);
    ps.part[ps.count++] = n;
    p += pgoff_t{1} << order;
  }
  int32_t expected = 2;
  if (!f.refcount.compare_exchange_strong(expected, 0, std::memory_order_acq_rel)) {
    while (ps.count) folio_discard_unused(ps.part[--ps.count]);
    return Error(EBUSY);
  }
  Status st;
  {
    exclusive_guard g(mapping.i_pages.lock);
    st = radix_split(mapping.i_pages.root, start, f.order, at, part_for, &ps);
    if (st) f.mapping.store(nullptr, std::memory_order_release);
  }
  if (!st) {
    f.refcount.store(2, std::memory_order_release);
    while (ps.count) folio_discard_unused(ps.part[--ps.count]);
    return st;
  }
  f.flags.fetch_or(pg_split, std::memory_order_release);
  f.refcount.store(1, std::memory_order_release);  // the caller's; the index's went to the parts
  return {};
}

HF_NAMESPACE_END
