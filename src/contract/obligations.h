// SPDX-License-Identifier: Apache-2.0
//
// Obligations that outlive a call of an address space operation, tracked while checking is on:
// "unlocked exactly once", "set writeback, then unlock, then end it", "redirty, unlock, return 0".
//
// The folio primitives tell what happens to a folio (first group below); the dispatchers tell which
// method is entered and ask at its return what happened meanwhile (second group).
//
// 1. Each event costs one relaxed load while checking is off.
// 2. A record is kept for a folio from the first event that matters until the folio is freed, in a
//    table with many shards, each under a lock of its own. A shard's lock is a leaf, and no report
//    is made under it.
// 3. Without memory for a record the folio is untracked: that never makes a report.
// 4. What flags and marks of the folio say is believed before a record: they are always kept, and a
//    record may begin in the middle (checking was just switched on).
// 5. An obligation that is not met is reported when the folio is touched in a way that contradicts
//    it, when it is freed, or by report_open().
// 6. A call of a method is an episode of its folio. A later call of another thread begins another,
//    after which the first is not judged.
#pragma once

#include <string_view>

#include "contract/method.h"
#include "contract/prose_id.h"
#include "holdfast/address_space.h"
#include "holdfast/sync/context.h"
#include "holdfast/writeback.h"

HF_NAMESPACE_BEGIN
namespace obligations {

namespace detail {
bool unlocking(const folio& f);
void writeback_begins(const folio& f);
void writeback_ends(const folio& f);
void writeback_waited(const folio& f);
void write_submitted(const folio& f);
void read_submitted(const folio& f);
void read_attempted(const folio& f);
void dirtied(const folio& f);
void dirty_cleared(const folio& f);
void dirty_dropped(const folio& f);
void redirtied(const folio& f);
void activated(const folio& f);
void changes(const folio& f);
void freed(const folio& f);
void born(const folio& f);
void filled(const address_space& mapping);
void user_memory_touched();
}  // namespace detail

// --- what happens to folios; said by the primitives, before they do it unless stated otherwise

// True: the lock is nobody's (lent), or the release was reported; the caller leaves the held set
// alone.
inline bool unlocking(const folio& f) {
  if (checking_on()) [[unlikely]]
    return detail::unlocking(f);
  return f.flags.load(std::memory_order_relaxed) & pg_lent;
}
#define HF_OBLIGATION_EVENT(name)    \
  inline void name(const folio& f) { \
    if (checking_on()) [[unlikely]]  \
      detail::name(f);               \
  }
HF_OBLIGATION_EVENT(writeback_begins)
HF_OBLIGATION_EVENT(writeback_ends)
HF_OBLIGATION_EVENT(writeback_waited)  // somebody is about to sleep until it ends
HF_OBLIGATION_EVENT(write_submitted)
HF_OBLIGATION_EVENT(read_submitted)
HF_OBLIGATION_EVENT(read_attempted)  // readahead_folio() gave it out
HF_OBLIGATION_EVENT(dirtied)         // after it, when it was clean
HF_OBLIGATION_EVENT(dirty_cleared)   // for I/O
HF_OBLIGATION_EVENT(dirty_dropped)   // by truncation
HF_OBLIGATION_EVENT(redirtied)
HF_OBLIGATION_EVENT(activated)
HF_OBLIGATION_EVENT(changes)  // a removal, a split or a migration is tried
HF_OBLIGATION_EVENT(freed)
HF_OBLIGATION_EVENT(born)
#undef HF_OBLIGATION_EVENT
// A folio comes into the mapping.
inline void filled(const address_space& mapping) {
  if (checking_on()) [[unlikely]]
    detail::filled(mapping);
}
// A task's memory is copied from or to, or faulted in.
inline void user_memory_touched() {
  if (checking_on() && this_context().no_user_memory != 0) [[unlikely]]
    detail::user_memory_touched();
}

// --- calls of methods; for the dispatchers, while their gate is on

// One call on this thread, as the events inside it see it. Frames nest.
class frame {
 public:
  frame() = default;
  ~frame() { leave(); }
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;

  void enter(method_id m, const address_space* mapping, const folio* f);
  void leave();  // idempotent

  method_id method{};
  const address_space* mapping = nullptr;
  const folio* f = nullptr;
  gfp_t gfp = gfp_kernel;                      // release_folio
  writeback_sync sync = writeback_sync::none;  // writepage, writepages
  // writepages
  uint64_t id = 0;        // epoch at entry: what was dirtied before has a lower one
  int64_t started = 0;    // pages of the mapping on which this thread began writeback
  int64_t redirtied = 0;  // pages it redirtied
  uint64_t strays = 0;    // others that began writeback in the mapping, at entry
  bool foreign = false;   // it began writeback on a folio of another mapping
  frame* outer = nullptr;

 private:
  bool active_ = false;
};

// What is known of a folio's episode when its method returns.
struct outcome {
  bool known = false;  // else untracked, or somebody else's by now
  bool begun = false;  // writeback was set
  bool redirtied = false;
  bool pending = false;  // writeback is still on, and nothing was submitted
};
// Begins an episode; 0: untracked.
uint64_t episode_begins(method_id m, const folio& f, writeback_sync sync = writeback_sync::none);
outcome episode_returns(const folio& f, uint64_t episode);

// aops-12: true if the folio answered WRITEPAGE_ACTIVATE and was not moved since.
bool was_refused(const folio& f);
void refused(const folio& f);
// aops-27: ->release_folio returned true.
void released(const folio& f);
// aops-9: a sync call of the file system's ->writepage redirtied or did not.
void sync_written(const address_space_operations& ops, bool redirtied);
// aops-21: dirty since before the frame began. aops-17: cleared for I/O by the frame's thread,
// inside the frame, and left so.
bool dirty_since_before(const folio& f, const frame& fr);
bool left_cleared(const folio& f, const frame& fr);
// Others than this thread's frame may have begun writeback in the mapping meanwhile.
bool strayed(const frame& fr);

// --- reports

void report(method_id m, prose_id p, std::string_view found, std::string_view advice);
// Kind "advice": told, counted, never fatal.
void advise(method_id m, prose_id p, std::string_view found, std::string_view advice);
// What a folio is owed: all of it, or what no I/O under way can bring any more.
void report_open(const folio& f, bool drained);

// Forgets everything; for tests, while nothing runs.
void reset();
// Folios with a record; for tests.
size_t tracked();
// Makes allocation of records fail; for tests.
void fail_allocations(bool fail);

}  // namespace obligations
HF_NAMESPACE_END
