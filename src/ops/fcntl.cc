// SPDX-License-Identifier: Apache-2.0
//
// Descriptors that stand for one open file, and the flags of an open file that may change.
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr unsigned changeable = O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT | O_NOATIME;

// A counted file, given back unless it was handed on.
class file_ref {
 public:
  explicit file_ref(file* f) : f_(f) {}
  ~file_ref() { fput(f_); }
  file_ref(const file_ref&) = delete;
  file_ref& operator=(const file_ref&) = delete;
  file* get() const { return f_; }
  file* release() {
    file* f = f_;
    f_ = nullptr;
    return f;
  }

 private:
  file* f_;
};

Status set_flags(file& f, unsigned arg) {
  inode& i = *f.f_inode;
  const unsigned old = f.f_flags;
  if (((arg ^ old) & O_APPEND) && (i.i_flags & s_append)) return Error(EPERM);
  if ((arg & O_NOATIME) && !(old & O_NOATIME) && !inode_owner_or_capable(*f.f_path.mnt->idmap, i))
    return Error(EPERM);
  // For a FIFO the bit means packet mode, which is another matter.
  if (!S_ISFIFO(i.i_mode) && (arg & O_DIRECT) && !(f.f_mode & fmode_can_odirect))
    return Error(EINVAL);
  if (Status s = file_ops::check_flags(f, static_cast<int>(arg)); !s.ok()) return s;
  exclusive_guard g(f.f_lock);
  f.f_flags = (arg & changeable) | (f.f_flags & ~changeable);
  return {};
}

}  // namespace

Result<int> sys_dup(task& t, int fd, int min_fd, bool cloexec) {
  task_scope scope(t);
  operation_scope op("dup", fd_text(fd).view());
  Result<file*> f = fget_raw(t, fd);
  if (!f.ok()) return f.error();
  file_ref ref(*f);
  if (min_fd < 0 || static_cast<unsigned>(min_fd) >= t.files.max_open) return Error(EINVAL);
  Result<int> slot = get_unused_fd(t, static_cast<unsigned>(min_fd), cloexec);
  if (!slot.ok()) return slot.error();
  fd_install(t, *slot, ref.release());
  return *slot;
}

// dup2(2), and with `cloexec` dup3(2): the latter refuses equal descriptors.
Result<int> sys_dup2(task& t, int oldfd, int newfd, bool cloexec) {
  task_scope scope(t);
  operation_scope op("dup2", fd_text(oldfd).view(), fd_text(newfd).view());
  if (oldfd == newfd && cloexec) return Error(EINVAL);
  Result<file*> f = fget_raw(t, oldfd);
  if (!f.ok()) return f.error();
  file_ref ref(*f);
  if (oldfd == newfd) return newfd;
  if (newfd < 0 || static_cast<unsigned>(newfd) >= t.files.max_open) return Error(EBADF);
  Result<file*> replaced = replace_fd(t, newfd, ref.get(), cloexec);
  if (!replaced.ok()) return replaced.error();
  static_cast<void>(ref.release());
  // What the old file's close has to say is lost, as dup2(2) warns.
  if (*replaced) static_cast<void>(filp_close(*replaced));
  return newfd;
}

Result<int> sys_fcntl_getfl(task& t, int fd) {
  task_scope scope(t);
  operation_scope op("fcntl", fd_text(fd).view());
  fd_ref f(t, fd, true);
  if (!f) return Error(EBADF);
  return static_cast<int>(f->f_flags);
}

Status sys_fcntl_setfl(task& t, int fd, int flags) {
  task_scope scope(t);
  operation_scope op("fcntl", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return set_flags(*f, static_cast<unsigned>(flags));
}

HF_NAMESPACE_END
