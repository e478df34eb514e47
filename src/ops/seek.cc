// SPDX-License-Identifier: Apache-2.0
//
// lseek(2). What an offset means is the file system's: ->llseek does its own locking.
#include "ops/internal.h"
#include "ops/position.h"

HF_NAMESPACE_BEGIN

namespace {

Result<loff_t> seek(file& f, loff_t offset, int whence) {
  if (!(f.f_mode & fmode_lseek)) return Error(ESPIPE);
  return file_ops::llseek(f, offset, whence);
}

}  // namespace

Result<loff_t> sys_lseek(task& t, int fd, loff_t offset, int whence) {
  task_scope scope(t);
  operation_scope op("lseek", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  if (whence < 0 || whence > SEEK_HOLE) return Error(EINVAL);
  position_scope lock(t, *f);
  return seek(*f, offset, whence);
}

Result<loff_t> vfs_llseek(task& t, file& f, loff_t offset, int whence) {
  task_scope scope(t);
  operation_scope op("lseek");
  return seek(f, offset, whence);
}

HF_NAMESPACE_END
