// SPDX-License-Identifier: Apache-2.0
//
// Events inside a method that its rules speak of: who does such a thing says so here, and the
// dispatcher of the method under way listens (contract/events.h).
//
// 1. A note costs one relaxed load while checking is off, and nothing is kept of it.
// 2. A note is given while the locks of what happened are still held, since the locks are looked
// at.
// 3. A note reaches the innermost call of the same execution context that listens to such events: a
//    method that calls into another file system doesn't get credit for what happens there. Notes
//    about ranges of a mapping also reach calls of other contexts that must exclude them.
//
// The VFS's own functions give their notes. A file system gives those of what it does itself: of
// data that it moves in ->copy_file_range, of the map from offsets to blocks that it changes.
#pragma once

#include <cstdint>

#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

enum class event : uint8_t {
  generic_setlease,    // object: the file whose lease the generic function set or removed
  generic_fault,       // object: the vm_area; the generic function for faults was called
  page_lookup,         // object: the mapping; a page to be mapped was looked for, or brought in
  pte_set,             // object: the page_table; first: the file's page index, length: entries
  page_filled,         // object: the mapping; a folio came into it
  pages_invalidated,   // object: the mapping; cached contents were dropped
  mapping_updated,     // object: the mapping; the file's map from offsets to blocks changed
  data_read,           // object: the mapping; contents were read, to be copied
  data_written,        // object: the mapping; contents changed
  page_made_writable,  // object: the mapping; ->page_mkwrite allowed stores
  generic_quota,       // object: the dquot, or the superblock for what belongs to all
  quota_io,            // object: the superblock; ->quota_read or ->quota_write is called
};

// Ranges are bytes of the file; length 0: to its end.
namespace detail {
void note_event(event what, const void* object, uint64_t first, uint64_t length, uint64_t since);
uint64_t event_time();
}  // namespace detail

inline void note_event(event what, const void* object, uint64_t first = 0, uint64_t length = 0) {
  if (checking_on()) [[unlikely]]
    detail::note_event(what, object, first, length, UINT64_MAX);
}

// For what takes time: taken before its locks, and given with the note. A call that began later
// excludes this event only once its locks are free again, and is not told.
inline uint64_t event_begin() {
  return checking_on() ? detail::event_time() : 0;
}
inline void note_event_since(uint64_t begin, event what, const void* object, uint64_t first,
                             uint64_t length) {
  if (checking_on()) [[unlikely]]
    detail::note_event(what, object, first, length, begin);
}

// Some methods are for one place of the VFS alone, which says so around its call.
enum class call_site : uint8_t {
  none,
  lock_unblock,   // a blocked file lock may be tried again
  lease_break,    // a lease is in the way
  io_completion,  // a device finished a request: like an interrupt, nothing may block
};

class call_site_scope {
 public:
  explicit call_site_scope(call_site s) : context_(this_context()), before_(context_.site) {
    context_.site = s;
  }
  ~call_site_scope() { context_.site = before_; }
  call_site_scope(const call_site_scope&) = delete;
  call_site_scope& operator=(const call_site_scope&) = delete;

 private:
  exec_context& context_;
  call_site before_;
};

HF_NAMESPACE_END
