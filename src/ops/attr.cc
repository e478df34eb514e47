// SPDX-License-Identifier: Apache-2.0
//
// Changing attributes: chmod, chown, utimensat, truncate, and a door's combined request.
//
// 1. Every change ends in change_attributes() under i_rwsem, after mnt_want_write.
// 2. chown and changes of data strip set-id bits (and only then, never together with an explicit
//    mode).
// 3. ->setattr validates (setattr_prepare) before it applies anything.
#include <linux/stat.h>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr umode_t all_perms = 07777;
constexpr unsigned time_bits =
    attr_atime | attr_mtime | attr_atime_set | attr_mtime_set | attr_touch | attr_times_set;

Result<path_ref> lookup_target(at where, std::string_view name, int at_flags, bool follow) {
  if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return Error(EINVAL);
  unsigned flags = follow && !(at_flags & AT_SYMLINK_NOFOLLOW) ? lookup_follow : 0;
  if (at_flags & AT_EMPTY_PATH) flags |= lookup_empty;
  return filename_lookup(where, name, flags);
}

Status change_locked(const path& p, iattr& attr) {
  inode& i = *p.dent->inode_ptr();
  exclusive_guard g(i.i_rwsem);
  return change_attributes(*p.mnt->idmap, *p.dent, attr);
}

Status chmod_common(const path& p, umode_t mode) {
  write_access w(*p.mnt);
  if (!w.ok()) return w.error();
  inode& i = *p.dent->inode_ptr();
  exclusive_guard g(i.i_rwsem);
  iattr attr;
  attr.ia_valid = attr_mode | attr_ctime;
  attr.ia_mode = (mode & all_perms) | (i.i_mode & ~all_perms);
  return change_attributes(*p.mnt->idmap, *p.dent, attr);
}

Status chown_common(const path& p, uid_t uid, gid_t gid) {
  write_access w(*p.mnt);
  if (!w.ok()) return w.error();
  inode& i = *p.dent->inode_ptr();
  const mnt_idmap& idmap = *p.mnt->idmap;
  iattr attr;
  attr.ia_valid = attr_ctime;
  if (uid != static_cast<uid_t>(-1)) {
    attr.ia_valid |= attr_uid;
    attr.ia_uid = idmap.to_fs(uid);
  }
  if (gid != static_cast<gid_t>(-1)) {
    attr.ia_valid |= attr_gid;
    attr.ia_gid = idmap.to_fs_gid(gid);
  }
  exclusive_guard g(i.i_rwsem);
  if (!i.is_dir()) attr.ia_valid |= attr_kill_suid | attr_kill_priv | should_drop_sgid(idmap, i);
  return change_attributes(idmap, *p.dent, attr);
}

bool nsec_valid(long nsec) {
  return nsec == UTIME_OMIT || nsec == UTIME_NOW || (nsec >= 0 && nsec < 1'000'000'000);
}

Status utimes_common(const path& p, const timespec* times) {
  if (times) {
    if (!nsec_valid(times[0].tv_nsec) || !nsec_valid(times[1].tv_nsec)) return Error(EINVAL);
    if (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW) times = nullptr;
  }
  write_access w(*p.mnt);
  if (!w.ok()) return w.error();
  iattr attr;
  attr.ia_valid = attr_ctime | attr_mtime | attr_atime;
  if (times) {
    if (times[0].tv_nsec == UTIME_OMIT) {
      attr.ia_valid &= ~attr_atime;
    } else if (times[0].tv_nsec != UTIME_NOW) {
      attr.ia_atime = {times[0].tv_sec, times[0].tv_nsec};
      attr.ia_valid |= attr_atime_set;
    }
    if (times[1].tv_nsec == UTIME_OMIT) {
      attr.ia_valid &= ~attr_mtime;
    } else if (times[1].tv_nsec != UTIME_NOW) {
      attr.ia_mtime = {times[1].tv_sec, times[1].tv_nsec};
      attr.ia_valid |= attr_mtime_set;
    }
    // Even "now" for one of the two needs the owner: only "now" for both is what writing does
    // anyway.
    attr.ia_valid |= attr_times_set;
  } else {
    attr.ia_valid |= attr_touch;
  }
  return change_locked(p, attr);
}

bool nothing_to_set(const timespec* times) {
  return times && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT;
}

Status truncate_to(const path& p, loff_t length, unsigned time_attrs, file* f) {
  inode& i = *p.dent->inode_ptr();
  iattr attr;
  attr.ia_valid = attr_size | time_attrs;
  attr.ia_size = length;
  if (f) {
    attr.ia_file = f;
    attr.ia_valid |= attr_file;
  }
  if (!(i.i_flags & s_nosec)) {
    if (unsigned kill = should_drop_suidgid(*p.mnt->idmap, i)) attr.ia_valid |= kill | attr_force;
  }
  return change_locked(p, attr);
}

// Write access to an inode's data, so that nobody can make it executable-only meanwhile.
class data_writer {
 public:
  explicit data_writer(inode& i) : i_(i), status_(get_write_access(i)) {}
  ~data_writer() {
    if (status_.ok()) put_write_access(i_);
  }
  data_writer(const data_writer&) = delete;
  data_writer& operator=(const data_writer&) = delete;
  bool ok() const { return status_.ok(); }
  Error error() const { return status_.error(); }

 private:
  inode& i_;
  Status status_;
};

Status truncatable(const inode& i) {
  if (i.is_dir()) return Error(EISDIR);
  if (!i.is_reg()) return Error(EINVAL);
  return {};
}

Status truncate_path(const path& p, loff_t length) {
  inode& i = *p.dent->inode_ptr();
  if (Status s = truncatable(i); !s.ok()) return s;
  write_access w(*p.mnt);
  if (!w.ok()) return w.error();
  if (Status s = inode_permission(*p.mnt->idmap, i, may_write); !s.ok()) return s;
  if (i.i_flags & s_append) return Error(EPERM);
  data_writer d(i);
  if (!d.ok()) return d.error();
  return truncate_to(p, length, 0, nullptr);
}

Status truncate_file(file& f, loff_t length) {
  inode& i = *f.f_inode;
  if (!i.is_reg() || !(f.f_mode & fmode_write)) return Error(EINVAL);
  if (i.i_flags & s_append) return Error(EPERM);
  file_write_scope w(f);
  return truncate_to(f.f_path, length, attr_mtime | attr_ctime, &f);
}

Status may_set(const mnt_idmap& idmap, inode& i, unsigned valid) {
  const unsigned flags = i.i_flags;
  if (valid & (attr_mode | attr_uid | attr_gid | attr_times_set)) {
    if (flags & (s_immutable | s_append)) return Error(EPERM);
  }
  if (valid & attr_touch) {
    if (flags & s_immutable) return Error(EPERM);
    if (!inode_owner_or_capable(idmap, i)) return inode_permission(idmap, i, may_write);
  }
  return {};
}

// What a combined request implies: times, and set-id bits that go. i_rwsem of the object is held
// exclusively.
Status complete_request(const mnt_idmap& idmap, dentry& d, iattr& attr) {
  inode& i = *d.inode_ptr();
  const unsigned asked = attr.ia_valid;
  attr.ia_valid |= attr_ctime | (asked & attr_size ? attr_mtime : 0);
  // "Now" for both times is what a writer does; anything else is the owner's.
  if ((asked & time_bits) == (attr_atime | attr_mtime))
    attr.ia_valid |= attr_touch;
  else if (asked & (attr_atime | attr_mtime))
    attr.ia_valid |= attr_times_set;
  const bool new_owner = (asked & (attr_uid | attr_gid)) && !i.is_dir();
  if (asked & attr_mode) {
    // An explicit mode decides alone, but a change of owner never leaves set-id bits on a file.
    attr.ia_mode = (attr.ia_mode & all_perms) | (i.i_mode & ~all_perms);
    if (new_owner) {
      attr.ia_mode &= ~static_cast<umode_t>(S_ISUID);
      if (attr.ia_mode & S_IXGRP) attr.ia_mode &= ~static_cast<umode_t>(S_ISGID);
    }
    return {};
  }
  if (new_owner) attr.ia_valid |= attr_kill_suid | should_drop_sgid(idmap, i);
  const unsigned kill = asked & attr_size ? should_drop_suidgid(idmap, i) : 0;
  if (kill) {
    // Who may write may make the bits go, whoever owns the file. That needs attr_force, which skips
    // every check: so the rest of the request is checked before.
    iattr probe = attr;
    if (Status s = setattr_prepare(idmap, d, probe); !s.ok()) return s;
    attr.ia_valid |= kill | attr_force;
  }
  return {};
}

}  // namespace

Status change_attributes(const mnt_idmap& idmap, dentry& d, iattr& attr) {
  inode& i = *d.inode_ptr();
  if (Status s = may_set(idmap, i, attr.ia_valid); !s.ok()) return s;
  if (attr.ia_valid & attr_mode) {
    if (i.is_lnk()) return Error(EOPNOTSUPP);
    if (attr.ia_mode & (S_ISUID | S_ISGID)) i.i_flags = i.i_flags & ~s_nosec;
  }
  const timespec64 now = current_time(i);
  attr.ia_ctime = now;
  if (!(attr.ia_valid & attr_atime_set)) attr.ia_atime = now;
  if (!(attr.ia_valid & attr_mtime_set)) attr.ia_mtime = now;
  // File capabilities are an xattr of a security module, of which there is none.
  attr.ia_valid &= ~attr_kill_priv;
  const umode_t mode = i.i_mode;
  umode_t strip = 0;
  if ((attr.ia_valid & attr_kill_suid) && (mode & S_ISUID)) strip |= S_ISUID;
  if ((attr.ia_valid & attr_kill_sgid) && (mode & S_ISGID)) strip |= S_ISGID;
  if (strip) {
    if (!(attr.ia_valid & attr_mode)) attr.ia_mode = mode;
    attr.ia_mode &= ~strip;
    attr.ia_valid |= attr_mode;
  }
  if (!(attr.ia_valid & ~(attr_kill_suid | attr_kill_sgid))) return {};
  return inode_ops::setattr(idmap, d, attr);
}

Status sys_chmod(task& t, at where, std::string_view name, umode_t mode, int at_flags) {
  task_scope scope(t);
  operation_scope op("chmod", name);
  Result<path_ref> p = lookup_target(where, name, at_flags, true);
  if (!p.ok()) return p.error();
  return chmod_common(**p, mode);
}

Status sys_fchmod(task& t, int fd, umode_t mode) {
  task_scope scope(t);
  operation_scope op("fchmod", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return chmod_common(f->f_path, mode);
}

Status sys_chown(task& t, at where, std::string_view name, uid_t uid, gid_t gid, int at_flags) {
  task_scope scope(t);
  operation_scope op("chown", name);
  Result<path_ref> p = lookup_target(where, name, at_flags, true);
  if (!p.ok()) return p.error();
  return chown_common(**p, uid, gid);
}

Status sys_fchown(task& t, int fd, uid_t uid, gid_t gid) {
  task_scope scope(t);
  operation_scope op("fchown", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return chown_common(f->f_path, uid, gid);
}

Status sys_utimens(task& t, at where, std::string_view name, const timespec* times, int at_flags) {
  task_scope scope(t);
  operation_scope op("utimensat", name);
  if (nothing_to_set(times)) return {};  // not even the path is looked at
  Result<path_ref> p = lookup_target(where, name, at_flags, true);
  if (!p.ok()) return p.error();
  return utimes_common(**p, times);
}

Status sys_futimens(task& t, int fd, const timespec* times) {
  task_scope scope(t);
  operation_scope op("futimens", fd_text(fd).view());
  if (nothing_to_set(times)) return {};
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return utimes_common(f->f_path, times);
}

Status sys_truncate(task& t, at where, std::string_view name, loff_t length) {
  task_scope scope(t);
  operation_scope op("truncate", name);
  if (length < 0) return Error(EINVAL);
  Result<path_ref> p = filename_lookup(where, name, lookup_follow);
  if (!p.ok()) return p.error();
  return truncate_path(**p, length);
}

Status sys_ftruncate(task& t, int fd, loff_t length) {
  task_scope scope(t);
  operation_scope op("ftruncate", fd_text(fd).view());
  if (length < 0) return Error(EINVAL);
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return truncate_file(*f, length);
}

Status sys_setattr(task& t, const path& p, iattr& attr, file* f) {
  task_scope scope(t);
  operation_scope op("setattr");
  inode& i = *p.dent->inode_ptr();
  const mnt_idmap& idmap = *p.mnt->idmap;
  const unsigned asked = attr.ia_valid;
  if (asked & attr_size) {
    if (attr.ia_size < 0) return Error(EINVAL);
    if (Status s = truncatable(i); !s.ok()) return s;
    if (f && !(f->f_mode & fmode_write)) return Error(EINVAL);
  }
  auto valid_time = [](const timespec64& ts) {
    return ts.tv_nsec >= 0 && ts.tv_nsec < 1'000'000'000;
  };
  if ((asked & attr_atime_set) && !valid_time(attr.ia_atime)) return Error(EINVAL);
  if ((asked & attr_mtime_set) && !valid_time(attr.ia_mtime)) return Error(EINVAL);
  write_access w(*p.mnt);
  if (!w.ok()) return w.error();
  bool counted = false;
  if (asked & attr_size) {
    if (!f) {
      if (Status s = inode_permission(idmap, i, may_write); !s.ok()) return s;
    }
    if (i.i_flags & s_append) return Error(EPERM);
    if (!f) {
      if (Status s = get_write_access(i); !s.ok()) return s;
      counted = true;
    } else {
      attr.ia_file = f;
      attr.ia_valid |= attr_file;
    }
  }
  Status s;
  {
    exclusive_guard g(i.i_rwsem);
    s = complete_request(idmap, *p.dent, attr);
    if (s.ok()) s = change_attributes(idmap, *p.dent, attr);
  }
  if (counted) put_write_access(i);
  return s;
}

HF_NAMESPACE_END
