// SPDX-License-Identifier: Apache-2.0
//
// The table of tracked folios and what the events do to it.
//
// 1. Everything here runs only while checking is on.
// 2. A shard's mutex is none of ours on purpose: ours would take part in what is checked. Under it
//    nothing blocks, allocates more than one record or reports; what is to be reported is put into
//    a `findings` and told when the mutex is free.
// 3. What a thread does inside a method is told by its frames (thread-local, no lock); what any
//    thread does to the method's folio by the folio's record.
#include "contract/obligations.h"

#include <mutex>
#include <new>

#include "contract/coverage.h"
#include "contract/native.h"
#include "contract/report.h"

HF_NAMESPACE_BEGIN
namespace obligations {
namespace {

// Of the current episode.
constexpr uint32_t running = 1u << 0;       // the method has not returned
constexpr uint32_t owes_unlock = 1u << 1;   // the folio is locked since before the episode
constexpr uint32_t unlocked = 1u << 2;      // that lock was released
constexpr uint32_t early = 1u << 3;         // ... before writeback or redirtying (->writepage)
constexpr uint32_t begun = 1u << 4;         // writeback was set
constexpr uint32_t begun_again = 1u << 5;   // more than once: the second may be another's
constexpr uint32_t ended_locked = 1u << 6;  // ... and ended with that lock still taken
constexpr uint32_t was_redirtied = 1u << 7;
constexpr uint32_t for_sync = 1u << 8;
constexpr uint32_t submitted_read = 1u << 9;
constexpr uint32_t of_episode = (1u << 10) - 1;
// Beyond it.
constexpr uint32_t wb_open = 1u << 10;        // writeback was set and not ended
constexpr uint32_t wb_submitted = 1u << 11;   // ... and is part of a request
constexpr uint32_t was_activated = 1u << 12;  // it answered WRITEPAGE_ACTIVATE
constexpr uint32_t was_released = 1u << 13;   // ->release_folio returned true; no change was tried
constexpr uint32_t cleared = 1u << 14;        // the dirty flag was cleared for I/O, no more yet

struct record {
  record* next;
  const folio* f;
  uint64_t episode;
  uint64_t dirty_epoch;    // when it became dirty; 0: not known
  uint64_t cleared_frame;  // of ->writepages, with `cleared`
  method_id method;        // of the episode
  method_id wb_method;     // that set writeback
  uint32_t bits;
};

struct shard {
  std::mutex lock;
  record* chains[64] = {};
  uint64_t last_episode = 0;
};
constexpr size_t shard_count = 64;
constinit shard shards[shard_count];
constinit std::atomic<bool> failing{false};
constinit std::atomic<uint64_t> epoch{1};
constinit thread_local frame* top = nullptr;

// Writeback begun by threads that are in no ->writepages of the mapping, by a hash of the mapping.
constinit std::atomic<uint64_t> stray_begins[64];

size_t hash_of(const void* p) {
  return static_cast<size_t>((reinterpret_cast<uintptr_t>(p) >> 6) * 0x9e3779b97f4a7c15u >> 32);
}
std::atomic<uint64_t>& strays_of(const address_space* m) {
  return stray_begins[hash_of(m) % 64];
}

// The record of a folio, its shard locked for as long as this lives.
class locked_record {
 public:
  locked_record(const folio& f, bool make)
      : shard_(shards[hash_of(&f) % shard_count]), guard_(shard_.lock) {
    at_ = &shard_.chains[hash_of(&f) / shard_count % 64];
    while (*at_ != nullptr && (*at_)->f != &f) at_ = &(*at_)->next;
    if (*at_ == nullptr && make && !failing.load(std::memory_order_relaxed)) {
      *at_ = new (std::nothrow) record{};
      if (*at_ != nullptr) (*at_)->f = &f;
    }
  }
  record* get() const { return *at_; }
  record* operator->() const { return *at_; }
  explicit operator bool() const { return *at_ != nullptr; }
  void erase() {
    record* r = *at_;
    *at_ = r->next;
    delete r;
  }
  uint64_t new_episode(method_id m, uint32_t bits) {
    record& r = **at_;
    r.episode = ++shard_.last_episode;
    r.method = m;
    r.bits = (r.bits & ~of_episode) | bits;
    return r.episode;
  }

 private:
  shard& shard_;
  std::lock_guard<std::mutex> guard_;
  record** at_;
};

struct finding {
  method_id method;
  prose_id rule;
  const char* found;
  const char* advice;
};
class findings {
 public:
  void add(method_id m, prose_id p, const char* found, const char* advice) {
    if (count_ < 3) all_[count_++] = {m, p, found, advice};
  }
  bool empty() const { return count_ == 0; }
  // Outside of every shard's lock.
  void tell() const {
    for (size_t i = 0; i < count_; ++i)
      report(all_[i].method, all_[i].rule, all_[i].found, all_[i].advice);
  }

 private:
  finding all_[3];
  size_t count_ = 0;
};

void count(prose_id p) {
  coverage::count_prose(p.index);
}

void submit(std::string_view kind, method_id m, prose_id p, std::string_view found,
            std::string_view advice) {
  exec_context& c = this_context();
  if (c.quiet != 0) return;
  violation v;
  v.edition = native.release;
  v.kind = kind;
  v.table = name_of(entry_of(m).table);
  v.method = entry_of(m).name;
  v.rule = native.prose[p.index].id;
  v.sentence = native.prose[p.index].says;
  v.finding = found;
  v.advice = advice;
  report_broken_rule(v, c, nullptr, 0);
}

constexpr const char* pairs =
    "Pair each folio_start_writeback with one folio_end_writeback, in the completion of its I/O "
    "or, without I/O, in the method.";

bool fills(method_id m) {
  return m == method_id::aops_read_folio || m == method_id::aops_readahead;
}
// Who unlocks exactly once.
prose_id unlock_rule(method_id m) {
  if (m == method_id::aops_read_folio) return prose::aops(3);
  return m == method_id::aops_readahead ? prose::aops(4) : prose::aops(11);
}

frame* frame_of(method_id m) {
  frame* fr = top;
  while (fr != nullptr && fr->method != m) fr = fr->outer;
  return fr;
}
bool inside_writepage_of(const folio& f) {
  return top != nullptr && top->method == method_id::aops_writepage && top->f == &f;
}

// ->release_folio whose gfp forbids I/O.
void check_io_allowed(findings& out) {
  const frame* fr = frame_of(method_id::aops_release_folio);
  if (fr == nullptr) return;
  count(prose::aops(29));
  if ((fr->gfp & gfp_io) == 0)
    out.add(fr->method, prose::aops(29), "I/O is started, which the gfp argument forbids",
            "Look at the argument before writing what the private data holds; return false.");
}

}  // namespace

// --- events

namespace detail {

bool unlocking(const folio& f) {
  const uint32_t flags = f.flags.load(std::memory_order_relaxed);
  const bool lent = (flags & pg_lent) != 0;
  const bool ours = lent || held_mode(&f) != held::none || this_context().untracked != 0;
  findings found;
  bool told = false;
  {
    locked_record r(f, false);
    if (!r) return lent;
    if ((flags & pg_locked) == 0 || !ours) {
      if ((fills(r->method) || r->method == method_id::aops_writepage) &&
          (r->bits & unlocked) != 0) {
        found.add(r->method, unlock_rule(r->method), "the folio is unlocked a second time",
                  "Unlock in the method or in the I/O's completion, not in both.");
        told = true;
      }
    } else {
      if (r->method == method_id::aops_launder_folio && (r->bits & running) != 0)
        found.add(r->method, prose::aops(34), "the folio is unlocked inside the method",
                  "Keep it locked: else it is mapped and dirtied while it is written.");
      if ((r->bits & was_released) != 0) {
        found.add(method_id::aops_release_folio, prose::aops(27),
                  "its private data was released, and the folio is unlocked as it was",
                  "Release what is about to be removed, split or moved, and try that.");
        r->bits &= ~was_released;
      }
      if ((r->bits & owes_unlock) != 0) {
        r->bits = (r->bits & ~owes_unlock) | unlocked;
        if (r->method == method_id::aops_writepage) {
          if ((r->bits & ended_locked) != 0)
            found.add(r->method, prose::aops(16), "the folio is unlocked after its writeback ended",
                      "Unlock it between the begin and the end of writeback.");
          else if ((r->bits & (begun | was_redirtied)) == 0)
            r->bits |= early;
        }
        count(unlock_rule(r->method));
      }
    }
  }
  found.tell();
  return lent || told;
}

void writeback_begins(const folio& f) {
  const bool already = f.test(pg_writeback);
  const address_space* mapping = f.mapping.load(std::memory_order_relaxed);
  const auto pages = static_cast<int64_t>(f.nr_pages());
  const bool mine = inside_writepage_of(f);
  findings found;
  {
    locked_record r(f, true);
    method_id who = mine ? method_id::aops_writepage : method_id::aops_writepages;
    if (r) {
      if (r->method == method_id::aops_writepage && (r->bits & running) != 0) {
        if ((r->bits & unlocked) != 0 && !mine) {
          r->episode = 0;  // another's writeback, of a folio that the method gave up
        } else {
          who = method_id::aops_writepage;
          count(prose::aops(13));
          if ((r->bits & early) != 0)
            found.add(who, prose::aops(13), "writeback is set after the folio was unlocked",
                      "Begin writeback while the folio is locked, then unlock it.");
          r->bits = (r->bits & ~early) | ((r->bits & begun) != 0 ? begun_again : begun);
        }
      }
      if (already) {
        if (who == method_id::aops_writepage && (r->bits & for_sync) != 0)
          found.add(who, prose::aops(10), "new writeback is set while the old one runs",
                    "Wait with folio_wait_writeback before writing for a sync.");
        else
          found.add(who, prose::aops(14), "writeback is set a second time", pairs);
      }
      if (who == method_id::aops_writepage && (r->bits & for_sync) != 0) count(prose::aops(10));
      r->bits = (r->bits & ~(wb_submitted | was_activated | cleared)) | wb_open;
      r->wb_method = who;
      r->dirty_epoch = 0;
    }
  }
  count(prose::aops(14));
  frame* fr = frame_of(method_id::aops_writepages);
  if (fr != nullptr && fr->mapping == mapping) {
    fr->started += pages;
  } else {
    strays_of(mapping).fetch_add(1);
    if (fr != nullptr && fr == top) {
      fr->foreign = true;
      found.add(fr->method, prose::aops(22), "writes a folio of another mapping",
                "Write what the call's mapping has; another mapping's own ->writepages is called "
                "for the rest.");
    }
  }
  check_io_allowed(found);
  found.tell();
}

void writeback_ends(const folio& f) {
  findings found;
  {
    locked_record r(f, false);
    if (!f.test(pg_writeback)) {
      found.add(r && r->wb_method == method_id::aops_writepages ? method_id::aops_writepages
                                                                : method_id::aops_writepage,
                prose::aops(14), "writeback is ended that was not begun", pairs);
    } else if (r) {
      if ((r->bits & (begun | owes_unlock)) == (begun | owes_unlock)) {
        r->bits |= ended_locked;
        count(prose::aops(16));
      }
      r->bits &= ~(wb_open | wb_submitted);
    }
  }
  count(prose::aops(14));
  found.tell();
}

void writeback_waited(const folio& f) {
  if (!inside_writepage_of(f) || top->sync != writeback_sync::none) return;
  advise(method_id::aops_writepage, prose::aops(7), "waits for I/O under way, not for a sync",
         "Redirty the folio, unlock it and return 0: whoever needs memory has others to try.");
}

void write_submitted(const folio& f) {
  findings found;
  {
    locked_record r(f, true);
    if (!f.test(pg_writeback))
      found.add(inside_writepage_of(f) ? method_id::aops_writepage : method_id::aops_writepages,
                prose::aops(14), "I/O is submitted before writeback is set",
                "Call folio_start_writeback before the folio becomes part of a request.");
    if (r) r->bits |= wb_submitted;
  }
  check_io_allowed(found);
  found.tell();
}

void read_submitted(const folio& f) {
  findings found;
  {
    locked_record r(f, false);
    if (r) r->bits |= submitted_read;
  }
  check_io_allowed(found);
  found.tell();
}

void read_attempted(const folio& f) {
  count(prose::aops(4));
  locked_record r(f, true);
  if (r) r.new_episode(method_id::aops_readahead, owes_unlock);
}

void dirtied(const folio& f) {
  const uint64_t now = epoch.load();
  locked_record r(f, true);
  if (!r) return;
  if (r->dirty_epoch == 0 || (r->bits & cleared) == 0) r->dirty_epoch = now;
  r->bits &= ~cleared;
}

void dirty_cleared(const folio& f) {
  const frame* fr = frame_of(method_id::aops_writepages);
  locked_record r(f, true);
  if (!r) return;
  r->bits |= cleared;
  r->cleared_frame = fr != nullptr ? fr->id : 0;
}

void dirty_dropped(const folio& f) {
  locked_record r(f, false);
  if (!r) return;
  r->bits &= ~cleared;
  r->dirty_epoch = 0;
}

void redirtied(const folio& f) {
  frame* fr = frame_of(method_id::aops_writepages);
  if (fr != nullptr && fr->mapping == f.mapping.load(std::memory_order_relaxed))
    fr->redirtied += static_cast<int64_t>(f.nr_pages());
  locked_record r(f, true);
  if (r && r->method == method_id::aops_writepage && (r->bits & running) != 0)
    r->bits |= was_redirtied;
}

void activated(const folio& f) {
  locked_record r(f, false);
  if (r) r->bits &= ~was_activated;
}

void changes(const folio& f) {
  locked_record r(f, false);
  if (r) r->bits &= ~(was_released | was_activated);
}

void born(const folio& f) {
  locked_record r(f, false);
  if (r) r.erase();  // of a folio that was freed while checking was off
}

void freed(const folio& f) {
  report_open(f, true);
  locked_record r(f, false);
  if (r) r.erase();
}

void filled(const address_space& mapping) {
  count(prose::aops(26));
  if ((mapping.flags & as_invalidating) == 0) return;
  report(method_id::aops_invalidate_folio, prose::aops(26),
         "a folio comes into the mapping while another is invalidated",
         "Hold invalidate_lock shared where the cache is filled, exclusively where it is emptied.");
}

void user_memory_touched() {
  if (top == nullptr) return;
  const method_id m = top->method;
  if (m != method_id::aops_read_folio && m != method_id::aops_write_begin &&
      m != method_id::aops_write_end)
    return;
  report(m, prose::aops(2), "a task's memory is touched in a worker that serves none",
         "Leave the task's memory to the callers: the method may run in a loop device's thread.");
}

}  // namespace detail

// --- calls of methods

void frame::enter(method_id m, const address_space* map, const folio* folio) {
  method = m;
  mapping = map;
  f = folio;
  outer = top;
  top = this;
  active_ = true;
  if (m == method_id::aops_writepages) {
    id = epoch.fetch_add(1) + 1;
    strays = strays_of(map).load();
  }
  if (this_context().no_user_memory != 0) count(prose::aops(2));
  for (const frame* fr = outer; fr != nullptr; fr = fr->outer)
    if (fr->method == method_id::aops_release_folio && (fr->gfp & gfp_fs) == 0) {
      report(fr->method, prose::aops(29),
             "a file system's method is called, which the gfp argument forbids",
             "Look at the argument before starting what needs the file system; return false.");
      break;
    }
}

void frame::leave() {
  if (!active_) return;
  top = outer;
  active_ = false;
}

uint64_t episode_begins(method_id m, const folio& f, writeback_sync sync) {
  locked_record r(f, true);
  if (!r) return 0;
  uint32_t bits = running;
  if (m != method_id::aops_launder_folio) bits |= owes_unlock;
  if (sync != writeback_sync::none) bits |= for_sync;
  return r.new_episode(m, bits);
}

outcome episode_returns(const folio& f, uint64_t episode) {
  locked_record r(f, false);
  outcome out;
  if (!r || episode == 0 || r->episode != episode) return out;
  out.known = true;
  out.begun = (r->bits & begun) != 0;
  out.redirtied = (r->bits & was_redirtied) != 0;
  out.pending = (r->bits & (begun | begun_again | wb_open | wb_submitted)) == (begun | wb_open) &&
                f.test(pg_writeback);
  r->bits &= ~running;
  return out;
}

bool was_refused(const folio& f) {
  locked_record r(f, false);
  return r && (r->bits & was_activated) != 0;
}
void refused(const folio& f) {
  locked_record r(f, true);
  if (r) r->bits = (r->bits & ~(running | owes_unlock)) | was_activated;
}
void released(const folio& f) {
  count(prose::aops(27));
  locked_record r(f, true);
  if (r) r->bits |= was_released;
}

bool dirty_since_before(const folio& f, const frame& fr) {
  locked_record r(f, false);
  return r && r->dirty_epoch != 0 && r->dirty_epoch < fr.id;
}
bool left_cleared(const folio& f, const frame& fr) {
  locked_record r(f, false);
  return r && (r->bits & cleared) != 0 && r->cleared_frame == fr.id;
}
bool strayed(const frame& fr) {
  return strays_of(fr.mapping).load() != fr.strays;
}

namespace {
// Sync calls by table. Full: the rest is not counted.
struct sync_count {
  std::atomic<const void*> ops{nullptr};
  std::atomic<uint32_t> calls{0};
  std::atomic<uint32_t> redirtied{0};
};
constinit sync_count sync_counts[64];
constexpr uint32_t not_rare = 16;
}  // namespace

void sync_written(const address_space_operations& ops, bool redirty) {
  for (size_t i = 0; i < 64; ++i) {
    sync_count& c = sync_counts[(hash_of(&ops) + i) % 64];
    const void* there = nullptr;
    if (!c.ops.compare_exchange_strong(there, &ops) && there != &ops) continue;
    const uint32_t calls = c.calls.fetch_add(1) + 1;
    if (!redirty) return;
    count(prose::aops(9));
    if (const uint32_t n = c.redirtied.fetch_add(1) + 1; n >= not_rare && n > calls / 2)
      advise(method_id::aops_writepage, prose::aops(9),
             "more than half of the calls for a sync redirty their folio",
             "Redirty for a sync only where writing would deadlock.");
    return;
  }
}

// --- reports

void report(method_id m, prose_id p, std::string_view found, std::string_view advice) {
  submit("prose", m, p, found, advice);
}
void advise(method_id m, prose_id p, std::string_view found, std::string_view advice) {
  count(p);
  submit("advice", m, p, found, advice);
}

void report_open(const folio& f, bool drained) {
  const uint32_t flags = f.flags.load(std::memory_order_acquire);
  findings found;
  {
    locked_record r(f, false);
    if (!r || (r->bits & running) != 0) return;
    if ((r->bits & owes_unlock) != 0 && (flags & pg_locked) != 0 && (flags & pg_lent) != 0) {
      if (fills(r->method) && (drained || (r->bits & submitted_read) == 0))
        found.add(r->method, unlock_rule(r->method), "the folio was never unlocked",
                  "Unlock it when the I/O ends, and at once where none is submitted.");
      if (r->method == method_id::aops_writepage && (r->bits & ended_locked) != 0)
        found.add(r->method, prose::aops(16), "the folio is still locked after its writeback ended",
                  "Unlock it between the begin and the end of writeback.");
    }
    if ((r->bits & wb_open) != 0 && (flags & pg_writeback) != 0 &&
        (drained || (r->bits & wb_submitted) == 0))
      found.add(r->wb_method, prose::aops(14), "writeback was begun and never ended", pairs);
    if (!found.empty()) r->bits &= ~(owes_unlock | wb_open);  // told once
  }
  found.tell();
}

void reset() {
  for (shard& s : shards) {
    const std::lock_guard guard(s.lock);
    for (record*& chain : s.chains)
      while (chain != nullptr) delete std::exchange(chain, chain->next);
  }
  for (sync_count& c : sync_counts) {
    c.ops = nullptr;
    c.calls = 0;
    c.redirtied = 0;
  }
}

size_t tracked() {
  size_t n = 0;
  for (shard& s : shards) {
    const std::lock_guard guard(s.lock);
    for (const record* r : s.chains)
      for (; r != nullptr; r = r->next) ++n;
  }
  return n;
}

void fail_allocations(bool fail) {
  failing.store(fail, std::memory_order_relaxed);
}

}  // namespace obligations
HF_NAMESPACE_END
