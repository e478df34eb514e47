// SPDX-License-Identifier: Apache-2.0
//
// fallocate(2): which requests make sense, before the file system is asked.
#include <linux/falloc.h>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr int known_modes = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
                            FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;

Status check_mode_bits(int mode) {
  if (mode & ~known_modes) return Error(EOPNOTSUPP);
  const bool punch = mode & FALLOC_FL_PUNCH_HOLE;
  if (punch && (mode & FALLOC_FL_ZERO_RANGE)) return Error(EOPNOTSUPP);
  if (punch && !(mode & FALLOC_FL_KEEP_SIZE)) return Error(EOPNOTSUPP);
  auto alone = [mode](int bit, int with) { return !(mode & bit) || !(mode & ~(bit | with)); };
  if (!alone(FALLOC_FL_COLLAPSE_RANGE, 0)) return Error(EINVAL);
  if (!alone(FALLOC_FL_INSERT_RANGE, 0)) return Error(EINVAL);
  if (!alone(FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_KEEP_SIZE)) return Error(EINVAL);
  return {};
}

Status allocate(file& f, int mode, loff_t offset, loff_t len) {
  inode& i = *f.f_inode;
  if (offset < 0 || len <= 0) return Error(EINVAL);
  if (Status s = check_mode_bits(mode); !s.ok()) return s;
  if (!(f.f_mode & fmode_write)) return Error(EBADF);
  if ((mode & ~FALLOC_FL_KEEP_SIZE) && (i.i_flags & s_append)) return Error(EPERM);
  if (i.i_flags & s_immutable) return Error(EPERM);
  if (i.i_flags & s_swapfile) return Error(ETXTBSY);
  const umode_t type = i.i_mode & S_IFMT;
  if (type == S_IFIFO) return Error(ESPIPE);
  if (type == S_IFDIR) return Error(EISDIR);
  if (type != S_IFREG && type != S_IFBLK) return Error(ENODEV);
  if (len > max_lfs_filesize - offset || offset + len > i.i_sb->s_maxbytes) return Error(EFBIG);
  if (!f.f_op->fallocate) return Error(EOPNOTSUPP);
  file_write_scope w(f);
  return file_ops::fallocate(f, mode, offset, len);
}

}  // namespace

Status sys_fallocate(task& t, int fd, int mode, loff_t offset, loff_t len) {
  task_scope scope(t);
  operation_scope op("fallocate", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  return allocate(*f, mode, offset, len);
}

Status vfs_fallocate(task& t, file& f, int mode, loff_t offset, loff_t len) {
  task_scope scope(t);
  operation_scope op("fallocate");
  return allocate(f, mode, offset, len);
}

HF_NAMESPACE_END
