// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of file locks, lock managers, buffer heads, block devices, quotas and mappings of
// tasks (release 6.6; semantics.md 7 to 10, 12, 13): tables whose machinery is still to come. The
// only callers of their methods.
//
// 1. Each function takes its table first: most of these objects have several.
// 2. The locks that the tables name lie in the layouts of include/holdfast/ (file_lock.h,
//    buffer_head.h, block_device.h, quota.h, vm.h); events that their sentences speak of come by
//    holdfast/events.h.
// 3. Defaults that need those parts are their callers': a null pointer is answered as the comment
//    says.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/block_device.h"
#include "holdfast/buffer_head.h"
#include "holdfast/file_lock.h"
#include "holdfast/quota.h"
#include "holdfast/vm.h"

HF_NAMESPACE_BEGIN

namespace file_lock_ops {
void fl_copy_lock(const file_lock_operations& ops, file_lock& dst,
                  file_lock& src);                                        // null: nothing
void fl_release_private(const file_lock_operations& ops, file_lock& fl);  // null: nothing
}  // namespace file_lock_ops

namespace lock_manager_ops {
// lm_notify: at call_site::lock_unblock. lm_break: at call_site::lease_break.
void lm_notify(const lock_manager_operations& ops,
               file_lock& fl);  // null: nothing; the caller wakes
Status lm_grant(const lock_manager_operations& ops, file_lock& fl, int result);  // null: ENOLCK
bool lm_break(const lock_manager_operations& ops, file_lock& fl);                // null: false
Status lm_change(const lock_manager_operations& ops, file_lock& fl, int type);   // null: EINVAL
bool lm_breaker_owns_lease(const lock_manager_operations& ops, file_lock& fl);   // null: false
bool lm_lock_expirable(const lock_manager_operations& ops, file_lock& fl);       // null: false
void lm_expire_lock(const lock_manager_operations& ops);                         // null: nothing
}  // namespace lock_manager_ops

namespace buffer_head_ops {
// In a completion_scope, with the buffer's lock bit set; may not block. Never null.
void b_end_io(const buffer_head_operations& ops, buffer_head& bh, bool uptodate);
}  // namespace buffer_head_ops

namespace block_device_ops {
Status open(const block_device_operations& ops, block_device& bdev, fmode_t mode);  // null: success
void release(const block_device_operations& ops, gendisk& disk, fmode_t mode);      // null: nothing
Result<long> ioctl(const block_device_operations& ops, block_device& bdev, fmode_t mode,
                   unsigned cmd,
                   unsigned long arg);  // null: ENOTTY
Result<long> compat_ioctl(const block_device_operations& ops, block_device& bdev, fmode_t mode,
                          unsigned cmd, unsigned long arg);  // null: ENOTTY
Result<size_t> direct_access(const block_device_operations& ops, block_device& bdev,
                             sector_t sector, void*& addr, uint64_t& pfn);       // null: EOPNOTSUPP
void unlock_native_capacity(const block_device_operations& ops, gendisk& disk);  // null: nothing
Status getgeo(const block_device_operations& ops, block_device& bdev, hd_geometry& geo);  // ENOTTY
void swap_slot_free_notify(const block_device_operations& ops, block_device& bdev,
                           uint64_t slot);  // null: nothing
}  // namespace block_device_ops

namespace dquot_ops {
// Null, for each: EOPNOTSUPP; the caller runs the generic quota operation.
Status write_dquot(const dquot_operations& ops, dquot& d);
Status acquire_dquot(const dquot_operations& ops, dquot& d);
Status release_dquot(const dquot_operations& ops, dquot& d);
Status mark_dirty(const dquot_operations& ops, dquot& d);
Status write_info(const dquot_operations& ops, super_block& sb, int type);
}  // namespace dquot_ops

namespace vm_ops {
void open(const vm_operations_struct& ops, vm_area& vma);          // null: nothing
void close(const vm_operations_struct& ops, vm_area& vma);         // null: nothing
vm_fault_t fault(const vm_operations_struct& ops, vm_fault& vmf);  // null: vm_fault_sigbus
vm_fault_t huge_fault(const vm_operations_struct& ops, vm_fault& vmf, unsigned order);  // fallback
vm_fault_t map_pages(const vm_operations_struct& ops, vm_fault& vmf, pgoff_t start,
                     pgoff_t end);  // in RCU, may not block; null: 0, nothing around is mapped
vm_fault_t page_mkwrite(const vm_operations_struct& ops, vm_area& vma, vm_fault& vmf);  // null: 0
vm_fault_t pfn_mkwrite(const vm_operations_struct& ops, vm_area& vma, vm_fault& vmf);   // null: 0
Result<size_t> access(const vm_operations_struct& ops, vm_area& vma, unsigned long addr, void* buf,
                      size_t len, bool write);  // null: EIO
}  // namespace vm_ops

HF_NAMESPACE_END
