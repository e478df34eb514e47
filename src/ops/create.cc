// SPDX-License-Identifier: Apache-2.0
//
// New names: mkdir, mknod, symlink, link. semantics.md A, classes "create" and "link".
//
// filename_create() hands over the parent locked exclusively and a negative dentry; done_create()
// ends it.
#include <sys/sysmacros.h>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

// A creation under way: the parent is locked from a successful begin() until the scope ends. The
// lock is taken and given back inside namei; the capability it stands for is asserted by dir().
class creation {
 public:
  creation() = default;
  ~creation() {
    if (active_) done_create(t_);
  }
  creation(const creation&) = delete;
  creation& operator=(const creation&) = delete;
  Status begin(at where, std::string_view name, unsigned flags) {
    Result<create_target> r = filename_create(where, name, flags);
    if (!r.ok()) return r.error();
    t_ = std::move(*r);
    active_ = true;
    return {};
  }
  const path& parent() const { return *t_.parent; }
  inode& dir() const { return *t_.parent->dent->inode_ptr(); }
  dentry& target() const { return *t_.dent; }
  const mnt_idmap& idmap() const { return *t_.parent->mnt->idmap; }

 private:
  create_target t_;
  bool active_ = false;
};

constexpr umode_t all_perms = 07777;

Status valid_node_type(umode_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      return {};
    case S_IFDIR:
      return Error(EPERM);
    default:
      return Error(EINVAL);
  }
}

Status create_regular(creation& c, umode_t mode) {
  inode& dir = c.dir();
  assume_locked(dir);
  if (Status s = may_create(c.idmap(), dir, c.target()); !s.ok()) return s;
  if (!dir.i_op->create) return Error(EACCES);
  mode = prepare_mode(c.idmap(), dir, mode, all_perms, S_IFREG);
  return inode_ops::create(c.idmap(), dir, c.target(), mode, true);
}

Status create_node(creation& c, umode_t mode, dev_t dev) {
  inode& dir = c.dir();
  assume_locked(dir);
  if (Status s = may_create(c.idmap(), dir, c.target()); !s.ok()) return s;
  const bool whiteout = S_ISCHR(mode) && dev == 0;
  if ((S_ISCHR(mode) || S_ISBLK(mode)) && !whiteout && !capable(capability::mknod))
    return Error(EPERM);
  if (!dir.i_op->mknod) return Error(EPERM);
  mode = prepare_mode(c.idmap(), dir, mode, mode, mode);
  return inode_ops::mknod(c.idmap(), dir, c.target(), mode, dev);
}

Status link_locked(creation& c, dentry& old) {
  inode& dir = c.dir();
  assume_locked(dir);
  inode* source = old.inode_ptr();
  if (!source) return Error(ENOENT);
  inode& i = *source;
  if (Status s = may_create(c.idmap(), dir, c.target()); !s.ok()) return s;
  if (dir.i_sb != i.i_sb) return Error(EXDEV);
  if (i.i_flags & (s_append | s_immutable)) return Error(EPERM);
  if (!dir.i_op->link) return Error(EPERM);
  if (i.is_dir()) return Error(EPERM);
  const uint32_t max_links = dir.i_sb->s_max_links;
  exclusive_guard g(i.i_rwsem);
  const bool unlinked = i.i_nlink == 0;
  if (unlinked && !(i.i_state & i_linkable)) return Error(ENOENT);
  if (max_links && i.i_nlink >= max_links) return Error(EMLINK);
  if (Status s = inode_ops::link(old, dir, c.target()); !s.ok()) return s;
  if (i.i_state & i_linkable) {
    exclusive_guard l(i.i_lock);
    i.i_state = i.i_state & ~i_linkable;
  }
  return {};
}

}  // namespace

Status sys_mkdir(task& t, at where, std::string_view name, umode_t mode) {
  task_scope scope(t);
  operation_scope op("mkdir", name);
  creation c;
  if (Status s = c.begin(where, name, lookup_directory); !s.ok()) return s;
  inode& dir = c.dir();
  assume_locked(dir);
  if (Status s = may_create(c.idmap(), dir, c.target()); !s.ok()) return s;
  if (!dir.i_op->mkdir) return Error(EPERM);
  mode = prepare_mode(c.idmap(), dir, mode | S_IFDIR, 01777, S_IFDIR);
  if (dir.i_sb->s_max_links && dir.i_nlink >= dir.i_sb->s_max_links) return Error(EMLINK);
  return inode_ops::mkdir(c.idmap(), dir, c.target(), mode);
}

Status sys_mknod(task& t, at where, std::string_view name, umode_t mode, dev_t dev) {
  task_scope scope(t);
  operation_scope op("mknod", name);
  if (Status s = valid_node_type(mode); !s.ok()) return s;
  creation c;
  if (Status s = c.begin(where, name, 0); !s.ok()) return s;
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return create_regular(c, mode);
    case S_IFCHR:
    case S_IFBLK:
      return create_node(c, mode, dev);
    default:
      return create_node(c, mode, 0);
  }
}

Status sys_symlink(task& t, std::string_view target, at where, std::string_view name) {
  task_scope scope(t);
  operation_scope op("symlink", target, name);
  if (target.empty()) return Error(ENOENT);
  if (target.size() >= path_max) return Error(ENAMETOOLONG);
  if (target.find('\0') != std::string_view::npos) return Error(EINVAL);
  creation c;
  if (Status s = c.begin(where, name, 0); !s.ok()) return s;
  inode& dir = c.dir();
  assume_locked(dir);
  if (Status s = may_create(c.idmap(), dir, c.target()); !s.ok()) return s;
  if (!dir.i_op->symlink) return Error(EPERM);
  return inode_ops::symlink(c.idmap(), dir, c.target(), target);
}

Status sys_link(task& t, at from, std::string_view old_name, at to, std::string_view new_name,
                int at_flags) {
  task_scope scope(t);
  operation_scope op("link", old_name, new_name);
  if (at_flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return Error(EINVAL);
  unsigned flags = at_flags & AT_SYMLINK_FOLLOW ? lookup_follow : 0;
  if (at_flags & AT_EMPTY_PATH) {
    // A descriptor could have been passed on by somebody who can reach the file to somebody who
    // can't; a path that the caller holds is that caller's own.
    if (!from.base && !capable(capability::dac_read_search)) return Error(ENOENT);
    flags |= lookup_empty;
  }
  Result<path_ref> old = filename_lookup(from, old_name, flags);
  if (!old.ok()) return old.error();
  creation c;
  if (Status s = c.begin(to, new_name, 0); !s.ok()) return s;
  if (c.parent().mnt != (*old)->mnt) return Error(EXDEV);
  return link_locked(c, *(*old)->dent);
}

HF_NAMESPACE_END
