// SPDX-License-Identifier: Apache-2.0
//
// Write access to mounts.
//
// 1. A writer counts itself, then looks for mnt_write_hold, then whether the mount is read-only.
//    Who makes it read-only sets the hold, then takes the sum: one of the two sees the other.
// 2. While the hold is set nobody that came after it gets to drop its count, so a sum of zero is
//    exact although shards are read one after another.
#include "core/mount/writers.h"

#include <cerrno>

HF_NAMESPACE_BEGIN

bool mnt_is_readonly(const vfsmount& m) {
  return (m.mnt_flags & mnt_readonly) != 0 || m.mnt_sb->s_readonly_remount != 0 ||
         m.mnt_sb->rdonly();
}

Status mnt_get_write_access(vfsmount& v) {
  mount& m = real_mount(v);
  m.writers.add(1);
  while (v.mnt_flags.atomic().load(std::memory_order_seq_cst) & mnt_write_hold) {
    // The holder is inside mount_lock for a moment: pass through it behind it.
    mount_lock.lock_excl();
    mount_lock.unlock_excl();
  }
  if (mnt_is_readonly(v)) [[unlikely]] {
    m.writers.add(-1);
    return Error(EROFS);
  }
  return {};
}

void mnt_put_write_access(vfsmount& v) {
  real_mount(v).writers.add(-1);
}

// The hold on the superblock goes with the result, which the analysis can't follow.
Status mnt_want_write(vfsmount& m) HF_NO_THREAD_SAFETY_ANALYSIS {
  sb_start_write(*m.mnt_sb);
  Status s = mnt_get_write_access(m);
  if (!s.ok()) [[unlikely]]
    sb_end_write(*m.mnt_sb);
  return s;
}

Result<bool> mnt_want_write_or_wait(vfsmount& m, wait_entry& e) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (!sb_start_write_or_wait(*m.mnt_sb, e)) return false;
  if (Status s = mnt_get_write_access(m); !s.ok()) {
    sb_end_write(*m.mnt_sb);
    return s.error();
  }
  return true;
}

void mnt_drop_write(vfsmount& m) HF_NO_THREAD_SAFETY_ANALYSIS {
  mnt_put_write_access(m);
  sb_end_write(*m.mnt_sb);
}

Status mnt_hold_writers(mount& m) {
  m.mnt.mnt_flags.atomic().fetch_or(mnt_write_hold, std::memory_order_seq_cst);
  if (m.writers.sum() == 0) return {};
  mnt_unhold_writers(m);
  return Error(EBUSY);
}

void mnt_unhold_writers(mount& m) {
  m.mnt.mnt_flags.atomic().fetch_and(~mnt_write_hold, std::memory_order_release);
}

Status sb_prepare_remount_readonly(super_block& sb) {
  exclusive_guard g(mount_lock);
  bool busy = sb.s_remove_count.load(std::memory_order_relaxed) != 0;
  for (mount& m : entries<&mount::mnt_instance>(sb.s_mounts)) {
    if (busy) break;
    if (m.mnt.mnt_flags & mnt_readonly) continue;
    m.mnt.mnt_flags.atomic().fetch_or(mnt_write_hold, std::memory_order_seq_cst);
    busy = m.writers.sum() != 0;
  }
  // Seen by whoever finds the hold gone.
  if (!busy) sb.s_readonly_remount = 1;
  for (mount& m : entries<&mount::mnt_instance>(sb.s_mounts)) mnt_unhold_writers(m);
  if (busy) return Error(EBUSY);
  return {};
}

void sb_end_remount_readonly(super_block& sb) {
  sb.s_readonly_remount = 0;
}

HF_NAMESPACE_END
