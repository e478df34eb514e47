// SPDX-License-Identifier: Apache-2.0
//
// rename(2). semantics.md A, classes "same-directory rename" and "cross-directory rename".
//
// Locks, in order: write access to the mount; lock_rename(): s_vfs_rename_mutex where the parents
// differ, then the parents, ancestor first; then, both names looked up and neither an ancestor of
// the other:
//   1. subdirectories, source before target: the source if it changes parent, the target if it
//   changes parent
//      or is replaced;
//   2. non-directories among the two, by ascending address.
// A file system that doesn't move dentries itself (fs_rename_does_d_move) has it done here, under
// all of them.
#include <functional>
#include <utility>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

// Both parents locked for a scope.
class rename_parents {
 public:
  rename_parents(dentry& to, dentry& from) : to_(to), from_(from), trap_(lock_rename(to, from)) {}
  ~rename_parents() {
    if (trap_.ok()) unlock_rename(to_, from_);
  }
  rename_parents(const rename_parents&) = delete;
  rename_parents& operator=(const rename_parents&) = delete;
  bool ok() const { return trap_.ok(); }
  Error error() const { return trap_.error(); }
  dentry* trap() const { return *trap_; }

 private:
  dentry& to_;
  dentry& from_;
  Result<dentry*> trap_;
};

// Up to two locks on the objects that a rename moves or replaces. Which ones is known only at run
// time, so the static analysis can't follow the two lock sites: they are opted out, and the gate of
// ->rename checks at run time that every lock its rule names is held.
class children_lock {
 public:
  children_lock(inode& source, inode* target, bool moves,
                bool exchange) HF_NO_THREAD_SAFETY_ANALYSIS {
    const bool source_dir = source.is_dir();
    const bool target_dir = target && target->is_dir();
    const bool lock_source_dir = moves;
    const bool lock_target_dir = moves || !exchange;
    if (source_dir) {
      if (lock_source_dir) take(source, nest::child);
      if (target && !target_dir) take(*target, nest::nondirectory);
      if (target_dir && lock_target_dir) take(*target, nest::normal);
    } else if (target_dir) {
      if (lock_target_dir) take(*target, nest::child);
      take(source, nest::nondirectory);
    } else {
      inode* first = &source;
      inode* second = target;
      if (second && std::less<inode*>{}(second, first)) std::swap(first, second);
      take(*first, nest::nondirectory);
      if (second && second != first) take(*second, nest::nondirectory2);
    }
  }
  ~children_lock() HF_NO_THREAD_SAFETY_ANALYSIS {
    while (n_ > 0) held_[--n_]->i_rwsem.unlock();
  }
  children_lock(const children_lock&) = delete;
  children_lock& operator=(const children_lock&) = delete;

 private:
  void take(inode& i, nest level) HF_NO_THREAD_SAFETY_ANALYSIS {
    i.i_rwsem.lock(level);
    held_[n_++] = &i;
  }
  inode* held_[2] = {};
  unsigned n_ = 0;
};

struct rename_args {
  const mnt_idmap& idmap;
  inode& old_dir;
  dentry& old_dentry;
  inode& new_dir;
  dentry& new_dentry;
  unsigned flags;
};

Status may_rename(const rename_args& a) HF_REQUIRES(a.old_dir.i_rwsem, a.new_dir.i_rwsem) {
  inode& source = *a.old_dentry.inode_ptr();
  inode* target = a.new_dentry.inode_ptr();
  const bool source_dir = a.old_dentry.is_dir();
  const bool target_dir = target && a.new_dentry.is_dir();
  const bool exchange = a.flags & rename_exchange;
  if (Status s = may_delete(a.idmap, a.old_dir, a.old_dentry, source_dir); !s.ok()) return s;
  Status s = !target
                 ? may_create(a.idmap, a.new_dir, a.new_dentry)
                 : may_delete(a.idmap, a.new_dir, a.new_dentry, exchange ? target_dir : source_dir);
  if (!s.ok()) return s;
  if (!a.old_dir.i_op->rename) return Error(EPERM);
  // A directory that changes parent is written to: its ".." changes.
  if (&a.old_dir != &a.new_dir) {
    if (source_dir) {
      if (s = inode_permission(a.idmap, source, may_write); !s.ok()) return s;
    }
    if (exchange && target_dir) {
      if (s = inode_permission(a.idmap, *target, may_write); !s.ok()) return s;
    }
  }
  return {};
}

Status link_limits(const rename_args& a, bool source_dir, bool target_dir) {
  const uint32_t max_links = a.new_dir.i_sb->s_max_links;
  if (!max_links || &a.old_dir == &a.new_dir) return {};
  if (source_dir && !target_dir && a.new_dir.i_nlink >= max_links) return Error(EMLINK);
  if ((a.flags & rename_exchange) && !source_dir && target_dir && a.old_dir.i_nlink >= max_links)
    return Error(EMLINK);
  return {};
}

Status rename_locked(const rename_args& a) HF_REQUIRES(a.old_dir.i_rwsem, a.new_dir.i_rwsem) {
  inode& source = *a.old_dentry.inode_ptr();
  inode* target = a.new_dentry.inode_ptr();
  if (&source == target) return {};  // two names of one object: nothing to do, and that is success
  if (Status s = may_rename(a); !s.ok()) return s;
  const bool source_dir = a.old_dentry.is_dir();
  const bool target_dir = target && a.new_dentry.is_dir();
  const bool exchange = a.flags & rename_exchange;

  children_lock locks(source, target, &a.old_dir != &a.new_dir, exchange);
  if ((source.i_flags & s_swapfile) || (target && (target->i_flags & s_swapfile)))
    return Error(EPERM);
  if (is_mounted_on(a.old_dentry) || is_mounted_on(a.new_dentry)) return Error(EBUSY);
  if (Status s = link_limits(a, source_dir, target_dir); !s.ok()) return s;
  Status s = inode_ops::rename(a.idmap, a.old_dir, a.old_dentry, a.new_dir, a.new_dentry, a.flags);
  if (!s.ok()) return s;
  if (!exchange && target) {
    if (source_dir) {
      shrink_dcache_parent(a.new_dentry);
      target->i_flags = target->i_flags | s_dead;
    }
    forbid_mounting(a.new_dentry);
  }
  if (!(a.old_dir.i_sb->s_type->fs_flags & fs_rename_does_d_move)) {
    if (exchange)
      d_exchange(a.old_dentry, a.new_dentry);
    else
      d_move(a.old_dentry, a.new_dentry);
  }
  return {};
}

Status do_rename(const parent_path& from, const parent_path& to, unsigned flags) {
  const path& old_parent = *from.parent;
  const path& new_parent = *to.parent;
  if (old_parent.mnt != new_parent.mnt) return Error(EXDEV);
  if (from.type != last_type::norm) return Error(EBUSY);
  if (to.type != last_type::norm) return Error(flags & rename_noreplace ? EEXIST : EBUSY);
  write_access w(*old_parent.mnt);
  if (!w.ok()) return w.error();
  inode_ref replaced;  // the last reference goes after the locks
  rename_parents parents(*new_parent.dent, *old_parent.dent);
  if (!parents.ok()) return parents.error();

  Result<dentry*> old_found = lookup_one_qstr_excl(from.last, *old_parent.dent, 0);
  if (!old_found.ok()) return old_found.error();
  dentry_ref old_dentry(*old_found);
  if (old_dentry->is_negative()) return Error(ENOENT);
  const bool exchange = flags & rename_exchange;
  Result<dentry*> new_found =
      lookup_one_qstr_excl(to.last, *new_parent.dent, exchange ? 0 : lookup_rename_target);
  if (!new_found.ok()) return new_found.error();
  dentry_ref new_dentry(*new_found);
  if ((flags & rename_noreplace) && new_dentry->is_positive()) return Error(EEXIST);
  if (exchange) {
    if (new_dentry->is_negative()) return Error(ENOENT);
    if (!new_dentry->is_dir() && to.trailing_slash) return Error(ENOTDIR);
  }
  // A trailing slash demands a directory; what moves is one unless said otherwise.
  if (!old_dentry->is_dir()) {
    if (from.trailing_slash) return Error(ENOTDIR);
    if (!exchange && to.trailing_slash) return Error(ENOTDIR);
  }
  if (old_dentry.get() == parents.trap()) return Error(EINVAL);
  if (new_dentry.get() == parents.trap()) return Error(exchange ? EINVAL : ENOTEMPTY);
  if (inode* target = new_dentry->inode_ptr()) replaced.share(*target);

  rename_args a{*old_parent.mnt->idmap,
                *old_parent.dent->inode_ptr(),
                *old_dentry,
                *new_parent.dent->inode_ptr(),
                *new_dentry,
                flags};
  assume_locked(a.old_dir);
  assume_locked(a.new_dir);
  return rename_locked(a);
}

}  // namespace

Status sys_rename(task& t, at from, std::string_view old_name, at to, std::string_view new_name,
                  unsigned flags) {
  task_scope scope(t);
  operation_scope op("rename", old_name, new_name);
  if (flags & ~(rename_noreplace | rename_exchange | rename_whiteout)) return Error(EINVAL);
  if ((flags & (rename_noreplace | rename_whiteout)) && (flags & rename_exchange))
    return Error(EINVAL);
  Result<parent_path> old_parent = filename_parentat(from, old_name, 0);
  if (!old_parent.ok()) return old_parent.error();
  Result<parent_path> new_parent = filename_parentat(to, new_name, 0);
  if (!new_parent.ok()) return new_parent.error();
  return do_rename(*old_parent, *new_parent, flags);
}

HF_NAMESPACE_END
