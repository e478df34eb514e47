// SPDX-License-Identifier: Apache-2.0
//
// A superblock: one mounted file system, however often it is mounted.
//
// 1. s_count: passive references, keep the memory. s_active: active references (mounts); the last
//    one shuts it down through ->kill_sb. A superblock is found by others only once SB_BORN.
// 2. s_umount exclusively: birth, death, remount, freeze. Shared: sync.
// 3. s_writers: writers hold level `write` for a system call, `pagefault` for a store through a
//    mapping, `fs` for the file system's own; freezing takes the levels in that order and waits for
//    their readers.
// 4. s_vfs_rename_mutex: at most one rename across directories at a time, so that the tree can't
//    turn under the ancestor check.
#pragma once

#include "holdfast/inode.h"
#include "holdfast/sync/mutex.h"
#include "holdfast/sync/percpu_rwsem.h"
#include "holdfast/sync/wait_queue.h"

HF_NAMESPACE_BEGIN

// s_flags: MS_* that belong to the superblock, and internal state.
inline constexpr unsigned sb_rdonly = 1u << 0;
inline constexpr unsigned sb_nosuid = 1u << 1;
inline constexpr unsigned sb_nodev = 1u << 2;
inline constexpr unsigned sb_noexec = 1u << 3;
inline constexpr unsigned sb_synchronous = 1u << 4;
inline constexpr unsigned sb_mandlock = 1u << 6;
inline constexpr unsigned sb_dirsync = 1u << 7;
inline constexpr unsigned sb_noatime = 1u << 10;
inline constexpr unsigned sb_nodiratime = 1u << 11;
inline constexpr unsigned sb_silent = 1u << 15;
inline constexpr unsigned sb_posixacl = 1u << 16;
inline constexpr unsigned sb_dead = 1u << 21;  // off its type's list: a mounter may make a new one
inline constexpr unsigned sb_kernmount = 1u << 22;
inline constexpr unsigned sb_i_version = 1u << 23;
inline constexpr unsigned sb_dying = 1u << 24;  // generic_shutdown_super() has run
inline constexpr unsigned sb_lazytime = 1u << 25;
inline constexpr unsigned sb_born = 1u << 29;
inline constexpr unsigned sb_active = 1u << 30;
inline constexpr unsigned sb_nouser = 1u << 31;

enum class freeze_level : uint8_t { unfrozen, write, pagefault, fs, complete };

// The list of all superblocks and their passive references (src/core/super), and the mount tree
// (src/core/mount): here because members below are guarded by them.
extern constinit spinlock<sb_lock_class> sb_lock;
extern constinit seqlock<mount_lock_class> mount_lock;

struct super_block {
  list_node s_list HF_GUARDED_BY(sb_lock);  // all superblocks
  list_node s_instances HF_GUARDED_BY(sb_lock);
  dev_t s_dev = 0;
  uint8_t s_blocksize_bits = page_shift;
  uint8_t s_stack_depth = 0;  // 0: on storage; n: stacked n deep
  uint32_t s_blocksize = page_size;
  uint32_t s_time_gran = 1;  // nanoseconds
  loff_t s_maxbytes = max_lfs_filesize;
  uint32_t s_max_links = 0;  // 0: no limit
  file_system_type* s_type = nullptr;
  const super_operations* s_op = nullptr;
  const dentry_operations* s_d_op = nullptr;
  const xattr_handler* const* s_xattr = nullptr;  // null-terminated
  relaxed<unsigned> s_flags{0};
  uint64_t s_magic = 0;
  uint64_t s_fsid = 0;
  dentry* s_root = nullptr;
  void* s_fs_info = nullptr;
  char s_id[64] = {};
  rwsem<s_umount_class> s_umount;
  int s_count HF_GUARDED_BY(sb_lock) = 1;
  std::atomic<int> s_active{1};
  mutex<s_vfs_rename_mutex_class> s_vfs_rename_mutex;

  struct {
    relaxed<freeze_level> frozen{freeze_level::unfrozen};  // written under s_umount, read without
    percpu_rwsem<sb_write_class> write;
    percpu_rwsem<sb_pagefault_class> pagefault;
    percpu_rwsem<sb_intwrite_class> fs;
    wait_queue<sb_wait_class> thawed;  // woken when writers may try again
  } s_writers;

  spinlock<s_inode_list_class> s_inode_list_lock;
  list_head s_inodes HF_GUARDED_BY(s_inode_list_lock);
  spinlock<d_lru_class> s_dentry_lru_lock;
  list_head s_dentry_lru HF_GUARDED_BY(s_dentry_lru_lock);  // tail is the most recent
  std::atomic<size_t> s_nr_dentry_unused{0};
  spinlock<i_lru_class> s_inode_lru_lock;
  list_head s_inode_lru HF_GUARDED_BY(s_inode_lru_lock);
  std::atomic<size_t> s_nr_inodes_unused{0};
  list_head s_mounts HF_GUARDED_BY(mount_lock);
  list_head s_roots HF_GUARDED_BY(s_roots_lock);  // disconnected dentries
  spinlock<d_hash_class> s_roots_lock;
  std::atomic<int64_t> s_remove_count{
      0};  // unlinked but open; while any, a remount to read-only is EBUSY
  relaxed<int> s_readonly_remount{0};  // a remount to read-only is under way: no new writers
  rcu_head s_rcu;
  quota_info* s_dquot = nullptr;  // holdfast/quota.h; null: no quotas

  bool rdonly() const { return s_flags & sb_rdonly; }
};

// For a file system's ->mount and ->kill_sb.
// sget: an existing superblock for which test() holds (active reference taken, s_umount exclusive),
// or a new one that set() accepted, same state, not yet born.
using sb_test_fn = bool (*)(super_block&, void*);
using sb_set_fn = Status (*)(super_block&, void*);
Result<super_block*> sget(file_system_type& type, sb_test_fn test, sb_set_fn set, unsigned flags,
                          void* data);
// The common ->mount bodies: fill_super gets a new superblock, sets s_op, s_root and the rest.
using fill_super_fn = Status (*)(super_block& sb, std::string_view source, std::string_view data);
Result<dentry*> mount_nodev(file_system_type& type, unsigned flags, std::string_view source,
                            std::string_view data, fill_super_fn fill);
Result<dentry*> mount_single(file_system_type& type, unsigned flags, std::string_view source,
                             std::string_view data, fill_super_fn fill);
void generic_shutdown_super(super_block& sb) HF_REQUIRES(sb.s_umount);
// The common ->kill_sb: shuts down, unlocks, drops the reference; `sb` may be freed memory on
// return.
void kill_anon_super(super_block& sb) HF_RELEASE(sb.s_umount);
// The same where every dentry has a reference that only its removal drops (tmpfs).
void kill_litter_super(super_block& sb) HF_RELEASE(sb.s_umount);
void deactivate_super(super_block& sb)
    HF_EXCLUDES(sb.s_umount);  // drops an active reference; may block
void deactivate_locked_super(super_block& sb) HF_RELEASE(sb.s_umount);
bool atomic_inc_not_zero_active(super_block& sb);
void put_super_ref(super_block& sb);  // a passive reference; may block
// New flags (of sb_rdonly, sb_synchronous, sb_mandlock, sb_i_version, sb_lazytime) and options.
// EBUSY: frozen, or sb_rdonly asked for while there are writers or unlinked open inodes; what
// ->remount_fs says.
Status reconfigure_super(super_block& sb, unsigned flags, std::string_view data)
    HF_REQUIRES(sb.s_umount);

Status register_filesystem(file_system_type& type);    // Error EBUSY: the name is taken
Status unregister_filesystem(file_system_type& type);  // Error EINVAL: not registered
file_system_type* get_fs_type(std::string_view name);
void for_each_filesystem(void (*fn)(const file_system_type&, void*), void* arg);

// Freeze protection. sb_start_* block while frozen; the try form says false instead. Order: write,
// pagefault, intwrite, each outside the next.
inline void sb_start_write(super_block& sb) HF_ACQUIRE_SHARED(sb.s_writers.write) {
  sb.s_writers.write.lock_shared();
}
inline bool sb_start_write_trylock(super_block& sb)
    HF_TRY_ACQUIRE_SHARED(true, sb.s_writers.write) {
  return sb.s_writers.write.try_lock_shared();
}
// The completion form, for threads that must not be parked. True: as sb_start_write, at once.
// False: `e` is called once when trying again is worth it (from the thread that thaws, with no lock
// held), unless sb_cancel_wait took it back before.
bool sb_start_write_or_wait(super_block& sb, wait_entry& e)
    HF_TRY_ACQUIRE_SHARED(true, sb.s_writers.write);
// False: `e` was called, or is being called.
bool sb_cancel_wait(super_block& sb, wait_entry& e);
inline void sb_end_write(super_block& sb) HF_RELEASE_SHARED(sb.s_writers.write) {
  sb.s_writers.write.unlock_shared();
}
inline void sb_start_pagefault(super_block& sb) HF_ACQUIRE_SHARED(sb.s_writers.pagefault) {
  sb.s_writers.pagefault.lock_shared();
}
inline void sb_end_pagefault(super_block& sb) HF_RELEASE_SHARED(sb.s_writers.pagefault) {
  sb.s_writers.pagefault.unlock_shared();
}
inline void sb_start_intwrite(super_block& sb) HF_ACQUIRE_SHARED(sb.s_writers.fs) {
  sb.s_writers.fs.lock_shared();
}
inline void sb_end_intwrite(super_block& sb) HF_RELEASE_SHARED(sb.s_writers.fs) {
  sb.s_writers.fs.unlock_shared();
}
// Stops writers level by level, syncs, calls ->freeze_fs. Holds an active reference until thawed.
// Errors: EBUSY (frozen already, or being frozen), what sync or ->freeze_fs say (then nothing is
// frozen).
Status freeze_super(super_block& sb);
// Error EINVAL: not frozen; what ->unfreeze_fs says (then it stays frozen).
Status thaw_super(super_block& sb);
Status sync_filesystem(super_block& sb) HF_REQUIRES_SHARED(sb.s_umount);

HF_NAMESPACE_END
