// SPDX-License-Identifier: Apache-2.0
//
// The frame of every operation that adds or removes names: permission, locked parents, the dentry
// in question. Locking is semantics.md A.
#include "core/dispatch/inode_ops.h"
#include "namei/nameidata.h"

HF_NAMESPACE_BEGIN

namespace {

bool sticky_forbids(const mnt_idmap& idmap, const inode& dir, const inode& victim) {
  if (!(dir.i_mode & S_ISVTX)) return false;
  const uid_t me = current_cred().fsuid;
  if (idmap.from_fs(victim.i_uid) == me || idmap.from_fs(dir.i_uid) == me) return false;
  return !capable_wrt_inode(idmap, victim, capability::fowner);
}

}  // namespace

Status may_create(const mnt_idmap& idmap, inode& dir, dentry& child) {
  if (child.is_positive()) return Error(EEXIST);
  if (dir.i_flags & s_dead) return Error(ENOENT);
  return inode_permission(idmap, dir, may_write | may_exec);
}

Status may_delete(const mnt_idmap& idmap, inode& dir, dentry& victim, bool isdir) {
  inode* i = victim.inode_ptr();
  if (!i || victim.is_negative()) return Error(ENOENT);
  HF_TRY(inode_permission(idmap, dir, may_write | may_exec));
  if (dir.i_flags & s_append) return Error(EPERM);
  if (sticky_forbids(idmap, dir, *i) || (i->i_flags & (s_append | s_immutable | s_swapfile)))
    return Error(EPERM);
  if (isdir) {
    if (!victim.is_dir()) return Error(ENOTDIR);
    if (victim.is_root()) return Error(EBUSY);
  } else if (victim.is_dir()) {
    return Error(EISDIR);
  }
  if (dir.i_flags & s_dead) return Error(ENOENT);
  return {};
}

Result<create_target> filename_create(at where, std::string_view name,
                                      unsigned flags) HF_NO_THREAD_SAFETY_ANALYSIS {
  const unsigned want = lookup_create | lookup_excl;
  HF_TRY_ASSIGN(parent_path pp, filename_parentat(where, name, flags & lookup_reval));
  if (pp.type != last_type::norm) return Error(EEXIST);  // "." and ".." and "/" exist
  const path& parent = *pp.parent;
  // A read-only mount is told only to who would otherwise have been allowed to create.
  Status write = mnt_want_write(*parent.mnt);
  inode& dir = *parent.dent->inode_ptr();
  dir.i_rwsem.lock(nest::parent);
  auto fail = [&](int code) HF_NO_THREAD_SAFETY_ANALYSIS -> Error {
    dir.i_rwsem.unlock();
    if (write.ok()) mnt_drop_write(*parent.mnt);
    return Error(code);
  };
  Result<dentry*> found = lookup_one_qstr_excl(pp.last, *parent.dent, want);
  if (!found.ok()) return fail(found.code());
  dentry* d = *found;
  int code = 0;
  if (d->is_positive())
    code = EEXIST;
  else if (pp.trailing_slash && !(flags & lookup_directory))
    code = ENOENT;  // the object would have to be a directory
  else if (!write.ok())
    code = write.code();
  if (code != 0) {
    Error e = fail(code);
    dput(d);
    return e;
  }
  create_target t;
  t.parent = std::move(pp.parent);
  t.dent = d;
  return t;
}

void done_create(create_target& t) HF_NO_THREAD_SAFETY_ANALYSIS {
  t.parent->dent->inode_ptr()->i_rwsem.unlock();
  mnt_drop_write(*t.parent->mnt);
  dput(t.dent);
  t.dent = nullptr;
  t.parent.reset();
}

Result<dentry*> lock_rename(dentry& p1, dentry& p2) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (&p1 == &p2) {
    p1.inode_ptr()->i_rwsem.lock(nest::parent);
    return nullptr;
  }
  p1.d_sb->s_vfs_rename_mutex.lock();
  // With that mutex held, no directory changes its ancestors.
  dentry* first = &p1;
  dentry* second = &p2;
  dentry* between = d_ancestor(p2, p1);
  if (between) {
    first = &p2;
    second = &p1;
  } else {
    between = d_ancestor(p1, p2);
    if (!between) {
      dentry* r1 = &p1;
      dentry* r2 = &p2;
      while (!r1->is_root()) r1 = r1->parent();
      while (!r2->is_root()) r2 = r2->parent();
      if (r1 != r2) {
        p1.d_sb->s_vfs_rename_mutex.unlock();
        return Error(EXDEV);
      }
    }
  }
  first->inode_ptr()->i_rwsem.lock(nest::parent);
  second->inode_ptr()->i_rwsem.lock(nest::parent2);
  return between;
}

void unlock_rename(dentry& p1, dentry& p2) HF_NO_THREAD_SAFETY_ANALYSIS {
  p1.inode_ptr()->i_rwsem.unlock();
  if (&p1 == &p2) return;
  p2.inode_ptr()->i_rwsem.unlock();
  p1.d_sb->s_vfs_rename_mutex.unlock();
}

HF_NAMESPACE_END
