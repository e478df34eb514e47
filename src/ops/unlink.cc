// SPDX-License-Identifier: Apache-2.0
//
// Names that go: unlink and rmdir. semantics.md A, class "remove": parent X, find, victim X.
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

Status unlink_victim(const mnt_idmap& idmap, inode& dir, dentry& d) HF_REQUIRES(dir.i_rwsem) {
  if (Status s = may_delete(idmap, dir, d, false); !s.ok()) return s;
  if (!dir.i_op->unlink) return Error(EPERM);
  inode& victim = *d.inode_ptr();
  {
    exclusive_guard g(victim.i_rwsem);
    if (victim.i_flags & s_swapfile) return Error(EPERM);
    if (is_mounted_on(d)) return Error(EBUSY);
    if (Status s = inode_ops::unlink(dir, d); !s.ok()) return s;
    forbid_mounting(d);
  }
  d_delete(d);
  return {};
}

Status rmdir_victim(const mnt_idmap& idmap, inode& dir, dentry& d) HF_REQUIRES(dir.i_rwsem) {
  if (Status s = may_delete(idmap, dir, d, true); !s.ok()) return s;
  if (!dir.i_op->rmdir) return Error(EPERM);
  inode& victim = *d.inode_ptr();
  {
    exclusive_guard g(victim.i_rwsem);
    if (is_mounted_on(d)) return Error(EBUSY);
    if (Status s = inode_ops::rmdir(dir, d); !s.ok()) return s;
    shrink_dcache_parent(d);
    victim.i_flags = victim.i_flags | s_dead;
    forbid_mounting(d);
  }
  d_delete(d);
  return {};
}

Status do_unlink(at where, std::string_view name) {
  Result<parent_path> p = filename_parentat(where, name, 0);
  if (!p.ok()) return p.error();
  if (p->type != last_type::norm) return Error(EISDIR);
  const path& parent = *p->parent;
  write_access w(*parent.mnt);
  if (!w.ok()) return w.error();
  inode_ref doomed;  // the last reference goes after the directory is unlocked
  inode& dir = *parent.dent->inode_ptr();
  exclusive_guard g(dir.i_rwsem, nest::parent);
  Result<dentry*> found = lookup_one_qstr_excl(p->last, *parent.dent, 0);
  if (!found.ok()) return found.error();
  dentry_ref d(*found);
  if (d->is_negative()) return Error(ENOENT);
  if (p->trailing_slash) return Error(d->is_dir() ? EISDIR : ENOTDIR);
  doomed.share(*d->inode_ptr());
  return unlink_victim(*parent.mnt->idmap, dir, *d);
}

Status do_rmdir(at where, std::string_view name) {
  Result<parent_path> p = filename_parentat(where, name, 0);
  if (!p.ok()) return p.error();
  switch (p->type) {
    case last_type::dotdot:
      return Error(ENOTEMPTY);
    case last_type::dot:
      return Error(EINVAL);
    case last_type::root:
      return Error(EBUSY);
    case last_type::norm:
      break;
  }
  const path& parent = *p->parent;
  write_access w(*parent.mnt);
  if (!w.ok()) return w.error();
  inode_ref doomed;
  inode& dir = *parent.dent->inode_ptr();
  exclusive_guard g(dir.i_rwsem, nest::parent);
  Result<dentry*> found = lookup_one_qstr_excl(p->last, *parent.dent, 0);
  if (!found.ok()) return found.error();
  dentry_ref d(*found);
  if (d->is_negative()) return Error(ENOENT);
  doomed.share(*d->inode_ptr());
  return rmdir_victim(*parent.mnt->idmap, dir, *d);
}

}  // namespace

void forbid_mounting(dentry& d) {
  exclusive_guard g(d.d_lockref);
  d.d_flags = d.d_flags | dcache_cant_mount;
}

Status sys_unlink(task& t, at where, std::string_view name, int at_flags) {
  task_scope scope(t);
  operation_scope op(at_flags & AT_REMOVEDIR ? "rmdir" : "unlink", name);
  if (at_flags & ~AT_REMOVEDIR) return Error(EINVAL);
  return at_flags & AT_REMOVEDIR ? do_rmdir(where, name) : do_unlink(where, name);
}

HF_NAMESPACE_END
