// SPDX-License-Identifier: Apache-2.0
//
// Dirty folios and writing them: what ->writepage, ->writepages and ->dirty_folio are made of.
//
//   clean --filemap_dirty_folio--> dirty --folio_clear_dirty_for_io--> clean, marked dirty, locked
//     ^                              ^                                     |            |
//     |                              +----folio_redirty_for_writepage------+            |
//     +--folio_end_writeback-- under writeback <--folio_start_writeback-----------------+
//
// 1. Whoever writes a folio locks it, clears its dirty flag for I/O, and then either redirties it
// or
//    begins writeback; unlocking it without one of the two loses the data.
// 2. Each folio_start_writeback is followed by one folio_end_writeback, from the I/O's completion
// on
//    any thread or, when nothing was submitted, from who began it.
// 3. Writeback begins with the folio locked. Under writeback it is normally unlocked; it may be
// kept
//    locked (folio_lend) and unlocked before writeback ends, not after.
// 4. The caller keeps a reference from before the start of writeback to its end.
#pragma once

#include "holdfast/address_space.h"

HF_NAMESPACE_BEGIN

enum class writeback_sync : uint8_t {
  none,  // to clean memory: don't wait for what is in the way
  all,   // for data integrity: everything in the range reaches the device
};

// What a caller of ->writepage and ->writepages asks for.
struct writeback_control {
  int64_t nr_to_write = INT64_MAX;  // pages; goes down by one for each page written
  int64_t pages_skipped = 0;        // pages redirtied
  loff_t range_start = 0;
  loff_t range_end = max_lfs_filesize;  // inclusive
  writeback_sync sync_mode = writeback_sync::none;
  bool range_cyclic = false;  // the range is the whole file, from where the last call stopped
  bool for_kupdate = false;
  bool for_background = false;
  bool for_reclaim = false;
  bool for_sync = false;
  bool tagged_writepages = false;
};

// ->writepage's answer for a folio that can't be written now; it is then still locked.
inline constexpr int writepage_activate = 0x80000;

// Through the mapping's ->dirty_folio; false: it was dirty already. Locked, or found under the page
// table lock.
bool folio_mark_dirty(folio& f);
// The usual ->dirty_folio: flag and mark. May be called where blocking is forbidden.
bool filemap_dirty_folio(address_space& mapping, folio& f);
// Locked. Clears the flag and leaves the mark, for the one who writes it next; false: it was clean.
bool folio_clear_dirty_for_io(folio& f);
// Locked. It stays dirty and is counted as skipped.
void folio_redirty_for_writepage(writeback_control& wbc, folio& f);
// Locked. What is dirty in it is dropped (truncation).
void folio_cancel_dirty(folio& f);

void folio_start_writeback(folio& f);  // locked
// The folio has been put into a request that will be sent.
void folio_submit_write(folio& f);
void folio_end_writeback(folio& f);
void folio_wait_writeback(folio& f);  // blocks

// To the active list, where reclaim leaves it alone for a while: its caller's answer to
// writepage_activate.
void folio_activate(folio& f);

HF_NAMESPACE_END
