// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the page cache share beyond address_space.h.
#pragma once

#include "holdfast/address_space.h"
#include "holdfast/file.h"
#include "holdfast/inode.h"
#include "holdfast/iov_iter.h"

HF_NAMESPACE_BEGIN

// -- folio.cc
// A folio on memory that another one owned; one reference. Null: out of memory.
folio* folio_alloc_on(std::byte* data, unsigned order);
// Of folio_alloc_on, never shown to anybody; leaves the memory alone. Null is allowed.
void folio_discard_unused(folio* f);
size_t folios_in_use();  // for tests

// -- folio_state.cc
// In the index of the folio's mapping, if it has one.
void folio_set_marks(folio& f, uint8_t marks);
void folio_clear_marks(folio& f, uint8_t marks);

// -- split.cc
// Splits f (locked, in a mapping, one reference of the caller's) so that a folio begins at page
// `at` inside it. On success f is out of the mapping and still locked; its parts are in. Errors:
// EBUSY (somebody else uses it), ENOMEM.
Status split_folio(folio& f, pgoff_t at);

// -- read.cc
// The folio at `index`, up to date and referenced, read by the file system if need be. Null: a hole
// in a mapping with as_absent_is_hole. Errors: ENOMEM, EIO, what ->read_folio says.
Result<folio*> read_cache_folio(address_space& mapping, file* filp, pgoff_t index);

// -- ram.cc
// What a file system of memory keeps count of: pages, before they are allocated and after they are
// freed.
struct page_charge {
  bool (*take)(inode& i, size_t pages) = nullptr;  // false: no space
  void (*give)(inode& i, size_t pages) = nullptr;
};
inline constexpr unsigned by_write = 0xff;  // ram_get_folio: orders as large as the write covers
// The locked, referenced folio that a write of len bytes at pos begins in, made if there is none
// (charged, not uptodate, contents undefined). `order`: by_write, or the order wanted wherever
// nothing is in the way (less where it is). i_rwsem exclusive. Errors: ENOMEM, ENOSPC.
Result<folio*> ram_get_folio(address_space& mapping, loff_t pos, size_t len, unsigned order,
                             const page_charge* charge);
// ->write_end: completes the folio, extends i_size, unlocks, drops. A new folio into which nothing
// was copied leaves the mapping again.
Result<size_t> ram_write_end(file* filp, address_space& mapping, loff_t pos, size_t len,
                             size_t copied, folio& f, void* fsdata);
Status ram_read_folio(file* filp, folio& f);
bool ram_dirty_folio(address_space& mapping, folio& f);
// Zeroes a new folio's memory and marks it uptodate.
void ram_fill_zero(folio& f);

// Whether reads see zeros where no folio is.
inline bool absent_is_hole(const address_space& mapping) {
  return mapping.flags & as_absent_is_hole;
}

HF_NAMESPACE_END
