// SPDX-License-Identifier: Apache-2.0
//
// fsync, fdatasync, syncfs.
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

Status fsync_range(file& f, loff_t start, loff_t end, bool datasync) {
  if (!f.f_op->fsync) return Error(EINVAL);
  inode& i = *f.f_inode;
  // Times that were only noted in memory count as metadata that fsync promises.
  if (!datasync && (i.i_state & i_dirty_time)) mark_inode_dirty(i, i_dirty_sync);
  return file_ops::fsync(f, start, end, datasync);
}

Status sys_fsync(task& t, int fd, bool datasync) {
  task_scope scope(t);
  operation_scope op(datasync ? "fdatasync" : "fsync", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return fsync_range(*f, 0, max_lfs_filesize, datasync);
}

Status vfs_fsync(task& t, file& f, loff_t start, loff_t end, bool datasync) {
  task_scope scope(t);
  operation_scope op("fsync");
  return fsync_range(f, start, end, datasync);
}

Status sys_syncfs(task& t, int fd) {
  task_scope scope(t);
  operation_scope op("syncfs", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  super_block& sb = *f->f_inode->i_sb;
  shared_guard g(sb.s_umount);
  return sync_filesystem(sb);
}

HF_NAMESPACE_END
