// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of inode_operations (release 6.6; semantics.md 2 and A). The only callers of its
// methods.
//
// 1. Every method may block, but permission, get_link and get_inode_acl in RCU-walk.
// 2. i_rwsem of a parameter is annotated; that of a victim, of a source, of a dentry's inode is
//    checked by the gate: the comment of the function names them.
// 3. Errors are the method's own, or the default of a null pointer, which stands beside each
//    function.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/file.h"
#include "holdfast/inode.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

namespace inode_ops {

// What ->update_time is asked to bring up to date (`flags`).
inline constexpr unsigned update_atime = 1u << 0;
inline constexpr unsigned update_mtime = 1u << 1;
inline constexpr unsigned update_ctime = 1u << 2;
inline constexpr unsigned update_version = 1u << 3;

// One call site each, for the dispatchers below and their checked twins.
namespace direct {
inline Status permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  return i.i_op->permission(idmap, i, mask);
}
inline Status getattr(const mnt_idmap& idmap, const path& p, inode& i, kstat& stat,
                      uint32_t request_mask, unsigned flags) {
  return i.i_op->getattr(idmap, p, stat, request_mask, flags);
}
inline Result<const char*> get_link(dentry* d, inode& i, delayed_call& done) {
  return i.i_op->get_link(d, i, done);
}
inline Status update_time(inode& i, unsigned flags) {
  return i.i_op->update_time(i, flags);
}
}  // namespace direct
namespace checked {
Status permission(const mnt_idmap& idmap, inode& i, unsigned mask);
Status getattr(const mnt_idmap& idmap, const path& p, inode& i, kstat& stat, uint32_t request_mask,
               unsigned flags);
Result<const char*> get_link(dentry* d, inode& i, delayed_call& done);
Status update_time(inode& i, unsigned flags);
}  // namespace checked
namespace fallback {
Result<const char*> get_link(inode& i);
Status update_time(inode& i, unsigned flags);
}  // namespace fallback

// Null: EACCES.
Status create(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, bool excl)
    HF_REQUIRES(dir.i_rwsem);
// Null: ENOTDIR.
Result<dentry*> lookup(inode& dir, dentry& d, unsigned flags) HF_REQUIRES_SHARED(dir.i_rwsem);
// Exclusive on the source's inode too. Null: EPERM.
Status link(dentry& old_dentry, inode& dir, dentry& new_dentry) HF_REQUIRES(dir.i_rwsem);
// Exclusive on the victim too. Null: EPERM.
Status unlink(inode& dir, dentry& d) HF_REQUIRES(dir.i_rwsem);
// Null: EPERM.
Status symlink(const mnt_idmap& idmap, inode& dir, dentry& d, std::string_view target)
    HF_REQUIRES(dir.i_rwsem);
// Null: EPERM.
Status mkdir(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode) HF_REQUIRES(dir.i_rwsem);
// Exclusive on the victim too. Null: EPERM.
Status rmdir(inode& dir, dentry& d) HF_REQUIRES(dir.i_rwsem);
// Null: EPERM.
Status mknod(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, dev_t dev)
    HF_REQUIRES(dir.i_rwsem);
// Exclusive on: both parents, an existing target, the source if it is no directory; a directory
// that changes parent. s_vfs_rename_mutex when the parents differ. Null: EPERM.
Status rename(const mnt_idmap& idmap, inode& old_dir, dentry& old_dentry, inode& new_dir,
              dentry& new_dentry, unsigned flags) HF_REQUIRES(old_dir.i_rwsem, new_dir.i_rwsem);
// Null: the body that get_link gives, cut to `size`; EINVAL if it is no symlink.
Result<size_t> readlink(dentry& d, char* buffer, size_t size);

// d null: RCU-walk, may not block. Null: i_link, or EINVAL.
inline Result<const char*> get_link(dentry* d, inode& i, delayed_call& done) {
  if (i.i_op->get_link == nullptr) return fallback::get_link(i);
  if (checking_on()) [[unlikely]]
    return checked::get_link(d, i, done);
  return direct::get_link(d, i, done);
}

// Exclusive, inherited from setattr; kept for adapters of old editions. Null: nothing.
void truncate(inode& i);

// With may_not_block in mask: RCU-walk. Null: generic_permission.
inline Status permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  if (i.i_op->permission == nullptr) return generic_permission(idmap, i, mask);
  if (checking_on()) [[unlikely]]
    return checked::permission(idmap, i, mask);
  return direct::permission(idmap, i, mask);
}

// rcu: RCU-walk, may not block. Null: no ACL (null).
Result<posix_acl*> get_inode_acl(inode& i, int type, bool rcu);
// Exclusive on d's inode. Null: simple_setattr.
Status setattr(const mnt_idmap& idmap, dentry& d, iattr& attr);

// p.dent is positive. Null: generic_fillattr.
inline Status getattr(const mnt_idmap& idmap, const path& p, kstat& stat, uint32_t request_mask,
                      unsigned flags) {
  inode& i = *p.dent->inode_ptr();
  if (i.i_op->getattr == nullptr) {
    generic_fillattr(idmap, i, stat);
    return {};
  }
  if (checking_on()) [[unlikely]]
    return checked::getattr(idmap, p, i, stat, request_mask, flags);
  return direct::getattr(idmap, p, i, stat, request_mask, flags);
}

// Null: an empty list.
Result<size_t> listxattr(dentry& d, char* list, size_t size);
// Null: EOPNOTSUPP.
Status fiemap(inode& i, fiemap_extent_info& info, uint64_t start, uint64_t len);

// flags: update_*. Null: the times become current_time and the inode dirty.
inline Status update_time(inode& i, unsigned flags) {
  if (i.i_op->update_time == nullptr) return fallback::update_time(i, flags);
  if (checking_on()) [[unlikely]]
    return checked::update_time(i, flags);
  return direct::update_time(i, flags);
}

// Shared on dir; exclusive if open_flag has O_CREAT. Null: EOPNOTSUPP; the caller then looks up,
// creates and opens in separate steps.
Status atomic_open(inode& dir, dentry& d, file& f, unsigned open_flag, umode_t mode)
    HF_REQUIRES_SHARED(dir.i_rwsem);
// Null: EOPNOTSUPP.
Status tmpfile(const mnt_idmap& idmap, inode& dir, file& f, umode_t mode);
// Exclusive on d's inode. Null: ENOTTY, as the ioctl says it.
Status fileattr_set(const mnt_idmap& idmap, dentry& d, fileattr& fa);
// d's inode unlocked, or locked exclusively. Null: ENOTTY.
Status fileattr_get(dentry& d, fileattr& fa);
// Null: what get_inode_acl says.
Result<posix_acl*> get_acl(const mnt_idmap& idmap, dentry& d, int type);
// Null: null.
offset_ctx* get_offset_ctx(inode& i);

}  // namespace inode_ops

HF_NAMESPACE_END
