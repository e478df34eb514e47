// SPDX-License-Identifier: Apache-2.0
//
// Who may do what with an inode: mode bits, groups, capabilities (capabilities(7),
// path_resolution(7)).
//
// 1. Exactly one of owner, group, other applies, the first that matches: an owner whose bits refuse
//    isn't asked again as a member of the group.
// 2. Nothing here blocks or writes; only a file system's own ->permission may, and it is told by
//    may_not_block.
#include "core/cred/permission.h"

#include <cerrno>

#include "core/dispatch/inode_ops.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr unsigned rwx = may_read | may_write | may_exec;

bool mode_allows(const mnt_idmap& idmap, const inode& i, unsigned mask) {
  const cred& c = current_cred();
  umode_t mode = i.i_mode;
  if (idmap.from_fs(i.i_uid) == c.fsuid) {
    mode >>= 6;
  } else if ((mask & (mode ^ (mode >> 3))) != 0 && c.in_group(idmap.from_fs_gid(i.i_gid))) {
    // Groups are searched only where the answer differs from what others get.
    mode >>= 3;
  }
  return (mask & ~mode & rwx) == 0;
}

}  // namespace

bool capable(capability c) {
  return current_cred().has(c);
}

bool capable_wrt_inode(const mnt_idmap&, const inode&, capability c) {
  return capable(c);
}

bool inode_owner_or_capable(const mnt_idmap& idmap, const inode& i) {
  return idmap.from_fs(i.i_uid) == current_cred().fsuid ||
         capable_wrt_inode(idmap, i, capability::fowner);
}

bool in_group_or_capable(const mnt_idmap& idmap, const inode& i, gid_t gid) {
  return current_cred().in_group(idmap.from_fs_gid(gid)) ||
         capable_wrt_inode(idmap, i, capability::fsetid);
}

Status generic_permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  mask &= rwx;
  if (mode_allows(idmap, i, mask)) return {};
  if (i.is_dir()) {
    if (!(mask & may_write) && capable_wrt_inode(idmap, i, capability::dac_read_search)) return {};
    if (capable_wrt_inode(idmap, i, capability::dac_override)) return {};
    return Error(EACCES);
  }
  if (mask == may_read && capable_wrt_inode(idmap, i, capability::dac_read_search)) return {};
  // Nobody executes what has no execute bit at all.
  if (!(mask & may_exec) || (i.i_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
    if (capable_wrt_inode(idmap, i, capability::dac_override)) return {};
  return Error(EACCES);
}

Status inode_permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  if (mask & may_write) [[unlikely]] {
    const umode_t mode = i.i_mode;
    if (i.i_sb->rdonly() && (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode))) return Error(EROFS);
    if (i.i_flags & s_immutable) return Error(EPERM);
  }
  if (!(inode_opflags(i) & iop_fastperm) && i.i_op->permission != nullptr)
    return inode_ops::permission(idmap, i, mask);
  return generic_permission(idmap, i, mask);
}

HF_NAMESPACE_END
