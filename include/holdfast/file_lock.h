// SPDX-License-Identifier: Apache-2.0
//
// File locks: POSIX locks (of a process or of an open file), flock(2) locks, leases. The layouts;
// what sets, blocks and breaks them comes with the lock engine.
//
// 1. A lock that is set stands in one list of its file's file_lock_context, under flc_lock.
// 2. A request that waits hangs on fl_blocked_requests of what it waits for, under
//    blocked_lock_lock; so does the search for deadlocks.
// 3. fl_file is referenced by whoever owns the lock, and is what leads to the context.
//
// Lock order: flc_lock -> blocked_lock_lock. Both are spinlocks: nothing under them blocks.
#pragma once

#include "holdfast/file.h"
#include "holdfast/list.h"

HF_NAMESPACE_BEGIN

// file_lock::fl_flags
inline constexpr unsigned fl_posix = 1u << 0;
inline constexpr unsigned fl_flock = 1u << 1;
inline constexpr unsigned fl_deleg = 1u << 2;   // a lease that the server of a network keeps
inline constexpr unsigned fl_access = 1u << 3;  // only asks whether it would conflict
inline constexpr unsigned fl_exists = 1u << 4;
inline constexpr unsigned fl_lease = 1u << 5;
inline constexpr unsigned fl_close = 1u << 6;  // removed since the file is being closed
inline constexpr unsigned fl_sleep = 1u << 7;  // the request waits
inline constexpr unsigned fl_downgrade_pending = 1u << 8;
inline constexpr unsigned fl_unlock_pending = 1u << 9;
inline constexpr unsigned fl_ofdlck = 1u << 10;  // owned by the open file, not by the process
inline constexpr unsigned fl_layout = 1u << 11;

inline constexpr loff_t offset_max = max_lfs_filesize;

// Who waits for whom, for all files.
inline constinit spinlock<blocked_lock_class> blocked_lock_lock;

struct file_lock {
  list_node fl_list;  // in the context's list of its kind, under flc_lock
  // In fl_blocked_requests of fl_blocker.
  list_node fl_blocked_member HF_GUARDED_BY(blocked_lock_lock);
  // Requests that wait for this lock.
  list_head fl_blocked_requests HF_GUARDED_BY(blocked_lock_lock);
  file_lock* fl_blocker HF_GUARDED_BY(blocked_lock_lock) = nullptr;
  const void* fl_owner = nullptr;  // a descriptor table, an open file, or a lock manager's own
  unsigned fl_flags = 0;
  int fl_type = F_UNLCK;  // F_RDLCK, F_WRLCK, F_UNLCK
  pid_t fl_pid = 0;
  loff_t fl_start = 0;
  loff_t fl_end = offset_max;  // the last byte
  file* fl_file = nullptr;
  int64_t fl_break_time = 0;      // when a lease that is being broken is taken away
  int64_t fl_downgrade_time = 0;  // the same, to a lease that others may share
  const file_lock_operations* fl_ops = nullptr;
  const lock_manager_operations* fl_lmops = nullptr;
  void* fl_private = nullptr;  // fl_ops' own

  bool is_lease() const { return (fl_flags & (fl_lease | fl_deleg | fl_layout)) != 0; }
};

// The locks of one file, made with its first and kept as long as the inode (inode::i_flctx).
struct file_lock_context {
  spinlock<flc_lock_class> flc_lock;
  list_head flc_flock HF_GUARDED_BY(flc_lock);
  list_head flc_posix HF_GUARDED_BY(flc_lock);  // by owner, then by start
  list_head flc_lease HF_GUARDED_BY(flc_lock);
};

// Null: the file never had a lock.
inline file_lock_context* locks_inode_context(const inode& i) {
  return static_cast<file_lock_context*>(i.i_flctx);
}

HF_NAMESPACE_END
