// SPDX-License-Identifier: Apache-2.0
//
// Names of a file system that lives in the dcache alone.
//
// 1. Who has a name has a reference on its dentry besides the users' (the pin): the dcache is the
//    directory, so an entry may not be shrunk away. It is taken with the name and dropped with it.
// 2. What is absent is known to be: a miss makes a negative dentry, which may be discarded at any
//    time.
#include <cerrno>

#include "core/dispatch/inode_ops.h"
#include "holdfast/libfs.h"
#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

Result<dentry*> simple_lookup(inode&, dentry& d, unsigned) {
  if (d.name_len() > name_max) return Error(ENAMETOOLONG);
  d_add(d, nullptr);
  return nullptr;
}

bool always_delete_dentry(const dentry&) {
  return true;
}
bool generic_delete_inode(inode&) {
  return true;
}

bool simple_empty(dentry& d) {
  if (offset_ctx* ctx = inode_ops::get_offset_ctx(*d.inode_ptr())) return simple_offset_empty(*ctx);
  return simple_positive_children(d) == 0;
}

Status simple_add_entry(inode& dir, dentry& d, inode* i) {
  if (offset_ctx* ctx = inode_ops::get_offset_ctx(dir))
    if (Status st = simple_offset_add(*ctx, d); !st) {
      iput(i);
      return st;
    }
  if (i->is_dir()) inc_nlink(dir);
  touch_mc(dir);
  dget(&d);
  d_instantiate(d, i);
  return {};
}

Status simple_link(dentry& old_dentry, inode& dir, dentry& new_dentry) {
  inode& i = *old_dentry.inode_ptr();
  if (offset_ctx* ctx = inode_ops::get_offset_ctx(dir)) HF_TRY(simple_offset_add(*ctx, new_dentry));
  touch_mc(dir);
  touch_ctime(i);
  inc_nlink(i);
  ihold(i);
  dget(&new_dentry);
  d_instantiate(new_dentry, &i);
  return {};
}

Status simple_unlink(inode& dir, dentry& d) {
  inode& i = *d.inode_ptr();
  if (offset_ctx* ctx = inode_ops::get_offset_ctx(dir)) simple_offset_remove(*ctx, d);
  touch_mc(dir);
  touch_ctime(i);
  drop_nlink(i);
  dput(&d);
  return {};
}

Status simple_rmdir(inode& dir, dentry& d) {
  if (!simple_empty(d)) return Error(ENOTEMPTY);
  drop_nlink(*d.inode_ptr());
  HF_TRY(simple_unlink(dir, d));
  drop_nlink(dir);
  return {};
}

Status simple_rename(const mnt_idmap&, inode& old_dir, dentry& old_dentry, inode& new_dir,
                     dentry& new_dentry, unsigned flags) {
  if (flags & ~(rename_noreplace | rename_exchange)) return Error(EINVAL);
  inode& moved = *old_dentry.inode_ptr();
  inode* target = new_dentry.inode_ptr();
  offset_ctx* old_ctx = inode_ops::get_offset_ctx(old_dir);
  offset_ctx* new_ctx = inode_ops::get_offset_ctx(new_dir);
  if (flags & rename_exchange) {
    if (old_ctx && new_ctx) simple_offset_exchange(*old_ctx, old_dentry, *new_ctx, new_dentry);
    if (&old_dir != &new_dir && moved.is_dir() != target->is_dir()) {
      drop_nlink(moved.is_dir() ? old_dir : new_dir);
      inc_nlink(moved.is_dir() ? new_dir : old_dir);
    }
    touch_ctime(*target);
  } else {
    if (target && target->is_dir() && !simple_empty(new_dentry)) return Error(ENOTEMPTY);
    if (old_ctx && new_ctx)
      HF_TRY(simple_offset_rename(*old_ctx, old_dentry, *new_ctx, new_dentry));
    if (target) {
      touch_ctime(*target);
      drop_nlink(*target);
      if (target->is_dir()) {
        drop_nlink(*target);
        drop_nlink(old_dir);
      }
      dput(&new_dentry);
    } else if (moved.is_dir() && &old_dir != &new_dir) {
      drop_nlink(old_dir);
      inc_nlink(new_dir);
    }
  }
  touch_mc(old_dir);
  if (&old_dir != &new_dir) touch_mc(new_dir);
  touch_ctime(moved);
  return {};
}

HF_NAMESPACE_END
