// SPDX-License-Identifier: Apache-2.0
//
// The gated side of later_ops.h, but for vm_operations_struct, which is in vm_ops.cc.
//
// How the published names are read:
// - i_lock of file_lock_operations: the lock of the inode's lock lists. The text kept the name of
//   the time when that was i_lock; flc_lock has taken its place. Either will do.
// - dqonoff_sem, dqptr_sem: see holdfast/quota.h.
#include "core/dispatch/later_ops.h"

#include <cerrno>

#include "contract/events.h"

HF_NAMESPACE_BEGIN

namespace {

// What guards the list that `fl` stands in. A lock without a file stands in none, and nobody can
// hold what guards it: its own address is a lock that is never held.
const void* flc_lock_of(const file_lock& fl) {
  if (fl.fl_file == nullptr) return &fl;
  const file_lock_context* context = locks_inode_context(*fl.fl_file->f_inode);
  return context != nullptr ? static_cast<const void*>(&context->flc_lock) : &fl;
}

void bind_list_lock(gate& g, const file_lock& fl) {
  const bool old_way =
      fl.fl_file != nullptr && held_mode(&fl.fl_file->f_inode->i_lock) != held::none;
  if (old_way)
    g.lock(column::i_lock, fl.fl_file->f_inode->i_lock, "the lock's inode");
  else
    g.lock_at(column::i_lock, flc_lock_of(fl), "the lock's list");
}

auto on_lists(const file_lock& fl) {
  return [&fl](gate& g) {
    g.lock_at(column::flc_lock, flc_lock_of(fl), "the lock's list");
    g.lock(column::blocked_lock_lock, blocked_lock_lock, "waiting locks");
  };
}

auto on_lists_from(const file_lock& fl, call_site site, const char* found) {
  return [&fl, site, found](gate& g) {
    on_lists(fl)(g);
    g.require(this_context().site == site, prose::lockmgr(1), found);
  };
}

}  // namespace

namespace file_lock_ops {

void fl_copy_lock(const file_lock_operations& ops, file_lock& dst, file_lock& src) {
  if (ops.fl_copy_lock == nullptr) return;
  door::through(
      method_id::flock_fl_copy_lock, [&](gate& g) { bind_list_lock(g, src); },
      [&] { ops.fl_copy_lock(dst, src); });
}

void fl_release_private(const file_lock_operations& ops, file_lock& fl) {
  if (ops.fl_release_private == nullptr) return;
  const bool lease = fl.is_lease();
  door::through(
      method_id::flock_fl_release_private,
      [&](gate& g) {
        bind_list_lock(g, fl);
        g.require(lease || may_block(), prose::flock(1),
                  "called for a lock that is no lease where nothing may block");
        if (lease) g.forbid_blocking();
      },
      [&] { ops.fl_release_private(fl); });
}

}  // namespace file_lock_ops

namespace lock_manager_ops {

void lm_notify(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_notify == nullptr) return;
  door::through(
      method_id::lockmgr_lm_notify,
      on_lists_from(fl, call_site::lock_unblock, "called from elsewhere than the unblocking"),
      [&] { ops.lm_notify(fl); });
}

Status lm_grant(const lock_manager_operations& ops, file_lock& fl, int result) {
  if (ops.lm_grant == nullptr) return Error(ENOLCK);
  return door::through(method_id::lockmgr_lm_grant, on_lists(fl),
                       [&] { return ops.lm_grant(fl, result); });
}

bool lm_break(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_break == nullptr) return false;
  return door::through(method_id::lockmgr_lm_break,
                       on_lists_from(fl, call_site::lease_break,
                                     "called from elsewhere than the breaking of leases"),
                       [&] { return ops.lm_break(fl); });
}

Status lm_change(const lock_manager_operations& ops, file_lock& fl, int type) {
  if (ops.lm_change == nullptr) return Error(EINVAL);
  return door::through(method_id::lockmgr_lm_change, on_lists(fl),
                       [&] { return ops.lm_change(fl, type); });
}

bool lm_breaker_owns_lease(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_breaker_owns_lease == nullptr) return false;
  return door::through(method_id::lockmgr_lm_breaker_owns_lease, on_lists(fl),
                       [&] { return ops.lm_breaker_owns_lease(fl); });
}

bool lm_lock_expirable(const lock_manager_operations& ops, file_lock& fl) {
  if (ops.lm_lock_expirable == nullptr) return false;
  return door::through(method_id::lockmgr_lm_lock_expirable, on_lists(fl),
                       [&] { return ops.lm_lock_expirable(fl); });
}

void lm_expire_lock(const lock_manager_operations& ops) {
  if (ops.lm_expire_lock == nullptr) return;
  // Without an argument there is one lock to name; a flc_lock that is held forbids blocking anyway.
  door::through(
      method_id::lockmgr_lm_expire_lock,
      [](gate& g) { g.lock(column::blocked_lock_lock, blocked_lock_lock, "waiting locks"); },
      [&] { ops.lm_expire_lock(); });
}

}  // namespace lock_manager_ops

namespace buffer_head_ops {

void b_end_io(const buffer_head_operations& ops, buffer_head& bh, bool uptodate) {
  if (ops.b_end_io == nullptr) return;
  door::through(
      method_id::bh_b_end_io,
      [&](gate& g) {
        g.require(this_context().site == call_site::io_completion, prose::bh(3),
                  "called outside of I/O completion");
        g.require(buffer_locked(bh), prose::bh(2), "the buffer is not locked");
      },
      [&] { ops.b_end_io(bh, uptodate); });
}

}  // namespace buffer_head_ops

namespace block_device_ops {

namespace {

auto on_disk(const gendisk& disk) {
  return [&disk](gate& g) { g.lock(column::open_mutex, disk.open_mutex, "disk"); };
}
auto on_disk(const block_device& bdev) {
  return on_disk(*bdev.bd_disk);
}

}  // namespace

Status open(const block_device_operations& ops, block_device& bdev, fmode_t mode) {
  if (ops.open == nullptr) return {};
  return door::through(method_id::bdev_open, on_disk(bdev), [&] { return ops.open(bdev, mode); });
}

void release(const block_device_operations& ops, gendisk& disk, fmode_t mode) {
  if (ops.release == nullptr) return;
  door::through(method_id::bdev_release, on_disk(disk), [&] { ops.release(disk, mode); });
}

Result<long> ioctl(const block_device_operations& ops, block_device& bdev, fmode_t mode,
                   unsigned cmd, unsigned long arg) {
  if (ops.ioctl == nullptr) return Error(ENOTTY);
  return door::through(method_id::bdev_ioctl, on_disk(bdev),
                       [&] { return ops.ioctl(bdev, mode, cmd, arg); });
}

Result<long> compat_ioctl(const block_device_operations& ops, block_device& bdev, fmode_t mode,
                          unsigned cmd, unsigned long arg) {
  if (ops.compat_ioctl == nullptr) return Error(ENOTTY);
  return door::through(method_id::bdev_compat_ioctl, on_disk(bdev),
                       [&] { return ops.compat_ioctl(bdev, mode, cmd, arg); });
}

Result<size_t> direct_access(const block_device_operations& ops, block_device& bdev,
                             sector_t sector, void*& addr, uint64_t& pfn) {
  if (ops.direct_access == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::bdev_direct_access, on_disk(bdev),
                       [&] { return ops.direct_access(bdev, sector, addr, pfn); });
}

void unlock_native_capacity(const block_device_operations& ops, gendisk& disk) {
  if (ops.unlock_native_capacity == nullptr) return;
  door::through(method_id::bdev_unlock_native_capacity, on_disk(disk),
                [&] { ops.unlock_native_capacity(disk); });
}

Status getgeo(const block_device_operations& ops, block_device& bdev, hd_geometry& geo) {
  if (ops.getgeo == nullptr) return Error(ENOTTY);
  return door::through(method_id::bdev_getgeo, on_disk(bdev),
                       [&] { return ops.getgeo(bdev, geo); });
}

void swap_slot_free_notify(const block_device_operations& ops, block_device& bdev, uint64_t slot) {
  if (ops.swap_slot_free_notify == nullptr) return;
  door::through(
      method_id::bdev_swap_slot_free_notify,
      [&](gate& g) {
        on_disk(bdev)(g);
        g.lock(prose::bdev(1), swap_lock, "swap slots");
      },
      [&] { ops.swap_slot_free_notify(bdev, slot); });
}

}  // namespace block_device_ops

namespace dquot_ops {

namespace {

// Listens for what a method must do (call the generic operation) and may not (read the quota file,
// from ->mark_dirty).
class quota_watch final : public event_watch {
 public:
  quota_watch(const void* object, bool may_recurse) : object_(object), may_recurse_(may_recurse) {
    open(events(event::generic_quota, event::quota_io));
  }
  ~quota_watch() { close(); }

  void listen(gate& g) { gate_ = &g; }
  void seen(const event_note& n) override {
    if (n.what == event::generic_quota && n.object == object_) ++generic_;
    if (n.what == event::quota_io && gate_ != nullptr)
      gate_->require(may_recurse_, column::fs_recursion, prose::dquot(2),
                     "the quota file is worked on from inside");
  }
  void judge(gate& g, const Status& s) {
    if (s.ok())
      g.require(generic_ != 0, prose::dquot(1), "the generic quota operation was not called");
    gate_ = nullptr;
  }

 private:
  const void* object_;
  const bool may_recurse_;
  gate* gate_ = nullptr;
  unsigned generic_ = 0;
};

// "dqonoff_sem or dqptr_sem"
void bind_held(gate& g, const super_block& sb) {
  const quota_info* q = sb.s_dquot;
  if (q != nullptr && held_mode(&q->dq_srcu) != held::none)
    g.lock(column::held_locks, q->dq_srcu, "dquots");
  else
    g.lock(column::held_locks, sb.s_umount, "superblock");
}

template <class Bind, class Call>
Status watched(method_id m, const void* object, bool may_recurse, Bind&& bind, Call&& call) {
  quota_watch watch(object, may_recurse);
  return door::through(
      m,
      [&](gate& g) {
        watch.listen(g);
        bind(g);
      },
      call, [&](gate& g, const Status& s) { watch.judge(g, s); });
}

}  // namespace

Status write_dquot(const dquot_operations& ops, dquot& d) {
  if (ops.write_dquot == nullptr) return Error(EOPNOTSUPP);
  return watched(
      method_id::dquot_write_dquot, &d, true, [&](gate& g) { bind_held(g, *d.dq_sb); },
      [&] { return ops.write_dquot(d); });
}

Status acquire_dquot(const dquot_operations& ops, dquot& d) {
  if (ops.acquire_dquot == nullptr) return Error(EOPNOTSUPP);
  return watched(
      method_id::dquot_acquire_dquot, &d, true, [&](gate& g) { bind_held(g, *d.dq_sb); },
      [&] { return ops.acquire_dquot(d); });
}

Status release_dquot(const dquot_operations& ops, dquot& d) {
  if (ops.release_dquot == nullptr) return Error(EOPNOTSUPP);
  return watched(
      method_id::dquot_release_dquot, &d, true, [&](gate& g) { bind_held(g, *d.dq_sb); },
      [&] { return ops.release_dquot(d); });
}

Status mark_dirty(const dquot_operations& ops, dquot& d) {
  if (ops.mark_dirty == nullptr) return Error(EOPNOTSUPP);
  return watched(
      method_id::dquot_mark_dirty, &d, false, [](gate&) {}, [&] { return ops.mark_dirty(d); });
}

Status write_info(const dquot_operations& ops, super_block& sb, int type) {
  if (ops.write_info == nullptr) return Error(EOPNOTSUPP);
  return watched(
      method_id::dquot_write_info, &sb, true,
      [&](gate& g) { g.lock(column::held_locks, sb.s_umount, "superblock"); },
      [&] { return ops.write_info(sb, type); });
}

}  // namespace dquot_ops

HF_NAMESPACE_END
