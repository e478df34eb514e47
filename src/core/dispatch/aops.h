// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of address_space_operations (release 6.6; semantics.md 6 and D). The only callers of
// its methods.
//
// 1. All may block but dirty_folio and free_folio.
// 2. Which a_ops: the mapping's; for a folio, that of its mapping (which its lock pins); for a file
//    or a kiocb, f_mapping's. free_folio takes the table, since the folio has left its mapping.
// 3. A folio lock that a method releases may pass to I/O completion, and writeback that it sets is
//    ended there: src/contract/obligations.h follows the folio beyond the call.
// 4. The caller of a method with a folio keeps a reference for the call.
// 5. "Null: EOPNOTSUPP; the caller ..." marks methods whose default lies above the core.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/file.h"
#include "holdfast/inode.h"
#include "holdfast/iov_iter.h"
#include "holdfast/swap.h"
#include "holdfast/writeback.h"

HF_NAMESPACE_BEGIN

// Who may call ->bmap; there shall be no others.
enum class bmap_caller : uint8_t {
  fibmap,   // the ioctl
  swapper,  // swapon on a file without ->swap_activate
};
// Tries to free the buffer heads on a locked folio; true: they are gone.
using buffer_release_fn = bool (*)(folio& f);

namespace aops {

using holdfast::writepage_activate;

// f locked, its dirty flag cleared for I/O; unlocks it. Null: writepage_activate.
Result<int> writepage(folio& f, writeback_control& wbc);
// f locked, invalidate_lock shared; unlocks f, also on error. Null: ENOEXEC, and f stays locked.
Status read_folio(file* filp, folio& f);
// Null: EOPNOTSUPP; the caller goes through dirty folios with ->writepage.
Status writepages(address_space& mapping, writeback_control& wbc);
// Truncation excluded: f locked, or found under the page table lock; may not block. Null:
// filemap_dirty_folio.
bool dirty_folio(address_space& mapping, folio& f);
// `mapping` is the one that rac reads into; invalidate_lock shared, the folios locked. Null:
// nothing is read.
void readahead(address_space& mapping, readahead_control& rac)
    HF_REQUIRES_SHARED(mapping.invalidate_lock);
// i_rwsem of the host exclusive; on success f is locked. Null: EINVAL.
Status write_begin(file* filp, address_space& mapping, loff_t pos, size_t len, folio*& f,
                   void*& fsdata) HF_REQUIRES(mapping.host->i_rwsem);
// i_rwsem of the host exclusive, f locked; unlocks it. Null: EINVAL.
Result<size_t> write_end(file* filp, address_space& mapping, loff_t pos, size_t len, size_t copied,
                         folio& f, void* fsdata) HF_REQUIRES(mapping.host->i_rwsem);
// Null: 0; FIBMAP looks at the pointer and says EINVAL.
sector_t bmap(bmap_caller who, address_space& mapping, sector_t block);
// f locked, invalidate_lock exclusive unless the mapping is being evicted. Null: nothing.
void invalidate_folio(folio& f, size_t start, size_t len);
// f locked, not under writeback, about to be removed, split or moved. `gfp` says what may be done
// to free what is private; it holds for the whole call. Null: what is private is taken to be buffer
// heads.
bool release_folio(folio& f, gfp_t gfp);
// src/buffer's, set once at start-up. Null, as before: there are no buffer heads, nothing is freed.
void set_buffer_release(buffer_release_fn fn);
// f locked, out of its mapping; may not block. Null: nothing.
void free_folio(const address_space_operations& ops, folio& f);
// Null: EINVAL.
Result<size_t> direct_IO(kiocb& iocb, iov_iter& iter);
// Both locked. Null: EOPNOTSUPP; the caller writes out and releases.
Status migrate_folio(address_space& mapping, folio& dst, folio& src, migrate_mode mode);
// f locked throughout. Null: success.
Status launder_folio(folio& f);
// f locked. Null: false.
bool is_partially_uptodate(folio& f, size_t from, size_t count);
// f locked. Null: EOPNOTSUPP; the caller drops it if it is clean.
Status error_remove_page(address_space& mapping, folio& f);
// Once for each swapoff. Null: EOPNOTSUPP; the caller scans with ->bmap.
Result<int> swap_activate(swap_info& sis, file& f, sector_t& span);
// After a swap_activate that succeeded. Null: nothing.
void swap_deactivate(file& f);
// Only when ->swap_activate set swp_fs_ops. Null: EOPNOTSUPP.
Result<size_t> swap_rw(kiocb& iocb, iov_iter& iter);

}  // namespace aops

HF_NAMESPACE_END
