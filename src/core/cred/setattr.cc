// SPDX-License-Identifier: Apache-2.0
//
// Changing attributes: what a task may ask for (chmod(2), chown(2), utimensat(2), truncate(2)), and
// storing it.
//
// 1. setattr_prepare() may take S_ISGID out of the mode that was asked for; it changes nothing
//    else.
// 2. Both run with i_rwsem held exclusively.
#include <cerrno>

#include "core/cred/permission.h"

HF_NAMESPACE_BEGIN

namespace {

Status newsize_ok(const inode& i, loff_t size) {
  if (size < 0) return Error(EINVAL);
  if (i.size() < size) {
    if (size > current().rlimit_fsize) return Error(EFBIG);
    if (size > i.i_sb->s_maxbytes) return Error(EFBIG);
  } else if (i.i_flags & s_swapfile) {
    return Error(ETXTBSY);
  }
  return {};
}

bool may_chown(const mnt_idmap& idmap, const inode& i, uid_t uid) {
  const uid_t owner = i.i_uid;
  if (idmap.from_fs(owner) == current_cred().fsuid && uid == owner) return true;
  return capable_wrt_inode(idmap, i, capability::chown);
}

bool may_chgrp(const mnt_idmap& idmap, const inode& i, gid_t gid) {
  const cred& c = current_cred();
  if (idmap.from_fs(i.i_uid) == c.fsuid && (gid == i.i_gid || c.in_group(idmap.from_fs_gid(gid))))
    return true;
  return capable_wrt_inode(idmap, i, capability::chown);
}

}  // namespace

Status setattr_prepare(const mnt_idmap& idmap, dentry& d, iattr& attr) {
  const inode& i = *d.inode_ptr();
  const unsigned valid = attr.ia_valid;
  if (valid & attr_size) HF_TRY(newsize_ok(i, attr.ia_size));
  if (valid & attr_force) return {};
  if ((valid & attr_uid) && !may_chown(idmap, i, attr.ia_uid)) return Error(EPERM);
  if ((valid & attr_gid) && !may_chgrp(idmap, i, attr.ia_gid)) return Error(EPERM);
  if (valid & attr_mode) {
    if (!inode_owner_or_capable(idmap, i)) return Error(EPERM);
    const gid_t gid = (valid & attr_gid) ? attr.ia_gid : i.i_gid.load();
    if (!in_group_or_capable(idmap, i, gid)) attr.ia_mode &= ~umode_t{S_ISGID};
  }
  if ((valid & (attr_atime_set | attr_mtime_set | attr_times_set)) &&
      !inode_owner_or_capable(idmap, i))
    return Error(EPERM);
  return {};
}

void setattr_copy(const mnt_idmap& idmap, inode& i, const iattr& attr) {
  const unsigned valid = attr.ia_valid;
  if (valid & attr_uid) i.i_uid = attr.ia_uid;
  if (valid & attr_gid) i.i_gid = attr.ia_gid;
  if (valid & attr_mode) {
    umode_t mode = attr.ia_mode;
    if (!in_group_or_capable(idmap, i, i.i_gid)) mode &= ~umode_t{S_ISGID};
    i.i_mode = mode;
  }
  const timespec64 atime = timestamp_truncate(attr.ia_atime, i);
  const timespec64 mtime = timestamp_truncate(attr.ia_mtime, i);
  const timespec64 ctime = timestamp_truncate(attr.ia_ctime, i);
  if (valid & (attr_atime | attr_mtime | attr_ctime))
    inode_set_times(i, (valid & attr_atime) ? &atime : nullptr,
                    (valid & attr_mtime) ? &mtime : nullptr,
                    (valid & attr_ctime) ? &ctime : nullptr);
}

HF_NAMESPACE_END
