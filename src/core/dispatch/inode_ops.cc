// SPDX-License-Identifier: Apache-2.0
//
// The gated side of inode_ops.h: which lock stands for which word of the document.
//
// 1. "exclusive (both)" and "(both parents, some children)": the parents are bound to the column;
//    the victim, the other non-directories and the moved subdirectories to the sentences that name
//    them, so that one missing lock is one report.
// 2. A victim is what the name stands for before the call: a dentry's inode is read once, in front.
#include "core/dispatch/inode_ops.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "holdfast/libfs.h"

HF_NAMESPACE_BEGIN

namespace inode_ops {

namespace {

// A column's lock on one inode.
auto on_rwsem(const inode& i, const char* role) {
  return [&i, role](gate& g) { g.lock(column::i_rwsem, i.i_rwsem, role); };
}

void bind_removal(gate& g, const inode& dir, const dentry& d) {
  g.lock(column::i_rwsem, dir.i_rwsem, "dir");
  if (const inode* victim = d.inode_ptr()) g.lock(prose::inode(2), victim->i_rwsem, "victim");
}

void bind_rename(gate& g, const inode& old_dir, const dentry& old_dentry, const inode& new_dir,
                 const dentry& new_dentry, unsigned flags) {
  const bool moves = &old_dir != &new_dir;
  const bool exchange = (flags & rename_exchange) != 0;
  g.lock(column::i_rwsem, old_dir.i_rwsem, "old_dir");
  if (moves) {
    g.lock(column::i_rwsem, new_dir.i_rwsem, "new_dir");
    g.lock(prose::inode(3), old_dir.i_sb->s_vfs_rename_mutex, "superblock");
  }
  const inode* source = old_dentry.inode_ptr();
  if (source != nullptr && !source->is_dir()) {
    g.lock(prose::inode(4), source->i_rwsem, "source");
  } else if (source != nullptr && moves) {
    g.lock(prose::inode(5), source->i_rwsem, "source");
  }
  const inode* target = new_dentry.inode_ptr();
  // Two names of one inode: nothing is removed, and its lock is bound already.
  if (target == nullptr || target == source) return;
  if (!exchange) {
    g.lock(prose::inode(2), target->i_rwsem, "victim");
  } else if (!target->is_dir()) {
    g.lock(prose::inode(4), target->i_rwsem, "target");
  } else if (moves) {
    g.lock(prose::inode(5), target->i_rwsem, "target");
  }
}

}  // namespace

namespace checked {

Status permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  return door::through(
      method_id::inode_permission,
      [&](gate& g) {
        g.given(condition::rcu_walk, (mask & may_not_block) != 0);
        g.lock(column::i_rwsem, prose::inode(6), i.i_rwsem, "inode");
      },
      [&] { return direct::permission(idmap, i, mask); });
}

Status getattr(const mnt_idmap& idmap, const path& p, inode& i, kstat& stat, uint32_t request_mask,
               unsigned flags) {
  return door::through(method_id::inode_getattr, on_rwsem(i, "inode"),
                       [&] { return direct::getattr(idmap, p, i, stat, request_mask, flags); });
}

Result<const char*> get_link(dentry* d, inode& i, delayed_call& done) {
  return door::through(
      method_id::inode_get_link,
      [&](gate& g) {
        g.given(condition::rcu_walk, d == nullptr);
        g.lock(column::i_rwsem, i.i_rwsem, "inode");
      },
      [&] { return direct::get_link(d, i, done); });
}

Status update_time(inode& i, unsigned flags) {
  return door::through(method_id::inode_update_time, on_rwsem(i, "inode"),
                       [&] { return direct::update_time(i, flags); });
}

}  // namespace checked

namespace fallback {

Result<const char*> get_link(inode& i) {
  if (i.i_link == nullptr) return Error(EINVAL);
  return i.i_link;
}

Status update_time(inode& i, unsigned flags) {
  const timespec64 now = current_time(i);
  auto wanted = [&](unsigned which) { return (flags & which) != 0 ? &now : nullptr; };
  inode_set_times(i, wanted(update_atime), wanted(update_mtime), wanted(update_ctime));
  if ((flags & update_version) != 0) i.i_version.store(i.i_version.load() + 1);
  mark_inode_dirty(i, i_dirty_sync);
  return {};
}

}  // namespace fallback

Status create(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, bool excl) {
  if (dir.i_op->create == nullptr) return Error(EACCES);
  return door::through(method_id::inode_create, on_rwsem(dir, "dir"),
                       [&] { return dir.i_op->create(idmap, dir, d, mode, excl); });
}

Result<dentry*> lookup(inode& dir, dentry& d, unsigned flags) {
  if (dir.i_op->lookup == nullptr) return Error(ENOTDIR);
  return door::through(method_id::inode_lookup, on_rwsem(dir, "dir"),
                       [&] { return dir.i_op->lookup(dir, d, flags); });
}

Status link(dentry& old_dentry, inode& dir, dentry& new_dentry) {
  if (dir.i_op->link == nullptr) return Error(EPERM);
  return door::through(
      method_id::inode_link,
      [&](gate& g) {
        g.lock(column::i_rwsem, dir.i_rwsem, "dir");
        if (const inode* source = old_dentry.inode_ptr())
          g.lock(column::i_rwsem, source->i_rwsem, "source");
      },
      [&] { return dir.i_op->link(old_dentry, dir, new_dentry); });
}

Status unlink(inode& dir, dentry& d) {
  if (dir.i_op->unlink == nullptr) return Error(EPERM);
  return door::through(
      method_id::inode_unlink, [&](gate& g) { bind_removal(g, dir, d); },
      [&] { return dir.i_op->unlink(dir, d); });
}

Status symlink(const mnt_idmap& idmap, inode& dir, dentry& d, std::string_view target) {
  if (dir.i_op->symlink == nullptr) return Error(EPERM);
  return door::through(method_id::inode_symlink, on_rwsem(dir, "dir"),
                       [&] { return dir.i_op->symlink(idmap, dir, d, target); });
}

Status mkdir(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode) {
  if (dir.i_op->mkdir == nullptr) return Error(EPERM);
  return door::through(method_id::inode_mkdir, on_rwsem(dir, "dir"),
                       [&] { return dir.i_op->mkdir(idmap, dir, d, mode); });
}

Status rmdir(inode& dir, dentry& d) {
  if (dir.i_op->rmdir == nullptr) return Error(EPERM);
  return door::through(
      method_id::inode_rmdir, [&](gate& g) { bind_removal(g, dir, d); },
      [&] { return dir.i_op->rmdir(dir, d); });
}

Status mknod(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, dev_t dev) {
  if (dir.i_op->mknod == nullptr) return Error(EPERM);
  return door::through(method_id::inode_mknod, on_rwsem(dir, "dir"),
                       [&] { return dir.i_op->mknod(idmap, dir, d, mode, dev); });
}

Status rename(const mnt_idmap& idmap, inode& old_dir, dentry& old_dentry, inode& new_dir,
              dentry& new_dentry, unsigned flags) {
  if (old_dir.i_op->rename == nullptr) return Error(EPERM);
  return door::through(
      method_id::inode_rename,
      [&](gate& g) { bind_rename(g, old_dir, old_dentry, new_dir, new_dentry, flags); },
      [&] { return old_dir.i_op->rename(idmap, old_dir, old_dentry, new_dir, new_dentry, flags); });
}

Result<size_t> readlink(dentry& d, char* buffer, size_t size) {
  inode& i = *d.inode_ptr();
  if (i.i_op->readlink != nullptr) {
    return door::through(method_id::inode_readlink, on_rwsem(i, "inode"),
                         [&] { return i.i_op->readlink(d, buffer, size); });
  }
  delayed_call done;
  const Result<const char*> body = i.i_link != nullptr ? i.i_link : get_link(&d, i, done);
  Result<size_t> copied = size_t{0};
  if (!body) {
    copied = body.error();
  } else if (*body == nullptr) {
    copied = Error(EINVAL);  // a jump has no text
  } else {
    const size_t length = std::min(std::strlen(*body), size);
    std::memcpy(buffer, *body, length);
    copied = length;
  }
  if (done.fn != nullptr) done.fn(done.arg);
  return copied;
}

void truncate(inode& i) {
  if (i.i_op->truncate == nullptr) return;
  door::through(method_id::inode_truncate, [&] { i.i_op->truncate(i); });
}

Result<posix_acl*> get_inode_acl(inode& i, int type, bool rcu) {
  if (i.i_op->get_inode_acl == nullptr) return nullptr;
  return door::through(
      method_id::inode_get_inode_acl,
      [&](gate& g) {
        g.given(condition::rcu_walk, rcu);
        g.lock(column::i_rwsem, i.i_rwsem, "inode");
      },
      [&] { return i.i_op->get_inode_acl(i, type, rcu); });
}

Status setattr(const mnt_idmap& idmap, dentry& d, iattr& attr) {
  inode& i = *d.inode_ptr();
  if (i.i_op->setattr == nullptr) return simple_setattr(idmap, d, attr);
  return door::through(method_id::inode_setattr, on_rwsem(i, "inode"),
                       [&] { return i.i_op->setattr(idmap, d, attr); });
}

Result<size_t> listxattr(dentry& d, char* list, size_t size) {
  inode& i = *d.inode_ptr();
  if (i.i_op->listxattr == nullptr) return size_t{0};
  return door::through(method_id::inode_listxattr, on_rwsem(i, "inode"),
                       [&] { return i.i_op->listxattr(d, list, size); });
}

Status fiemap(inode& i, fiemap_extent_info& info, uint64_t start, uint64_t len) {
  if (i.i_op->fiemap == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::inode_fiemap, on_rwsem(i, "inode"),
                       [&] { return i.i_op->fiemap(i, info, start, len); });
}

Status atomic_open(inode& dir, dentry& d, file& f, unsigned open_flag, umode_t mode) {
  if (dir.i_op->atomic_open == nullptr) return Error(EOPNOTSUPP);
  return door::through(
      method_id::inode_atomic_open,
      [&](gate& g) {
        g.given(condition::o_creat, (open_flag & unsigned{O_CREAT}) != 0);
        g.lock(column::i_rwsem, prose::inode(7), dir.i_rwsem, "dir");
      },
      [&] { return dir.i_op->atomic_open(dir, d, f, open_flag, mode); });
}

Status tmpfile(const mnt_idmap& idmap, inode& dir, file& f, umode_t mode) {
  if (dir.i_op->tmpfile == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::inode_tmpfile, on_rwsem(dir, "dir"),
                       [&] { return dir.i_op->tmpfile(idmap, dir, f, mode); });
}

Status fileattr_set(const mnt_idmap& idmap, dentry& d, fileattr& fa) {
  inode& i = *d.inode_ptr();
  if (i.i_op->fileattr_set == nullptr) return Error(ENOTTY);
  return door::through(method_id::inode_fileattr_set, on_rwsem(i, "inode"),
                       [&] { return i.i_op->fileattr_set(idmap, d, fa); });
}

Status fileattr_get(dentry& d, fileattr& fa) {
  inode& i = *d.inode_ptr();
  if (i.i_op->fileattr_get == nullptr) return Error(ENOTTY);
  return door::through(
      method_id::inode_fileattr_get,
      [&](gate& g) { g.lock(column::i_rwsem, prose::inode(8), i.i_rwsem, "inode"); },
      [&] { return i.i_op->fileattr_get(d, fa); });
}

Result<posix_acl*> get_acl(const mnt_idmap& idmap, dentry& d, int type) {
  inode& i = *d.inode_ptr();
  if (i.i_op->get_acl == nullptr) return get_inode_acl(i, type, false);
  return door::through(method_id::inode_get_acl, on_rwsem(i, "inode"),
                       [&] { return i.i_op->get_acl(idmap, d, type); });
}

offset_ctx* get_offset_ctx(inode& i) {
  if (i.i_op->get_offset_ctx == nullptr) return nullptr;
  return door::through(method_id::inode_get_offset_ctx, on_rwsem(i, "inode"),
                       [&] { return i.i_op->get_offset_ctx(i); });
}

}  // namespace inode_ops

HF_NAMESPACE_END
