// SPDX-License-Identifier: Apache-2.0
#include "core/dispatch/file_watches.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include <algorithm>
#include <cstring>

HF_NAMESPACE_BEGIN

namespace {

constexpr int zeroing = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
constexpr int moving = FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE;
constexpr pgoff_t pages_compared = 1024;  // of a punched range, at most

file_range range_of(const file& f, loff_t pos, uint64_t len) {
  const auto first = static_cast<uint64_t>(pos);
  return {f.f_mapping, first, len == 0 || len > UINT64_MAX - first ? UINT64_MAX : first + len};
}

bool all_zero(const std::byte* p, size_t n) {
  return n == 0 || (p[0] == std::byte{0} && std::memcmp(p, p + 1, n - 1) == 0);
}

}  // namespace

// --- ->fallocate ---

fallocate_watch::fallocate_watch(const file& f, int mode, loff_t offset, loff_t len)
    : range_(range_of(f, offset, static_cast<uint64_t>(len))), mode_(mode) {
  open(events(event::pages_invalidated, event::mapping_updated, event::data_written),
       events(event::page_filled, event::data_written, event::page_made_writable));
}

void fallocate_watch::require_lock(const char* found) {
  if (gate_ != nullptr)
    gate_->require(held_mode(&range_.mapping->invalidate_lock) == held::exclusive, prose::file(12),
                   found);
}

void fallocate_watch::seen(const event_note& n) {
  if (!range_.meets(n)) return;
  part now;
  {
    const event_guard g;
    if (n.what == event::data_written) {
      written_ = true;
      return;
    }
    if (n.what == event::pages_invalidated && part_ == part::before) part_ = part::invalidated;
    if (n.what == event::mapping_updated) {
      confirmed_ = confirmed_ || filled_;
      if (part_ == part::invalidated) part_ = part::updated;
    }
    now = part_;
  }
  if (n.what == event::pages_invalidated)
    require_lock("contents were invalidated without invalidate_lock held exclusively");
  else if (now != part::before || (mode_ & (zeroing | moving)) != 0)
    require_lock("the map of blocks was changed without invalidate_lock held exclusively");
}

void fallocate_watch::seen_elsewhere(const event_note& n) {
  if (!range_.meets(n)) return;
  if (n.what != event::page_filled)
    written_ = true;
  else if (part_ == part::invalidated)
    filled_ = true;
}

// A folio that lies in a punched range as a whole reads as zeros, whoever brings it in.
bool fallocate_watch::keeps_old_contents() const {
  if (range_.mapping == nullptr) return false;
  auto& mapping = const_cast<address_space&>(*range_.mapping);
  if (mapping.host == nullptr || mapping.nrpages == 0) return false;
  const pgoff_t first = (range_.first + page_size - 1) >> page_shift;
  const pgoff_t size = (static_cast<uint64_t>(mapping.host->size()) + page_size - 1) >> page_shift;
  const pgoff_t end = std::min({range_.end >> page_shift, size, first + pages_compared});
  bool stale = false;
  for (pgoff_t at = first; at < end && !stale; ++at) {
    folio* f = filemap_get_folio(mapping, at);
    if (f == nullptr) continue;
    if (folio_trylock(*f)) {
      if (folio_in(*f, mapping) && f->test(pg_uptodate))
        stale = !all_zero(f->data + ((at - f->index) << page_shift), page_size);
      folio_unlock(*f);
    }
    folio_put(f);
  }
  return stale;
}

void fallocate_watch::judge(gate& g, bool success) {
  gate_ = nullptr;
  if (!is_open()) return;
  bool filled;
  {
    const event_guard guard;
    filled = confirmed_;
  }
  g.require(!filled, prose::file(12),
            "a page was filled between the invalidation and the change of the map of blocks");
  if (!success || (mode_ & zeroing) == 0) return;
  bool stale = keeps_old_contents();
  {
    // Asked after the comparison: what was written in between is no sign of anything.
    const event_guard guard;
    stale = stale && !written_;
  }
  g.require(!stale, prose::file(11), "the page cache keeps contents of the range");
}

// --- ->copy_file_range, ->remap_file_range ---

copy_watch::copy_watch(const file& in, loff_t pos_in, const file& out, loff_t pos_out, uint64_t len)
    : in_(range_of(in, pos_in, len)), out_(range_of(out, pos_out, len)) {
  open(events(event::data_read, event::data_written, event::mapping_updated),
       events(event::data_written, event::page_made_writable));
}

void copy_watch::seen(const event_note& n) {
  if (!in_.meets(n) && !out_.meets(n)) return;
  if (gate_ != nullptr) {
    const auto& mapping = *static_cast<const address_space*>(n.object);
    gate_->require(held_mode(&mapping.invalidate_lock) == held::exclusive, prose::file(14),
                   "data were moved without invalidate_lock held exclusively");
  }
  const event_guard g;
  if (began_ == 0) began_ = start_clock();
  written_inside_ = written_;
  mapped_inside_ = mapped_;
}

void copy_watch::seen_elsewhere(const event_note& n) {
  if (began_ == 0 || n.since < began_ || (!in_.meets(n) && !out_.meets(n))) return;
  (n.what == event::data_written ? written_ : mapped_) = true;
}

void copy_watch::judge(gate& g) {
  gate_ = nullptr;
  if (!is_open()) return;
  bool written;
  bool mapped;
  {
    const event_guard guard;
    written = written_inside_;
    mapped = mapped_inside_;
  }
  g.require(!written, prose::file(13), "the range was written to meanwhile");
  g.require(!mapped, prose::file(14), "a page of the range was made writable meanwhile");
}

HF_NAMESPACE_END
