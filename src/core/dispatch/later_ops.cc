// SPDX-License-Identifier: Apache-2.0
//
// The gated side of later_ops.h: null defaults, and how each method may block.
#include "core/dispatch/later_ops.h"

#include <cerrno>

HF_NAMESPACE_BEGIN

namespace file_lock_ops {

void fl_copy_lock(const file_lock_operations& ops, file_lock& dst, file_lock& src) {
  if (ops.fl_copy_lock == nullptr) return;
  door::through(method_id::flock_fl_copy_lock, [&] { ops.fl_copy_lock(dst, src); });
}

void fl_release_private(const file_lock_operations& ops, file_lock& fl) {
  if (ops.fl_release_private == nullptr) return;
  door::through(method_id::flock_fl_release_private, [&] { ops.fl_release_private(fl); });
}

}  // namespace file_lock_ops

namespace lock_manager_ops {

void lm_notify(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_notify == nullptr) return;
  door::through(method_id::lockmgr_lm_notify, [&] { ops.lm_notify(fl); });
}

Status lm_grant(const lock_manager_operations& ops, file_lock& fl, int result) {
  if (ops.lm_grant == nullptr) return Error(ENOLCK);
  return door::through(method_id::lockmgr_lm_grant, [&] { return ops.lm_grant(fl, result); });
}

bool lm_break(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_break == nullptr) return false;
  return door::through(method_id::lockmgr_lm_break, [&] { return ops.lm_break(fl); });
}

Status lm_change(const lock_manager_operations& ops, file_lock& fl, int type) {
  if (ops.lm_change == nullptr) return Error(EINVAL);
  return door::through(method_id::lockmgr_lm_change, [&] { return ops.lm_change(fl, type); });
}

bool lm_breaker_owns_lease(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_breaker_owns_lease == nullptr) return false;
  return door::through(method_id::lockmgr_lm_breaker_owns_lease,
                       [&] { return ops.lm_breaker_owns_lease(fl); });
}

bool lm_lock_expirable(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_lock_expirable == nullptr) return false;
  return door::through(method_id::lockmgr_lm_lock_expirable,
                       [&] { return ops.lm_lock_expirable(fl); });
}

void lm_expire_lock(const lock_manager_operations& ops) {
  if (ops.lm_expire_lock == nullptr) return;
  door::through(method_id::lockmgr_lm_expire_lock, [&] { ops.lm_expire_lock(); });
}

}  // namespace lock_manager_ops

namespace buffer_head_ops {

void b_end_io(const buffer_head_operations& ops, buffer_head& bh, bool uptodate) {
  if (ops.b_end_io == nullptr) return;
  door::through(method_id::bh_b_end_io, [&] { ops.b_end_io(bh, uptodate); });
}

}  // namespace buffer_head_ops

namespace block_device_ops {

Status open(const block_device_operations& ops, block_device& bdev, fmode_t mode) {
  if (ops.open == nullptr) return {};
  return door::through(method_id::bdev_open, [&] { return ops.open(bdev, mode); });
}

void release(const block_device_operations& ops, gendisk& disk, fmode_t mode) {
  if (ops.release == nullptr) return;
  door::through(method_id::bdev_release, [&] { ops.release(disk, mode); });
}

Result<long> ioctl(const block_device_operations& ops, block_device& bdev, fmode_t mode,
                   unsigned cmd, unsigned long arg) {
  if (ops.ioctl == nullptr) return Error(ENOTTY);
  return door::through(method_id::bdev_ioctl, [&] { return ops.ioctl(bdev, mode, cmd, arg); });
}

Result<long> compat_ioctl(const block_device_operations& ops, block_device& bdev, fmode_t mode,
                          unsigned cmd, unsigned long arg) {
  if (ops.compat_ioctl == nullptr) return Error(ENOTTY);
  return door::through(method_id::bdev_compat_ioctl,
                       [&] { return ops.compat_ioctl(bdev, mode, cmd, arg); });
}

Result<size_t> direct_access(const block_device_operations& ops, block_device& bdev,
                             sector_t sector, void*& addr, uint64_t& pfn) {
  if (ops.direct_access == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::bdev_direct_access,
                       [&] { return ops.direct_access(bdev, sector, addr, pfn); });
}

void unlock_native_capacity(const block_device_operations& ops, gendisk& disk) {
  if (ops.unlock_native_capacity == nullptr) return;
  door::through(method_id::bdev_unlock_native_capacity, [&] { ops.unlock_native_capacity(disk); });
}

Status getgeo(const block_device_operations& ops, block_device& bdev, hd_geometry& geo) {
  if (ops.getgeo == nullptr) return Error(ENOTTY);
  return door::through(method_id::bdev_getgeo, [&] { return ops.getgeo(bdev, geo); });
}

void swap_slot_free_notify(const block_device_operations& ops, block_device& bdev, uint64_t slot) {
  if (ops.swap_slot_free_notify == nullptr) return;
  door::through(method_id::bdev_swap_slot_free_notify,
                [&] { ops.swap_slot_free_notify(bdev, slot); });
}

}  // namespace block_device_ops

namespace dquot_ops {

Status write_dquot(const dquot_operations& ops, dquot& d) {
  if (ops.write_dquot == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::dquot_write_dquot, [&] { return ops.write_dquot(d); });
}

Status acquire_dquot(const dquot_operations& ops, dquot& d) {
  if (ops.acquire_dquot == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::dquot_acquire_dquot, [&] { return ops.acquire_dquot(d); });
}

Status release_dquot(const dquot_operations& ops, dquot& d) {
  if (ops.release_dquot == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::dquot_release_dquot, [&] { return ops.release_dquot(d); });
}

Status mark_dirty(const dquot_operations& ops, dquot& d) {
  if (ops.mark_dirty == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::dquot_mark_dirty, [&] { return ops.mark_dirty(d); });
}

Status write_info(const dquot_operations& ops, super_block& sb, int type) {
  if (ops.write_info == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::dquot_write_info, [&] { return ops.write_info(sb, type); });
}

}  // namespace dquot_ops

namespace vm_ops {

void open(const vm_operations_struct& ops, vm_area& vma) {
  if (ops.open == nullptr) return;
  door::through(method_id::vm_open, [&] { ops.open(vma); });
}

void close(const vm_operations_struct& ops, vm_area& vma) {
  if (ops.close == nullptr) return;
  door::through(method_id::vm_close, [&] { ops.close(vma); });
}

vm_fault_t fault(const vm_operations_struct& ops, vm_fault& vmf) {
  if (ops.fault == nullptr) return vm_fault_sigbus;
  return door::through(method_id::vm_fault, [&] { return ops.fault(vmf); });
}

vm_fault_t huge_fault(const vm_operations_struct& ops, vm_fault& vmf, unsigned order) {
  if (ops.huge_fault == nullptr) return vm_fault_fallback;
  return door::through(method_id::vm_huge_fault, [&] { return ops.huge_fault(vmf, order); });
}

vm_fault_t map_pages(const vm_operations_struct& ops, vm_fault& vmf, pgoff_t start, pgoff_t end) {
  if (ops.map_pages == nullptr) return 0;
  return door::through(method_id::vm_map_pages, [&] { return ops.map_pages(vmf, start, end); });
}

vm_fault_t page_mkwrite(const vm_operations_struct& ops, vm_area& vma, vm_fault& vmf) {
  if (ops.page_mkwrite == nullptr) return 0;
  return door::through(method_id::vm_page_mkwrite, [&] { return ops.page_mkwrite(vma, vmf); });
}

vm_fault_t pfn_mkwrite(const vm_operations_struct& ops, vm_area& vma, vm_fault& vmf) {
  if (ops.pfn_mkwrite == nullptr) return 0;
  return door::through(method_id::vm_pfn_mkwrite, [&] { return ops.pfn_mkwrite(vma, vmf); });
}

Result<size_t> access(const vm_operations_struct& ops, vm_area& vma, unsigned long addr, void* buf,
                      size_t len, bool write) {
  if (ops.access == nullptr) return Error(EIO);
  return door::through(method_id::vm_access,
                       [&] { return ops.access(vma, addr, buf, len, write); });
}

}  // namespace vm_ops

HF_NAMESPACE_END
