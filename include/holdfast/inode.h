// SPDX-License-Identifier: Apache-2.0
//
// An inode: one object of a file system, and the mapping that caches its data.
//
// 1. Life: allocated I_NEW (locked, invisible to finders until unlock_new_inode) -> live ->
//    I_FREEING (no new references) -> I_CLEAR -> destroyed -> freed after a grace period, since
//    RCU-walk may look.
// 2. i_count counts references; dentries, open files and finders hold them. The last iput() decides
//    with ->drop_inode whether it stays cached. Linked or not, an inode leaves memory only by
//    evict().
// 3. i_rwsem serialises changes of contents and of attributes (semantics.md A). i_lock guards
//    i_state, i_dentry and the transitions of i_count to and from zero.
// 4. i_mode, i_uid, i_gid, i_nlink, i_flags are written under i_rwsem (or before publication) and
//    read by anyone. Times and i_blocks form a snapshot under i_attr_seq, written under i_lock.
// 5. i_size is written under i_rwsem exclusively, before the folio that extended it is unlocked.
// 6. i_op, i_fop, i_sb, i_ino, i_generation, i_rdev are set before publication and then constant.
#pragma once

#include "holdfast/address_space.h"
#include "holdfast/deferred_work.h"
#include "holdfast/dentry.h"
#include "holdfast/stat.h"
#include "holdfast/sync/rwsem.h"
#include "holdfast/sync/spinlock.h"

HF_NAMESPACE_BEGIN

// inode::i_state, under i_lock.
inline constexpr uint32_t i_dirty_sync = 1u << 0;
inline constexpr uint32_t i_dirty_datasync = 1u << 1;
inline constexpr uint32_t i_dirty_pages = 1u << 2;
inline constexpr uint32_t i_new = 1u << 3;
inline constexpr uint32_t i_will_free = 1u << 4;
inline constexpr uint32_t i_freeing = 1u << 5;
inline constexpr uint32_t i_clear = 1u << 6;
inline constexpr uint32_t i_sync = 1u << 7;
inline constexpr uint32_t i_referenced = 1u << 8;
inline constexpr uint32_t i_linkable =
    1u << 10;  // nlink 0, but linkat() may give it a name (O_TMPFILE)
inline constexpr uint32_t i_dirty_time = 1u << 11;
inline constexpr uint32_t i_creating = 1u << 15;
inline constexpr uint32_t i_dontcache = 1u << 16;
inline constexpr uint32_t i_hashed = 1u << 17;

// inode::i_flags
inline constexpr uint32_t s_sync = 1u << 0;
inline constexpr uint32_t s_noatime = 1u << 1;
inline constexpr uint32_t s_append = 1u << 2;
inline constexpr uint32_t s_immutable = 1u << 3;
inline constexpr uint32_t s_dead = 1u << 4;  // a removed directory, still open
inline constexpr uint32_t s_noquota = 1u << 5;
inline constexpr uint32_t s_dirsync = 1u << 6;
inline constexpr uint32_t s_nocmtime = 1u << 7;
inline constexpr uint32_t s_swapfile = 1u << 8;
inline constexpr uint32_t s_private = 1u << 9;
inline constexpr uint32_t s_nosec = 1u << 12;  // known to have no suid bits or xattrs to strip
inline constexpr uint32_t s_casefold = 1u << 15;

// inode::i_opflags: answers about i_op that a walk wants without loading the table.
inline constexpr uint32_t iop_fastperm = 1u << 0;  // no ->permission, no ACL: mode bits decide
inline constexpr uint32_t iop_lookup = 1u << 1;    // has ->lookup
inline constexpr uint32_t iop_nofollow = 1u << 2;  // not a symlink
inline constexpr uint32_t iop_xattr = 1u << 3;
inline constexpr uint32_t iop_default_getattr = 1u << 4;  // ->getattr is null
inline constexpr uint32_t iop_valid = 1u << 7;            // the others have been filled in

struct inode {
  relaxed<umode_t> i_mode{0};
  relaxed<uint32_t> i_opflags{0};
  relaxed<uid_t> i_uid{0};
  relaxed<gid_t> i_gid{0};
  relaxed<uint32_t> i_flags{0};
  relaxed<uint32_t> i_nlink{1};
  const inode_operations* i_op = nullptr;
  super_block* i_sb = nullptr;
  address_space* i_mapping = nullptr;
  uint64_t i_ino = 0;
  const char* i_link = nullptr;  // body of a fast symlink; freed after a grace period

  std::atomic<loff_t> i_size{0};
  dev_t i_rdev = 0;
  uint32_t i_generation = 0;
  uint8_t i_blkbits = page_shift;
  seqcount i_attr_seq;
  relaxed<int64_t> i_atime_sec{0}, i_mtime_sec{0}, i_ctime_sec{0}, i_btime_sec{0};
  relaxed<uint32_t> i_atime_nsec{0}, i_mtime_nsec{0}, i_ctime_nsec{0}, i_btime_nsec{0};
  relaxed<uint64_t> i_blocks{0};   // of 512 bytes
  relaxed<uint64_t> i_version{0};  // changes with every change of data or attributes

  const file_operations* i_fop = nullptr;
  spinlock<i_lock_class> i_lock;
  std::atomic<int32_t> i_count{1};
  relaxed<uint32_t> i_state{0};          // written under i_lock, read without
  std::atomic<int32_t> i_writecount{0};  // > 0: writers; < 0: execution forbids writers
  rwsem<i_rwsem_class> i_rwsem;

  hlist_node i_hash;                         // by (sb, ino), RCU readers
  list_node i_sb_list;                       // under s_inode_list_lock
  list_node i_lru;                           // under i_lru of the sb
  list_head i_dentry HF_GUARDED_BY(i_lock);  // aliases
  address_space i_data;  // i_mapping points here unless the data are somebody else's
  void* i_private = nullptr;
  void* i_flctx = nullptr;  // locks on this file
  rcu_head i_rcu;
  const super_operations* i_free_ops =
      nullptr;                // set at the end: the superblock may be freed first
  uint64_t i_free_stamp = 0;  // rcu_mark() when it was destroyed; 0: it never lived
  deferred_work i_deferred;   // the last reference, on its way to a thread that may block

  loff_t size() const { return i_size.load(std::memory_order_acquire); }
  bool is_dir() const { return S_ISDIR(i_mode); }
  bool is_reg() const { return S_ISREG(i_mode); }
  bool is_lnk() const { return S_ISLNK(i_mode); }
};

// The iop_* answers. Filled in by the first caller after i_op is set; several may do so at once,
// since all store the same word. Takes no lock.
uint32_t inode_fill_opflags(inode& i);
inline uint32_t inode_opflags(inode& i) {
  uint32_t f = i.i_opflags;
  return (f & iop_valid) != 0 ? f : inode_fill_opflags(i);
}

// Allocation. new_inode: a live, unhashed inode on sb's list with one reference, or null.
inode* new_inode(super_block& sb);
// The inode (sb, ino): from the cache (waiting while it is new), or new and locked (i_state &
// i_new), to be filled and given to unlock_new_inode() or iget_failed(). Null: out of memory.
inode* iget_locked(super_block& sb, uint64_t ino);
inode* ilookup(super_block& sb, uint64_t ino);
void unlock_new_inode(inode& i);
void iget_failed(inode& i);
void insert_inode_hash(inode& i);
void remove_inode_hash(inode& i);
uint64_t get_next_ino();  // process-wide, never 0, for file systems without numbers of their own
// Container helpers for authors: call first in alloc_inode / last in free_inode.
void inode_init_once(super_block& sb, inode& i);
void inode_destroy(inode& i);

inline void ihold(inode& i) {
  i.i_count.fetch_add(1, std::memory_order_relaxed);
}
inode* igrab(inode& i);  // null if it is being freed
void iput(inode* i);     // may block; null is allowed
void clear_inode(inode& i);
void evict_inodes(super_block& sb);  // every inode without references; the superblock isn't active
void d_prune_and_evict(super_block& sb);  // drops every unused dentry, then every unused inode
size_t prune_icache_sb(super_block& sb,
                       size_t nr);  // frees up to nr unused, clean inodes; how many
size_t nr_inodes();

// Link counts; under i_rwsem of the parent(s).
void set_nlink(inode& i, uint32_t n);
void inc_nlink(inode& i);
void drop_nlink(inode& i);
void clear_nlink(inode& i);

// The mode of a new non-directory in `dir`: S_ISGID goes if the group may execute it, `dir` is
// setgid and the task neither is in dir's group nor has CAP_FSETID. Callers apply it before the
// umask.
umode_t mode_strip_sgid(const mnt_idmap& idmap, const inode& dir, umode_t mode);
// Ownership and mode of a new inode in `dir` for the running task (setgid directories obeyed).
void inode_init_owner(const mnt_idmap& idmap, inode& i, const inode* dir, umode_t mode);
void init_special_inode(inode& i, umode_t mode, dev_t rdev);
void inode_nohighmem(inode& i);

// Times. current_time is truncated to the superblock's granularity.
timespec64 current_time(const inode& i);
timespec64 timestamp_truncate(timespec64 t, const inode& i);
timespec64 inode_get_atime(const inode& i);
timespec64 inode_get_mtime(const inode& i);
timespec64 inode_get_ctime(const inode& i);
void inode_set_times(inode& i, const timespec64* atime, const timespec64* mtime,
                     const timespec64* ctime);  // null: leave; takes i_lock
void inode_set_btime(inode& i, const timespec64& t);
void touch_mc(inode& i);  // mtime and ctime to now; cheap when the clock has not ticked
void touch_ctime(inode& i);
void inode_add_blocks(inode& i, int64_t sectors);  // of 512 bytes; takes i_lock
void mark_inode_dirty(inode& i, unsigned flags = i_dirty_sync);

// The stat of an inode with the defaults; consistent by i_attr_seq; takes no lock.
void generic_fillattr(const mnt_idmap& idmap, const inode& i, kstat& st);

HF_NAMESPACE_END
