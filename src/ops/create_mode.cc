// SPDX-License-Identifier: Apache-2.0
//
// Modes: what a new object gets, and which set-id bits a change strips.
#include "core/cred/permission.h"
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

umode_t prepare_mode(const mnt_idmap& idmap, const inode& dir, umode_t mode, umode_t mask,
                     umode_t type) {
  mode = mode_strip_sgid(idmap, dir, mode);
  // Where ACLs exist, a default ACL stands in for the umask; the file system then applies what is
  // right.
  if (!(dir.i_sb->s_flags & sb_posixacl)) mode &= ~current().fs.umask.load();
  return (mode & mask & ~static_cast<umode_t>(S_IFMT)) | (type & S_IFMT);
}

unsigned should_drop_sgid(const mnt_idmap& idmap, const inode& i) {
  const umode_t mode = i.i_mode;
  if (!(mode & S_ISGID)) return 0;
  if (mode & S_IXGRP) return attr_kill_sgid;
  return in_group_or_capable(idmap, i, i.i_gid) ? 0 : attr_kill_sgid;
}

unsigned should_drop_suidgid(const mnt_idmap& idmap, const inode& i) {
  const umode_t mode = i.i_mode;
  unsigned kill = mode & S_ISUID ? attr_kill_suid : 0;
  kill |= should_drop_sgid(idmap, i);
  return kill && S_ISREG(mode) && !capable(capability::fsetid) ? kill : 0;
}

HF_NAMESPACE_END
