// SPDX-License-Identifier: Apache-2.0
//
// read and write in their plain, positioned and vectored forms, for descriptors and for doors.
//
// 1. The plain forms move f_pos, under f_pos_lock where somebody else could be moving it too.
// 2. A write of a regular file runs inside sb_start_write. What O_DSYNC or O_SYNC (or a synchronous
//    mount) promises is done after it: the range just written is flushed before the call returns.
// 3. A single buffer needs no memory: the iov_iter and the kiocb lie on the stack.
#include <climits>

#include "ops/internal.h"
#include "ops/position.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr int iov_max = 1024;  // segments

enum class direction : uint8_t { in, out };

unsigned iocb_flags_of(const file& f) {
  const unsigned o = f.f_flags;
  unsigned flags = 0;
  if (o & O_APPEND) flags |= iocb_append;
  if (o & O_DIRECT) flags |= iocb_direct;
  if ((o & O_DSYNC) || (f.f_inode->i_flags & s_sync) || (f.f_inode->i_sb->s_flags & sb_synchronous))
    flags |= iocb_dsync;
  if ((o & O_SYNC) == O_SYNC) flags |= iocb_sync;
  return flags;
}

Status verify_area(loff_t pos, size_t count) {
  if (static_cast<ssize_t>(count) < 0) return Error(EINVAL);
  if (pos < 0) return Error(EINVAL);
  return {};
}

// A method that takes one buffer and a position, fed segment by segment.
template <class Call>
Result<size_t> each_segment(iov_iter& it, loff_t& pos, Call&& call) {
  size_t total = 0;
  while (it.count) {
    size_t n = it.iov->iov_len - it.iov_offset;
    if (n > it.count) n = it.count;
    if (n == 0) {
      ++it.iov;
      --it.nr_segs;
      it.iov_offset = 0;
      continue;
    }
    Result<size_t> r = call(static_cast<char*>(it.iov->iov_base) + it.iov_offset, n, pos);
    if (!r.ok()) return total ? Result<size_t>(total) : r;
    total += *r;
    iov_iter_advance(it, *r);
    if (*r < n) break;
  }
  return total;
}

Result<size_t> do_read(file& f, iov_iter& to, loff_t& pos) {
  if (!(f.f_mode & fmode_read)) return Error(EBADF);
  if (f.f_inode->is_dir()) return Error(EISDIR);
  if (Status s = verify_area(pos, to.count); !s.ok()) return s.error();
  iov_iter_truncate(to, max_rw_count);
  if (f.f_op->read)
    return each_segment(to, pos, [&](char* p, size_t n, loff_t& at_pos) {
      return file_ops::read(f, p, n, at_pos);
    });
  kiocb iocb;
  iocb.ki_filp = &f;
  iocb.ki_pos = pos;
  iocb.ki_flags = iocb_flags_of(f);
  Result<size_t> r = file_ops::read_iter(iocb, to);
  pos = iocb.ki_pos;
  return r;
}

Result<size_t> do_write(file& f, iov_iter& from, loff_t& pos) {
  if (!(f.f_mode & fmode_write)) return Error(EBADF);
  if (Status s = verify_area(pos, from.count); !s.ok()) return s.error();
  iov_iter_truncate(from, max_rw_count);
  file_write_scope w(f);
  if (f.f_op->write) {
    return each_segment(from, pos, [&](const char* p, size_t n, loff_t& at_pos) {
      return file_ops::write(f, p, n, at_pos);
    });
  }
  kiocb iocb;
  iocb.ki_filp = &f;
  iocb.ki_pos = pos;
  iocb.ki_flags = iocb_flags_of(f);
  Result<size_t> r = file_ops::write_iter(iocb, from);
  pos = iocb.ki_pos;
  if ((iocb.ki_flags & iocb_dsync) && r.ok() && *r > 0) [[unlikely]] {
    const loff_t end = iocb.ki_pos - 1;
    const loff_t start = iocb.ki_pos - static_cast<loff_t>(*r);
    if (f.f_op->fsync) {
      if (Status s = fsync_range(f, start, end, !(iocb.ki_flags & iocb_sync)); !s.ok())
        return s.error();
    }
  }
  return r;
}

// The bytes that `iov` asks for, capped. Error EINVAL: too many segments, or one longer than
// SSIZE_MAX.
Result<size_t> total_length(const iovec* iov, int n) {
  if (n < 0 || n > iov_max) return Error(EINVAL);
  size_t total = 0;
  for (int k = 0; k < n; ++k) {
    const size_t len = iov[k].iov_len;
    if (static_cast<ssize_t>(len) < 0) return Error(EINVAL);
    total = len > max_rw_count - total ? max_rw_count : total + len;
  }
  return total;
}

template <direction D>
Result<size_t> transfer(file& f, iov_iter& it, loff_t& pos) {
  if constexpr (D == direction::in)
    return do_read(f, it, pos);
  else
    return do_write(f, it, pos);
}

// At the file's own position.
template <direction D>
Result<size_t> at_own_position(task& t, file& f, iov_iter& it) {
  position_scope lock(t, f);
  loff_t pos = f.f_pos;
  Result<size_t> r = transfer<D>(f, it, pos);
  if (r.ok()) f.f_pos = pos;
  return r;
}

template <direction D>
Result<size_t> at_position(task& t, int fd, iov_iter& it, loff_t pos) {
  if (pos < 0) return Error(EINVAL);
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  if (!(f->f_mode & (D == direction::in ? fmode_pread : fmode_pwrite))) return Error(ESPIPE);
  return transfer<D>(*f, it, pos);
}

template <direction D>
Result<size_t> vectored(task& t, int fd, const iovec* iov, int n) {
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  Result<size_t> total = total_length(iov, n);
  if (!total.ok()) return total.error();
  iov_iter it(iov, static_cast<size_t>(n), *total);
  return at_own_position<D>(t, *f, it);
}

template <direction D>
Result<size_t> vectored_at(task& t, int fd, const iovec* iov, int n, loff_t pos) {
  if (pos < 0) return Error(EINVAL);
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  if (!(f->f_mode & (D == direction::in ? fmode_pread : fmode_pwrite))) return Error(ESPIPE);
  Result<size_t> total = total_length(iov, n);
  if (!total.ok()) return total.error();
  iov_iter it(iov, static_cast<size_t>(n), *total);
  return transfer<D>(*f, it, pos);
}

// A write only reads from the buffer; iovec knows one kind of pointer.
void* source(const void* buf) {
  return const_cast<void*>(buf);
}

}  // namespace

Result<size_t> sys_read(task& t, int fd, void* buf, size_t count) {
  task_scope scope(t);
  operation_scope op("read", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  iov_iter it(buf, count);
  return at_own_position<direction::in>(t, *f, it);
}

Result<size_t> sys_write(task& t, int fd, const void* buf, size_t count) {
  task_scope scope(t);
  operation_scope op("write", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  iov_iter it(source(buf), count);
  return at_own_position<direction::out>(t, *f, it);
}

Result<size_t> sys_pread(task& t, int fd, void* buf, size_t count, loff_t pos) {
  task_scope scope(t);
  operation_scope op("pread", fd_text(fd).view());
  iov_iter it(buf, count);
  return at_position<direction::in>(t, fd, it, pos);
}

Result<size_t> sys_pwrite(task& t, int fd, const void* buf, size_t count, loff_t pos) {
  task_scope scope(t);
  operation_scope op("pwrite", fd_text(fd).view());
  iov_iter it(source(buf), count);
  return at_position<direction::out>(t, fd, it, pos);
}

Result<size_t> sys_readv(task& t, int fd, const iovec* iov, int n) {
  task_scope scope(t);
  operation_scope op("readv", fd_text(fd).view());
  return vectored<direction::in>(t, fd, iov, n);
}

Result<size_t> sys_writev(task& t, int fd, const iovec* iov, int n) {
  task_scope scope(t);
  operation_scope op("writev", fd_text(fd).view());
  return vectored<direction::out>(t, fd, iov, n);
}

Result<size_t> sys_preadv(task& t, int fd, const iovec* iov, int n, loff_t pos) {
  task_scope scope(t);
  operation_scope op("preadv", fd_text(fd).view());
  return vectored_at<direction::in>(t, fd, iov, n, pos);
}

Result<size_t> sys_pwritev(task& t, int fd, const iovec* iov, int n, loff_t pos) {
  task_scope scope(t);
  operation_scope op("pwritev", fd_text(fd).view());
  return vectored_at<direction::out>(t, fd, iov, n, pos);
}

Result<size_t> vfs_read(task& t, file& f, iov_iter& to, loff_t pos) {
  task_scope scope(t);
  operation_scope op("read");
  return do_read(f, to, pos);
}

Result<size_t> vfs_write(task& t, file& f, iov_iter& from, loff_t pos) {
  task_scope scope(t);
  operation_scope op("write");
  return do_write(f, from, pos);
}

HF_NAMESPACE_END
