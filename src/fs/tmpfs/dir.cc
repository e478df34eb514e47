// SPDX-License-Identifier: Apache-2.0
//
// Directories: every change of a name, and what hangs on it (sizes, link counts, times, cookies,
// pins). All run with the locks of semantics.md A, taken by the callers.
#include <cerrno>

#include "fs/tmpfs/tmpfs.h"
#include "holdfast/file.h"

HF_NAMESPACE_BEGIN
namespace tmpfs {
namespace {

void grow(inode& dir, int64_t entries) {
  dir.i_size.store(dir.i_size.load(std::memory_order_relaxed) + entries * bogo_dirent_size,
                   std::memory_order_release);
}

// Gives `i` (its reference passes in) the name d in dir.
Status enter(inode& dir, dentry& d, inode* i) {
  if (Status st = simple_offset_add(info_of(dir).entries, d); !st) {
    clear_nlink(*i);
    iput(i);
    return st;
  }
  grow(dir, 1);
  touch_mc(dir);
  dget(&d);
  d_instantiate(d, i);
  return {};
}

Status mknod(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, dev_t dev) {
  HF_TRY_ASSIGN(inode* const i, new_tmpfs_inode(idmap, *dir.i_sb, &dir, mode, dev));
  return enter(dir, d, i);
}

Status create(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, bool) {
  return mknod(idmap, dir, d, mode | S_IFREG, 0);
}

Status mkdir(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode) {
  HF_TRY(mknod(idmap, dir, d, mode | S_IFDIR, 0));
  inc_nlink(dir);
  return {};
}

Status symlink(const mnt_idmap& idmap, inode& dir, dentry& d, std::string_view target) {
  if (target.size() + 1 > page_size) return Error(ENAMETOOLONG);
  HF_TRY_ASSIGN(inode* const i, new_tmpfs_inode(idmap, *dir.i_sb, &dir, S_IFLNK | 0777, 0));
  if (Status st = simple_set_link(*i, target); !st) {
    clear_nlink(*i);
    iput(i);
    return st;
  }
  return enter(dir, d, i);
}

Status link(dentry& old_dentry, inode& dir, dentry& new_dentry) {
  inode& i = *old_dentry.inode_ptr();
  sb_info& sbi = info_of(*dir.i_sb);
  // A further name takes memory that can't be reclaimed, like an inode. The first one of an
  // O_TMPFILE has been paid for with the inode.
  const bool further = i.i_nlink > 0;
  if (further && !take_ispace(sbi, bogo_inode_size)) return Error(ENOSPC);
  if (Status st = simple_offset_add(info_of(dir).entries, new_dentry); !st) {
    if (further) give_ispace(sbi, bogo_inode_size);
    return st;
  }
  grow(dir, 1);
  touch_mc(dir);
  touch_ctime(i);
  inc_nlink(i);
  ihold(i);
  dget(&new_dentry);
  d_instantiate(new_dentry, &i);
  return {};
}

// What unlink, rmdir and being replaced have in common; the cookie is gone already or goes here.
void leave(inode& dir, dentry& d) {
  inode& i = *d.inode_ptr();
  if (i.i_nlink > 1 && !i.is_dir()) give_ispace(info_of(*dir.i_sb), bogo_inode_size);
  simple_offset_remove(info_of(dir).entries, d);
  grow(dir, -1);
  touch_mc(dir);
  touch_ctime(i);
  drop_nlink(i);
  dput(&d);  // the pin
}

Status unlink(inode& dir, dentry& d) {
  leave(dir, d);
  return {};
}

Status rmdir(inode& dir, dentry& d) {
  inode& i = *d.inode_ptr();
  if (!simple_offset_empty(info_of(i).entries)) return Error(ENOTEMPTY);
  drop_nlink(i);
  drop_nlink(dir);
  leave(dir, d);
  return {};
}

Status exchange(inode& old_dir, dentry& old_dentry, inode& new_dir, dentry& new_dentry) {
  inode& a = *old_dentry.inode_ptr();
  inode& b = *new_dentry.inode_ptr();
  simple_offset_exchange(info_of(old_dir).entries, old_dentry, info_of(new_dir).entries,
                         new_dentry);
  if (&old_dir != &new_dir && a.is_dir() != b.is_dir()) {
    drop_nlink(a.is_dir() ? old_dir : new_dir);
    inc_nlink(a.is_dir() ? new_dir : old_dir);
  }
  touch_mc(old_dir);
  if (&old_dir != &new_dir) touch_mc(new_dir);
  touch_ctime(a);
  touch_ctime(b);
  return {};
}

// A whiteout under the name that a rename is about to leave. It is in the hash before the old
// dentry has moved away; both stand for the same name until then, and the directories are locked.
Result<dentry*> make_whiteout(const mnt_idmap& idmap, inode& dir, dentry& old_dentry) {
  dentry* w = d_alloc(*old_dentry.parent(), old_dentry.name());
  if (!w) return Error(ENOMEM);
  Status st = mknod(idmap, dir, *w, S_IFCHR, 0);
  if (!st) {
    dput(w);
    return st.error();
  }
  return w;
}

Status rename(const mnt_idmap& idmap, inode& old_dir, dentry& old_dentry, inode& new_dir,
              dentry& new_dentry, unsigned flags) {
  if (flags & ~(rename_noreplace | rename_exchange | rename_whiteout)) return Error(EINVAL);
  if (flags & rename_exchange) return exchange(old_dir, old_dentry, new_dir, new_dentry);
  inode& moved = *old_dentry.inode_ptr();
  inode* const target = new_dentry.inode_ptr();
  if (target && target->is_dir() && !simple_offset_empty(info_of(*target).entries))
    return Error(ENOTEMPTY);
  dentry* whiteout = nullptr;
  if (flags & rename_whiteout) {
    HF_TRY_ASSIGN(whiteout, make_whiteout(idmap, old_dir, old_dentry));
  }
  if (Status st = simple_offset_rename(info_of(old_dir).entries, old_dentry,
                                       info_of(new_dir).entries, new_dentry);
      !st) {
    if (whiteout) {
      leave(old_dir, *whiteout);
      dput(whiteout);
    }
    return st;
  }
  // The old name's entry is gone from old_dir, the new one stands in new_dir; if a target was
  // there, its entry has become the new one, and leave() below counts it out.
  grow(old_dir, -1);
  grow(new_dir, 1);
  if (target) {
    if (target->is_dir()) {
      drop_nlink(*target);
      drop_nlink(old_dir);
    }
    leave(new_dir, new_dentry);
  } else if (moved.is_dir() && &old_dir != &new_dir) {
    drop_nlink(old_dir);
    inc_nlink(new_dir);
  }
  touch_mc(old_dir);
  if (&old_dir != &new_dir) touch_mc(new_dir);
  touch_ctime(moved);
  if (whiteout) {
    d_rehash(*whiteout);
    dput(whiteout);  // the pin stays
  }
  return {};
}

Status tmpfile(const mnt_idmap& idmap, inode& dir, file& f, umode_t mode) {
  HF_TRY_ASSIGN(inode* const i, new_tmpfs_inode(idmap, *dir.i_sb, &dir, mode | S_IFREG, 0));
  clear_nlink(*i);
  d_instantiate(*f.f_path.dent, i);
  return {};  // the caller opens it
}

offset_ctx* get_offset_ctx(inode& i) {
  return &info_of(i).entries;
}

Status iterate(file& f, dir_context& dc) {
  return simple_offset_iterate(info_of(*f.f_inode).entries, f, dc);
}

}  // namespace

constinit const inode_operations dir_inode_table = {
    .create = create,
    .lookup = simple_lookup,
    .link = link,
    .unlink = unlink,
    .symlink = symlink,
    .mkdir = mkdir,
    .rmdir = rmdir,
    .mknod = mknod,
    .rename = rename,
    .setattr = setattr,
    .listxattr = listxattr,
    .tmpfile = tmpfile,
    .get_offset_ctx = get_offset_ctx,
};
constinit const file_operations dir_table = {
    .llseek = generic_dir_llseek,
    .read = generic_read_dir,
    .iterate_shared = iterate,
    .fsync = noop_fsync,
};
constinit const inode_operations symlink_inode_table = {
    .get_link = simple_get_link,
    .setattr = setattr,
    .listxattr = listxattr,
};
constinit const inode_operations special_inode_table = {
    .setattr = setattr,
    .listxattr = listxattr,
};

}  // namespace tmpfs
HF_NAMESPACE_END
