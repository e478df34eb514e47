// SPDX-License-Identifier: Apache-2.0
//
// open(2) from the walk to the open file.
//
// 1. The last component without O_CREAT is walked like any other. With O_CREAT it is looked up
//    under the parent's i_rwsem, exclusively, unless the cache has it positive and O_EXCL isn't
//    asked.
// 2. Write access to the mount is taken before i_rwsem, kept for the creation, and taken again for
//    the file.
// 3. What ->atomic_open opened is not opened again; what it created is not checked for permission
//    again.
#include "core/dispatch/dentry_ops.h"
#include "namei/nameidata.h"
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

struct open_request {
  int flags;
  umode_t mode;
  unsigned acc_mode;  // may_*
  unsigned intent;    // lookup_open, lookup_create, lookup_excl
};

unsigned acc_mode_of(int flags) {
  if (flags & O_PATH) return 0;
  unsigned acc = 0;
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      acc = may_read;
      break;
    case O_WRONLY:
      acc = may_write;
      break;
    default:
      acc = may_read | may_write;
      break;
  }
  if (flags & O_TRUNC) acc |= may_write;
  if (flags & O_APPEND) acc |= may_append;
  return acc | may_open;
}

// Errors in the kernel's order.
Status check_open(const path& p, unsigned acc_mode, int flags) {
  inode* i = p.dent->inode_ptr();
  if (!i) return Error(ENOENT);
  const mnt_idmap& idmap = *p.mnt->idmap;
  switch (i->i_mode & S_IFMT) {
    case S_IFLNK:
      return Error(ELOOP);
    case S_IFDIR:
      if (acc_mode & may_write) return Error(EISDIR);
      if (acc_mode & may_exec) return Error(EACCES);
      break;
    case S_IFBLK:
    case S_IFCHR:
      if ((p.mnt->mnt_flags & mnt_nodev) || (i->i_sb->s_flags & sb_nodev)) return Error(EACCES);
      flags &= ~O_TRUNC;
      break;
    case S_IFIFO:
    case S_IFSOCK:
      if (acc_mode & may_exec) return Error(EACCES);
      flags &= ~O_TRUNC;
      break;
    default:
      break;
  }
  HF_TRY(inode_permission(idmap, *i, may_open | acc_mode));
  if (i->i_flags & s_append) {
    if ((flags & O_ACCMODE) != O_RDONLY && !(flags & O_APPEND)) return Error(EPERM);
    if (flags & O_TRUNC) return Error(EPERM);
  }
  if ((flags & O_NOATIME) && !inode_owner_or_capable(idmap, *i)) return Error(EPERM);
  return {};
}

Status truncate_opened(file& f) {
  inode& i = *f.f_inode;
  HF_TRY(get_write_access(i));
  iattr attr;
  attr.ia_valid = attr_size | attr_mtime | attr_ctime | attr_open | attr_file;
  attr.ia_file = &f;
  Status st;
  {
    exclusive_guard g(i.i_rwsem);
    attr.ia_valid |= should_drop_suidgid(*f.f_path.mnt->idmap, i);
    if (attr.ia_valid & (attr_kill_suid | attr_kill_sgid)) attr.ia_valid |= attr_force;
    st = change_attributes(*f.f_path.mnt->idmap, *f.f_path.dent, attr);
  }
  put_write_access(i);
  return st;
}

Status may_o_create(const path& dir, umode_t) {
  return inode_permission(*dir.mnt->idmap, *dir.dent->inode_ptr(), may_write | may_exec);
}

// Under the parent's i_rwsem: exclusive if O_CREAT is asked. The dentry is referenced; with
// fmode_opened in the file's mode it is open already.
Result<dentry*> lookup_or_create(nameidata& nd, file& f, open_request& rq,
                                 Status got_write) HF_NO_THREAD_SAFETY_ANALYSIS {
  dentry& parent = *nd.p.dent;
  inode& dir = *parent.inode_ptr();
  if (dir.i_flags & s_dead) return Error(ENOENT);
  dentry* d = nullptr;
  bool fresh = false;
  for (;;) {
    d = d_lookup(parent, nd.last);
    if (!d) {
      HF_TRY_ASSIGN(d, d_alloc_parallel(parent, nd.last));
    }
    fresh = d->d_flags & dcache_par_lookup;
    if (fresh || !(d->d_flags & dcache_op_revalidate)) break;
    Result<bool> valid = dentry_ops::d_revalidate(*d, nd.flags);
    if (valid.ok() && *valid) break;
    if (valid.ok()) d_invalidate(*d);
    dput(d);
    if (!valid.ok()) return valid.error();
  }
  if (!fresh && d->is_positive()) return d;

  auto give_up = [&](int code) -> Error {
    if (fresh) d_lookup_done(*d);
    dput(d);
    return Error(code);
  };
  int flags = rq.flags;
  int create_error = 0;
  umode_t mode = rq.mode;
  if (flags & O_CREAT) {
    if (flags & O_EXCL) flags &= ~O_TRUNC;
    mode = prepare_mode(*nd.p.mnt->idmap, dir, mode, 07777, S_IFREG);
    if (!got_write.ok())
      create_error = EROFS;
    else if (Status st = may_o_create(nd.p, mode); !st.ok())
      create_error = st.code();
  }
  if (create_error) flags &= ~O_CREAT;
  if (dir.i_op->atomic_open) {
    if (nd.flags & lookup_directory) flags |= O_DIRECTORY;
    f.f_path = {nd.p.mnt, d};  // borrowed until the file counts as open
    Status st = inode_ops::atomic_open(dir, *d, f, static_cast<unsigned>(flags), mode);
    if (fresh) d_lookup_done(*d);
    if (!(f.f_mode & fmode_opened)) f.f_path = {};
    if (!st.ok()) {
      if (create_error && st.code() == ENOENT) st = Error(create_error);
      dput(d);
      return st.error();
    }
    if (f.f_mode & fmode_opened) return d;
    if (auto* other = static_cast<dentry*>(f.private_data)) {  // what finish_no_open() left
      f.private_data = nullptr;
      if (other != d) {
        dput(d);
        d = other;
      }
    }
    if (d->is_negative() && create_error) return give_up(create_error);
    return d;
  }
  if (fresh) {
    Result<dentry*> other = inode_ops::lookup(dir, *d, nd.flags);
    d_lookup_done(*d);
    fresh = false;
    if (!other.ok()) return give_up(other.code());
    if (*other) {
      dput(d);
      d = *other;
    }
  }
  if (d->is_negative() && (flags & O_CREAT)) {
    f.f_mode |= fmode_created;
    Status st = inode_ops::create(*nd.p.mnt->idmap, dir, *d, mode, flags & O_EXCL);
    if (!st.ok()) return give_up(st.code());
  } else if (d->is_negative() && create_error) {
    return give_up(create_error);
  }
  return d;
}

Status open_last(nameidata& nd, file& f, open_request& rq,
                 bool& link) HF_NO_THREAD_SAFETY_ANALYSIS {
  nd.flags |= rq.intent;
  if (nd.type != last_type::norm) {
    if (nd.depth) nd.put_link();
    return nd.handle_dots(nd.type);
  }
  const bool creating = rq.flags & O_CREAT;
  if (!creating && nd.trailing_slash) nd.flags |= lookup_follow | lookup_directory;
  dentry* d = nullptr;
  if (!creating || (!(rq.flags & O_EXCL) && !nd.trailing_slash)) {
    HF_TRY(nd.lookup_fast(d));
    if (d && creating && d->is_negative()) {
      if (!nd.rcu()) dput(d);
      d = nullptr;
    }
  }
  if (!d) {
    if (nd.rcu() && !nd.unlazy()) return Error(ECHILD);
    if (creating && nd.trailing_slash) return Error(EISDIR);
    Status got_write = Error(EROFS);
    vfsmount* mnt = nd.p.mnt;
    if (rq.flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) got_write = mnt_want_write(*mnt);
    inode& dir = *nd.p.dent->inode_ptr();
    Result<dentry*> r = Error(EIO);
    if (creating) {
      dir.i_rwsem.lock(nest::parent);
      r = lookup_or_create(nd, f, rq, got_write);
      dir.i_rwsem.unlock();
    } else {
      dir.i_rwsem.lock_shared();
      r = lookup_or_create(nd, f, rq, got_write);
      dir.i_rwsem.unlock_shared();
    }
    if (got_write.ok()) mnt_drop_write(*mnt);
    if (!r.ok()) return r.error();
    d = *r;
    if (f.f_mode & (fmode_opened | fmode_created)) {
      dput(nd.p.dent);
      nd.p.dent = d;
      nd.ino = d->inode_ptr();
      return {};
    }
  }
  if (nd.depth) nd.put_link();
  HF_TRY(nd.step_into(d, walk_trailing, link));
  if (link) nd.flags &= ~(lookup_open | lookup_create | lookup_excl);
  return {};
}

// O_CREAT of a name in a sticky directory that everybody may write finds what somebody else put
// there: a trap for who thinks the file is new. Devices and sockets alone are refused; for regular
// files and FIFOs that is a sysctl of the kernel's (fs.protected_regular, fs.protected_fifos) which
// is off unless somebody sets it.
bool forbidden_in_sticky(const path& p) {
  const inode& i = *p.dent->inode_ptr();
  const umode_t type = i.i_mode & S_IFMT;
  if (type == S_IFREG || type == S_IFIFO) return false;
  dentry_ref parent(dget_parent(*p.dent));
  const inode& dir = *parent->inode_ptr();
  if (!(dir.i_mode & S_ISVTX) || !(dir.i_mode & S_IWOTH)) return false;
  return i.i_uid != dir.i_uid && p.mnt->idmap->from_fs(i.i_uid) != current_cred().fsuid;
}

Status open_found(nameidata& nd, file& f, open_request& rq) {
  int flags = rq.flags;
  unsigned acc = rq.acc_mode;
  if (!(f.f_mode & (fmode_opened | fmode_created))) HF_TRY(nd.complete());
  const bool created = f.f_mode & fmode_created;
  if (flags & O_CREAT) {
    if ((flags & O_EXCL) && !created) return Error(EEXIST);
    if (nd.p.dent->is_dir()) return Error(EISDIR);
    if (!created && forbidden_in_sticky(nd.p)) return Error(EACCES);
  }
  if ((nd.flags & lookup_directory) && !nd.p.dent->is_dir()) return Error(ENOTDIR);
  bool truncate = false;
  if (created) {
    flags &= ~O_TRUNC;
    acc = 0;
  } else if (nd.p.dent->inode_ptr()->is_reg() && (flags & O_TRUNC)) {
    HF_TRY(mnt_want_write(*nd.p.mnt));
    truncate = true;
  }
  Status st = created ? Status{} : check_open(nd.p, acc, flags);
  if (st.ok() && !(f.f_mode & fmode_opened)) st = do_dentry_open(f, nd.p);
  if (st.ok() && truncate) st = truncate_opened(f);
  if (truncate) mnt_drop_write(*nd.p.mnt);
  return st;
}

Status open_tmpfile(nameidata& nd, file& f, open_request& rq, unsigned mode_flags) {
  HF_TRY(path_lookupat(nd, mode_flags | lookup_directory));
  HF_TRY(mnt_want_write(*nd.p.mnt));
  inode& dir = *nd.p.dent->inode_ptr();
  const mnt_idmap& idmap = *nd.p.mnt->idmap;
  Status st = inode_permission(idmap, dir, may_write | may_exec);
  if (st.ok() && !dir.i_op->tmpfile) st = Error(EOPNOTSUPP);
  dentry* d = nullptr;
  if (st.ok()) {
    d = d_alloc(*nd.p.dent, "/");
    if (!d) st = Error(ENOMEM);
  }
  if (st.ok()) {
    f.f_path = {nd.p.mnt, d};  // borrowed; do_dentry_open takes its own references
    umode_t mode = prepare_mode(idmap, dir, rq.mode, 07777, S_IFREG);
    st = inode_ops::tmpfile(idmap, dir, f, mode);
    if (!(f.f_mode & fmode_opened)) {
      f.f_path = {};
      if (st.ok() && d->inode_ptr()) st = do_dentry_open(f, {nd.p.mnt, d});
    }
    if (st.ok() && !(rq.flags & O_EXCL)) {
      inode& i = *d->inode_ptr();
      exclusive_guard g(i.i_lock);
      i.i_state = i.i_state | i_linkable;
    }
  }
  dput(d);
  mnt_drop_write(*nd.p.mnt);
  return st;
}

Status attempt_open(nameidata& nd, file& f, open_request& rq, unsigned mode_flags) {
  if ((rq.flags & O_TMPFILE) == O_TMPFILE) return open_tmpfile(nd, f, rq, mode_flags);
  if (rq.flags & O_PATH) {
    HF_TRY(path_lookupat(nd, mode_flags));
    return do_dentry_open(f, nd.p);
  }
  HF_TRY(nd.start(mode_flags));
  for (;;) {
    HF_TRY(nd.link_path_walk());
    bool link = false;
    HF_TRY(open_last(nd, f, rq, link));
    if (!link) break;
  }
  return open_found(nd, f, rq);
}

}  // namespace

Result<file*> do_filp_open(at where, std::string_view name, int flags, umode_t mode) {
  HF_TRY(check_name(name, false));
  open_request rq{flags, mode, acc_mode_of(flags), 0};
  unsigned lookup = lookup_follow;
  if (!(flags & O_PATH)) rq.intent = lookup_open;
  if (flags & O_CREAT) {
    rq.intent |= lookup_create;
    if (flags & O_EXCL) {
      rq.intent |= lookup_excl;
      lookup &= ~lookup_follow;
    }
  }
  if (flags & O_NOFOLLOW) lookup &= ~lookup_follow;
  if (flags & O_DIRECTORY) lookup |= lookup_directory;
  file* f = alloc_empty_file(flags, current_cred());
  if (!f) return Error(ENFILE);
  Status st = walk_modes(lookup, [&](unsigned walk_flags) {
    nameidata nd(current(), where, name);
    Status s = attempt_open(nd, *f, rq, walk_flags);
    nd.terminate();
    return s;
  });
  if (!st.ok()) {
    fput(f);
    return st.error();
  }
  return f;
}

Result<file*> file_open_path(task& t, const path& p, int flags) {
  task_scope scope(t);
  operation_scope op("open", "");
  flags &= ~(O_CREAT | O_EXCL);
  if (p.dent->is_negative()) return Error(ENOENT);
  if ((flags & O_DIRECTORY) && !p.dent->is_dir()) return Error(ENOTDIR);
  file* f = alloc_empty_file(flags, current_cred());
  if (!f) return Error(ENFILE);
  const bool truncate = (flags & O_TRUNC) && p.dent->inode_ptr()->is_reg();
  Status st;
  if (truncate) st = mnt_want_write(*p.mnt);
  if (st.ok()) {
    st = check_open(p, acc_mode_of(flags), flags);
    if (st.ok()) st = do_dentry_open(*f, p);
    if (st.ok() && truncate) st = truncate_opened(*f);
    if (truncate) mnt_drop_write(*p.mnt);
  }
  if (!st.ok()) {
    fput(f);
    return st.error();
  }
  return f;
}

HF_NAMESPACE_END
