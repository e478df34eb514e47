// SPDX-License-Identifier: Apache-2.0
//
// What writing does to an inode besides the data: modification times and set-id bits, by write(2).
#include "core/dispatch/inode_ops.h"
#include "holdfast/libfs.h"
#include "holdfast/super_block.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN
Status file_update_time(file& f) {
  inode& i = *f.f_inode;
  if (i.i_flags & s_nocmtime) return {};
  if (i.i_op->update_time)
    return inode_ops::update_time(
        i, inode_ops::update_mtime | inode_ops::update_ctime | inode_ops::update_version);
  touch_mc(i);
  return {};
}

Status file_remove_privs(file& f) {
  inode& i = *f.f_inode;
  const umode_t mode = i.i_mode;
  if (!(mode & (S_ISUID | S_ISGID)) || !S_ISREG(mode)) [[likely]]
    return {};
  umode_t drop = mode & S_ISUID;
  // Set-group-id without group execution once meant mandatory locking; only an outsider loses it.
  if (mode & S_ISGID && (mode & S_IXGRP || !current_cred().in_group(i.i_gid))) drop |= S_ISGID;
  if (!drop || capable(capability::fsetid)) return {};
  iattr attr;
  attr.ia_valid = attr_mode | attr_ctime | attr_force;
  attr.ia_mode = mode & ~drop;
  attr.ia_ctime = current_time(i);
  const mnt_idmap& idmap = f.f_path.mnt ? *f.f_path.mnt->idmap : nop_mnt_idmap;
  return inode_ops::setattr(idmap, *f.f_path.dent, attr);
}

HF_NAMESPACE_END
