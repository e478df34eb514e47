// SPDX-License-Identifier: Apache-2.0
//
// The end of a superblock, syncing, and changing its options.
//
// 1. Shutting down goes in this order, each step relying on the one before: dentries, data, inodes
//    (none is cached any more once SB_ACTIVE is clear), the file system's own, the list of
//    superblocks.
// 2. s_umount is held exclusively from the moment the last active reference is gone until all that
//    is done.
#include <cerrno>
#include <cstdio>

#include "core/dentry/dcache.h"
#include "core/dispatch/fs_type_ops.h"
#include "core/dispatch/super_ops.h"
#include "core/mount/writers.h"
#include "core/super/super_internal.h"
#include "holdfast/address_space.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr unsigned remount_mask =
    sb_rdonly | sb_synchronous | sb_mandlock | sb_i_version | sb_lazytime;

}  // namespace

void deactivate_super(super_block& sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  int n = sb.s_active.load(std::memory_order_relaxed);
  while (n > 1)
    if (sb.s_active.compare_exchange_weak(n, n - 1, std::memory_order_acq_rel,
                                          std::memory_order_relaxed))
      return;
  sb.s_umount.lock();
  deactivate_locked_super(sb);
}

void deactivate_locked_super(super_block& sb) {
  if (sb.s_active.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    sb.s_umount.unlock();
    return;
  }
  fs_type_ops::kill_sb(sb);
}

void generic_shutdown_super(super_block& sb) {
  if (sb.s_root != nullptr) {
    shrink_dcache_for_umount(sb);
    flush_deferred_work();      // inodes on their way to eviction
    (void)sync_filesystem(sb);  // errors have been recorded where an fsync finds them
    sb.s_flags.atomic().fetch_and(~sb_active, std::memory_order_release);
    evict_inodes(sb);
    super_ops::put_super(sb);
    bool busy;
    {
      exclusive_guard g(sb.s_inode_list_lock);
      busy = !sb.s_inodes.empty();
    }
    if (busy) {
      std::fprintf(stderr, "holdfast: %s: inodes are still in use after unmount\n", sb.s_id);
      report_open_obligations(sb);
    }
  }
  sb.s_flags.atomic().fetch_or(sb_dying, std::memory_order_release);
  super_wake();
}

void kill_anon_super(super_block& sb) {
  const dev_t dev = sb.s_dev;
  generic_shutdown_super(sb);
  super_retire(sb);
  sb.s_umount.unlock();
  free_anon_dev(dev);
  put_super_ref(sb);
}

void kill_litter_super(super_block& sb) {
  if (sb.s_root != nullptr) d_genocide(*sb.s_root);
  kill_anon_super(sb);
}

Status sync_filesystem(super_block& sb) {
  if (sb.rdonly()) return {};
  // Once to start, once to finish: everything is under way before anybody waits.
  HF_TRY(super_ops::sync_fs(sb, false));
  return super_ops::sync_fs(sb, true);
}

Status reconfigure_super(super_block& sb, unsigned flags, std::string_view data) {
  if (sb.s_writers.frozen != freeze_level::unfrozen) return Error(EBUSY);
  const bool to_ro = (flags & sb_rdonly) != 0 && !sb.rdonly();
  if (to_ro) {
    shrink_dcache_sb(sb);
    HF_TRY(sb_prepare_remount_readonly(sb));
  }
  unsigned wanted = flags;
  if (to_ro)
    if (Status s = sync_filesystem(sb); !s.ok()) {
      sb_end_remount_readonly(sb);
      return s;
    }
  if (Status s = super_ops::remount_fs(sb, wanted, data); !s.ok()) {
    if (to_ro) sb_end_remount_readonly(sb);
    return s;
  }
  sb.s_flags = (sb.s_flags & ~remount_mask) | (wanted & remount_mask);
  if (to_ro) sb_end_remount_readonly(sb);
  return {};
}

HF_NAMESPACE_END
