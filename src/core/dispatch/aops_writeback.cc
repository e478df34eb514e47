// SPDX-License-Identifier: Apache-2.0
//
// The dispatchers of aops.h that write folios: ->writepage, ->writepages, ->launder_folio.
//
// 1. What happened to the folio during the call is the obligations' to know; here it is judged when
//    the method returns. Of several rules that one slip breaks the most telling is reported, alone.
// 2. ->writepages is judged by what its own thread began, and not at all on numbers when another
//    thread began writeback in the mapping meanwhile: it may have worked for this call.
#include <cerrno>

#include "contract/obligations.h"
#include "core/dispatch/aops.h"

HF_NAMESPACE_BEGIN

namespace aops {

namespace {

bool is_held(const folio& f) {
  return held_mode(&f) != held::none || this_context().untracked != 0;
}

bool valid(writeback_sync mode) {
  return mode == writeback_sync::none || mode == writeback_sync::all;
}

// One finding at most.
void judge_writepage(gate& g, const folio& f, const Result<int>& r, bool sync,
                     const obligations::outcome& o) {
  const bool activate = r.ok() && *r == writepage_activate;
  g.require(!activate || is_held(f), prose::aops(11),
            "WRITEPAGE_ACTIVATE was returned with the folio unlocked");
  if (activate) {
    if (is_held(f)) {
      g.keeps(f);
      obligations::refused(f);
    }
    g.require(!sync, prose::aops(6), "WRITEPAGE_ACTIVATE was returned to a sync");
    return;
  }
  if (!o.known) return;
  if (o.begun) {
    g.require(!o.pending, prose::aops(15),
              "writeback was set, no I/O was submitted, and writeback goes on");
    return;
  }
  if (o.redirtied) {
    g.require(sync || (r.ok() && *r == 0), prose::aops(8),
              "the folio was redirtied, and the return value is not 0");
    return;
  }
  if (sync) {
    g.require(false, prose::aops(6), "no writeback was begun for a sync");
    return;
  }
  const bool incoherent = !f.test(pg_dirty) && (f.marks.load() & mark_dirty) != 0;
  g.require(
      !incoherent, prose::aops(17),
      "the folio was unlocked, neither redirtied nor under writeback: it is clean, and its mark in "
      "the index is dirty");
  g.require(incoherent, prose::aops(13),
            "the folio was unlocked without being redirtied or set under writeback");
}

// Calls see(folio) for each folio of the mapping that is marked dirty in wbc's range.
template <class See>
void each_dirty(address_space& mapping, const writeback_control& wbc, See&& see) {
  const loff_t start = wbc.range_cyclic ? 0 : wbc.range_start;
  const loff_t last = wbc.range_cyclic ? max_lfs_filesize : wbc.range_end;
  if (last < start) return;
  pgoff_t index = static_cast<pgoff_t>(start) >> page_shift;
  const pgoff_t end = static_cast<pgoff_t>(last) >> page_shift;
  folio* found[16];
  while (const unsigned n = filemap_get_marked(mapping, index, end, mark_dirty, found, 16))
    for (unsigned i = 0; i < n; ++i) {
      see(*found[i]);
      folio_put(found[i]);
    }
}

constexpr int64_t without_count = INT64_MAX;

// What a call of ->writepages was asked for.
struct asked {
  int64_t nr_to_write = 0;
  int64_t dirty = 0;  // pages that it could write
};

asked ask(address_space& mapping, const writeback_control& wbc) {
  asked a{wbc.nr_to_write, 0};
  each_dirty(mapping, wbc, [&](const folio& f) {
    const bool busy = f.test(pg_writeback) && wbc.sync_mode == writeback_sync::none;
    if (f.test(pg_dirty) && !busy) a.dirty += static_cast<int64_t>(f.nr_pages());
  });
  return a;
}

void judge_writepages(gate& g, address_space& mapping, const writeback_control& wbc, const asked& a,
                      const obligations::frame& inside) {
  bool kept = !inside.foreign;
  auto require = [&](bool holds, prose_id p, const char* found) {
    g.require(holds, p, found);
    kept &= holds;
  };
  bool left = false;
  bool cleared = false;
  each_dirty(mapping, wbc, [&](const folio& f) {
    if (f.test(pg_dirty))
      left |= obligations::dirty_since_before(f, inside);
    else if (!f.test(pg_locked))
      cleared |= obligations::left_cleared(f, inside);
  });
  require(!cleared, prose::aops(17), "a folio is clean, and its mark in the index is dirty");
  const bool all = a.nr_to_write == without_count && wbc.sync_mode == writeback_sync::all;
  if (all) require(!left, prose::aops(21), "a folio is dirty since before the call for a sync");
  if (obligations::strayed(inside)) return;
  const int64_t counted = a.nr_to_write - wbc.nr_to_write;
  require(counted >= inside.started && counted <= inside.started + inside.redirtied,
          prose::aops(19), "nr_to_write did not fall by the number of pages written");
  if (all || !kept || a.nr_to_write < 0) return;
  const int64_t wanted = a.nr_to_write < a.dirty ? a.nr_to_write : a.dirty;
  if (inside.started + inside.redirtied < wanted)
    obligations::advise(method_id::aops_writepages, prose::aops(18),
                        "I/O was started on fewer pages than asked for, with more of them dirty",
                        "Go on until nr_to_write is used up or the range has no dirty folio.");
  constexpr int64_t largest = int64_t{1} << max_folio_order;
  if (a.nr_to_write != without_count && inside.started > 2 * a.nr_to_write + largest)
    obligations::advise(method_id::aops_writepages, prose::aops(20),
                        "I/O was started on far more pages than asked for",
                        "Stop near nr_to_write: others wait for their share of the device.");
}

}  // namespace

Result<int> writepage(folio& f, writeback_control& wbc) {
  const address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  const address_space_operations& op = *mapping.a_ops;
  if (op.writepage == nullptr) return writepage_activate;
  const bool sync = wbc.sync_mode != writeback_sync::none;
  obligations::frame inside;
  uint64_t episode = 0;
  return door::through(
      method_id::aops_writepage,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.require(valid(wbc.sync_mode), prose::aops(5), "sync_mode is neither none nor all");
        g.require(sync || !obligations::was_refused(f), prose::aops(12),
                  "the folio answered WRITEPAGE_ACTIVATE, and was not moved aside since");
        inside.enter(method_id::aops_writepage, &mapping, &f);
        inside.sync = wbc.sync_mode;
        episode = obligations::episode_begins(method_id::aops_writepage, f, wbc.sync_mode);
      },
      [&] { return op.writepage(f, wbc); },
      [&](gate& g, const Result<int>& r) {
        inside.leave();
        const obligations::outcome o = obligations::episode_returns(f, episode);
        judge_writepage(g, f, r, sync, o);
        if (sync && o.known) obligations::sync_written(op, o.redirtied && !o.begun);
      });
}

Status writepages(address_space& mapping, writeback_control& wbc) {
  if (mapping.a_ops->writepages == nullptr) return Error(EOPNOTSUPP);
  obligations::frame inside;
  asked a;
  return door::through(
      method_id::aops_writepages,
      [&](gate&) {
        a = ask(mapping, wbc);
        inside.enter(method_id::aops_writepages, &mapping, nullptr);
        inside.sync = wbc.sync_mode;
      },
      [&] { return mapping.a_ops->writepages(mapping, wbc); },
      [&](gate& g, const Status& r) {
        inside.leave();
        if (r.ok()) judge_writepages(g, mapping, wbc, a, inside);
      });
}

Status launder_folio(folio& f) {
  const address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  if (mapping.a_ops->launder_folio == nullptr) return {};
  uint64_t episode = 0;
  return door::through(
      method_id::aops_launder_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        episode = obligations::episode_begins(method_id::aops_launder_folio, f);
      },
      [&] { return mapping.a_ops->launder_folio(f); },
      [&](gate& g, const Status& r) {
        obligations::episode_returns(f, episode);
        if (r.ok()) g.require(!f.test(pg_dirty), prose::aops(33), "the folio is still dirty");
      });
}

}  // namespace aops

HF_NAMESPACE_END
