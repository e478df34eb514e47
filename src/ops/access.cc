// SPDX-License-Identifier: Apache-2.0
//
// access(2): what the caller's real ids would be allowed, unless AT_EACCESS.
//
// Credentials of a running task never change under its other threads. So where real and effective
// ids differ the question is put for a task of its own, which starts where the caller stands.
#include <unistd.h>

#include "ops/fs_struct.h"
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

Status check(at where, std::string_view name, int mode, unsigned flags) {
  Result<path_ref> p = filename_lookup(where, name, flags);
  if (!p.ok()) return p.error();
  vfsmount& m = *(*p)->mnt;
  inode& i = *(*p)->dent->inode_ptr();
  if ((mode & X_OK) && i.is_reg() && ((m.mnt_flags & mnt_noexec) || (i.i_sb->s_flags & sb_noexec)))
    return Error(EACCES);
  if (Status s = inode_permission(*m.idmap, i, static_cast<unsigned>(mode) | may_access); !s.ok())
    return s;
  const umode_t type = i.i_mode & S_IFMT;
  const bool special = type == S_IFCHR || type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK;
  if ((mode & W_OK) && !special && mnt_is_readonly(m)) return Error(EROFS);
  return {};
}

bool same_ids(const cred& c) {
  return c.uid == c.fsuid && c.gid == c.fsgid && (c.uid == 0 || c.caps == 0);
}

}  // namespace

Status sys_access(task& t, at where, std::string_view name, int mode, int at_flags) {
  task_scope scope(t);
  operation_scope op("access", name);
  if (mode & ~(R_OK | W_OK | X_OK)) return Error(EINVAL);
  if (at_flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return Error(EINVAL);
  unsigned flags = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : lookup_follow;
  if (at_flags & AT_EMPTY_PATH) flags |= lookup_empty;
  if ((at_flags & AT_EACCESS) || same_ids(*t.cr)) return check(where, name, mode, flags);

  path_ref base;
  if (!where.base && where.fd != AT_FDCWD) {
    fd_ref f(t, where.fd, true);
    if (!f) {
      // An absolute path needs no descriptor, so only the walk can tell whether this is an error.
      if (name.empty() || name.front() != '/') return Error(EBADF);
    } else {
      base = path_ref::share(f->f_path);
    }
  }
  task_options who;
  who.uid = t.cr->uid;
  who.gid = t.cr->gid;
  who.groups = {t.cr->groups, t.cr->ngroups};
  task* real = create_task(*t.ns, who);
  if (!real) return Error(ENOMEM);
  {
    path_ref root = get_fs_root(t.fs);
    path_ref pwd = get_fs_pwd(t.fs);
    set_fs_root(real->fs, *root);
    set_fs_pwd(real->fs, *pwd);
  }
  Status s;
  {
    task_scope as_real(*real);
    s = check(base ? at(*base) : where, name, mode, flags);
  }
  base.reset();
  destroy_task(real);
  return s;
}

HF_NAMESPACE_END
