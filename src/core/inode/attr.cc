// SPDX-License-Identifier: Apache-2.0
//
// Link counts, ownership of new inodes, special files, dirtying, and the default stat.
//
// 1. s_remove_count of the superblock is the number of inodes in memory without links: every change
//    of i_nlink from or to zero passes through here, and destroy_inode() takes the rest back.
#include <sys/sysmacros.h>

#include <cerrno>

#include "core/cred/permission.h"
#include "core/dispatch/super_ops.h"
#include "core/inode/inode_internal.h"

HF_NAMESPACE_BEGIN

namespace {

// Devices of the host aren't reached from here, and pipes and sockets have no life outside a
// kernel's objects: such nodes exist, carry attributes and can be named; opening one says what
// open(2) says of a node that nothing stands behind.
Status open_special(inode&, file&) {
  return Error(ENXIO);
}
constexpr file_operations special_file_operations = {.open = open_special};

void count_unlinked(inode& i, int64_t by) {
  i.i_sb->s_remove_count.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace

void clear_nlink(inode& i) {
  if (i.i_nlink == 0) return;
  i.i_nlink = 0;
  count_unlinked(i, 1);
}

void set_nlink(inode& i, uint32_t n) {
  if (n == 0) {
    clear_nlink(i);
    return;
  }
  if (i.i_nlink == 0) count_unlinked(i, -1);
  i.i_nlink = n;
}

void inc_nlink(inode& i) {
  if (i.i_nlink == 0) count_unlinked(i, -1);
  ++i.i_nlink;
}

void drop_nlink(inode& i) {
  assert(i.i_nlink > 0);
  if (--i.i_nlink == 0) count_unlinked(i, 1);
}

umode_t mode_strip_sgid(const mnt_idmap& idmap, const inode& dir, umode_t mode) {
  if ((mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP)) return mode;
  if (S_ISDIR(mode) || !(dir.i_mode & S_ISGID)) return mode;
  if (in_group_or_capable(idmap, dir, dir.i_gid)) return mode;
  return mode & ~umode_t{S_ISGID};
}

void inode_init_owner(const mnt_idmap& idmap, inode& i, const inode* dir, umode_t mode) {
  const cred& c = current_cred();
  i.i_uid = idmap.to_fs(c.fsuid);
  if (dir != nullptr && (dir->i_mode & S_ISGID)) {
    i.i_gid = dir->i_gid;
    // A directory passes the rule on; a file must not get the bit from someone outside the group.
    mode = S_ISDIR(mode) ? mode | S_ISGID : mode_strip_sgid(idmap, *dir, mode);
  } else {
    i.i_gid = idmap.to_fs_gid(c.fsgid);
  }
  i.i_mode = mode;
}

void init_special_inode(inode& i, umode_t mode, dev_t rdev) {
  i.i_mode = mode;
  i.i_fop = &special_file_operations;
  if (S_ISCHR(mode) || S_ISBLK(mode)) i.i_rdev = rdev;
}

// Every frame has an address here: there is nothing to ask for. Kept for authors who port.
void inode_nohighmem(inode&) {}

void inode_add_blocks(inode& i, int64_t sectors) {
  exclusive_guard g(i.i_lock);
  i.i_attr_seq.write_begin();
  i.i_blocks = i.i_blocks + static_cast<uint64_t>(sectors);
  i.i_attr_seq.write_end();
}

void mark_inode_dirty(inode& i, unsigned flags) {
  // Data alone are no business of ->dirty_inode.
  if ((flags & (i_dirty_sync | i_dirty_datasync | i_dirty_time)) && i.i_sb->s_op != nullptr &&
      i.i_sb->s_op->dirty_inode != nullptr)
    super_ops::dirty_inode(i, flags);
  if ((i.i_state & flags) == flags) return;
  exclusive_guard g(i.i_lock);
  if (i.i_state & (i_freeing | i_clear)) return;
  i.i_state |= flags;
}

void generic_fillattr(const mnt_idmap& idmap, const inode& i, kstat& st) {
  uint32_t seq;
  do {
    seq = i.i_attr_seq.read_begin();
    st.atime = {i.i_atime_sec, i.i_atime_nsec};
    st.mtime = {i.i_mtime_sec, i.i_mtime_nsec};
    st.ctime = {i.i_ctime_sec, i.i_ctime_nsec};
    st.btime = {i.i_btime_sec, i.i_btime_nsec};
    st.blocks = i.i_blocks;
    st.change_cookie = i.i_version;
  } while (i.i_attr_seq.read_retry(seq));
  st.result_mask |= STATX_BASIC_STATS;
  if (st.btime != timespec64{}) st.result_mask |= STATX_BTIME;
  st.dev = i.i_sb->s_dev;
  st.ino = i.i_ino;
  st.generation = i.i_generation;
  st.mode = i.i_mode;
  st.nlink = i.i_nlink;
  st.uid = idmap.from_fs(i.i_uid);
  st.gid = idmap.from_fs_gid(i.i_gid);
  st.rdev = i.i_rdev;
  st.size = i.size();
  st.blksize = 1u << i.i_blkbits;
  const uint32_t flags = i.i_flags;
  if (flags & s_immutable) st.attributes |= STATX_ATTR_IMMUTABLE;
  if (flags & s_append) st.attributes |= STATX_ATTR_APPEND;
  st.attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
}

HF_NAMESPACE_END
