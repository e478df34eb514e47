// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of super_operations (release 6.6; semantics.md 4). The only callers of its methods.
//
// 1. drop_inode and free_inode may not block; the document calls its own "all may block" untrue.
// 2. Memory of an inode: alloc_inode gives it; after eviction destroy_inode undoes synchronously,
//    and free_inode gives the memory back after a grace period, when the superblock may be gone.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/stat.h"
#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

namespace super_ops {

// One call site, for the dispatcher below and its checked twin.
namespace direct {
inline bool drop_inode(inode& i) {
  return i.i_sb->s_op->drop_inode(i);
}
inline Status statfs(dentry& d, kstatfs& st) {
  return d.d_sb->s_op->statfs(d, st);
}
}  // namespace direct
namespace checked {
bool drop_inode(inode& i) HF_REQUIRES(i.i_lock);
}  // namespace checked

// Null: a plain inode. Answers null when out of memory.
inode* alloc_inode(super_block& sb);
// In an RCU callback, after a grace period, may not block. Null: the plain inode is deleted, unless
// a ->destroy_inode has freed it.
void free_inode(inode& i);
// The same for a callback that may not look at the superblock any more: `ops` is what i.i_sb->s_op
// was.
void free_inode_with(const super_operations* ops, inode& i);
// Keeps for that callback what it will need.
inline void keep_for_free(inode& i) {
  i.i_free_ops = i.i_sb->s_op;
  i.i_free_stamp = rcu_mark();
}
// Null: nothing.
void destroy_inode(inode& i);
// Null: nothing.
void dirty_inode(inode& i, unsigned flags);
// Null: success.
Status write_inode(inode& i, writeback_control& wbc);

// May not block. Null: drop what has no link or no place in the inode hash.
inline bool drop_inode(inode& i) HF_REQUIRES(i.i_lock) {
  if (i.i_sb->s_op == nullptr || i.i_sb->s_op->drop_inode == nullptr) {
    return i.i_nlink == 0 || (i.i_state & i_hashed) == 0;
  }
  if (checking_on()) [[unlikely]]
    return checked::drop_inode(i);
  return direct::drop_inode(i);
}

// Null: truncate_inode_pages_final and clear_inode.
void evict_inode(inode& i);
// Null: nothing.
void put_super(super_block& sb) HF_REQUIRES(sb.s_umount);
// wait: false starts, true finishes. Null: success.
Status sync_fs(super_block& sb, bool wait) HF_REQUIRES_SHARED(sb.s_umount);
// Null: success; FIFREEZE refuses such a file system with EOPNOTSUPP before it comes here.
Status freeze_fs(super_block& sb) HF_REQUIRES(sb.s_umount);
// Null: success.
Status unfreeze_fs(super_block& sb) HF_REQUIRES(sb.s_umount);
// For who has the superblock by a path. Null: ENOSYS.
Status statfs(dentry& d, kstatfs& st);
// For ustat(2), which has it by its number, and holds s_umount meanwhile. Null: ENOSYS.
Status statfs_for_ustat(dentry& d, kstatfs& st) HF_REQUIRES_SHARED(d.d_sb->s_umount);
// Null: success.
Status remount_fs(super_block& sb, unsigned& flags, std::string_view data) HF_REQUIRES(sb.s_umount);
// Null: nothing.
void umount_begin(super_block& sb);
// namespace_sem held at least shared. Null: success, nothing printed.
Status show_options(seq_file& m, dentry& root);
// Alone on the quota file: dqio_sem held. Null: EINVAL.
Result<size_t> quota_read(super_block& sb, int type, char* data, size_t len, loff_t off);
Result<size_t> quota_write(super_block& sb, int type, const char* data, size_t len, loff_t off);

}  // namespace super_ops

HF_NAMESPACE_END
