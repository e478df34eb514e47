// SPDX-License-Identifier: Apache-2.0
//
// The gated side of file_ops.h.
//
// 1. The document binds two locks on entry in this table, both at iterate_shared. The rest of its
//    sentences speak of what happens inside a method; watches listen for that (contract/events.h).
// 2. What the page cache keeps of a punched range is compared at the end of ->fallocate, unless
//    somebody wrote there meanwhile.
#include "core/dispatch/file_ops.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "contract/events.h"
#include "core/dispatch/file_watches.h"

HF_NAMESPACE_BEGIN

namespace file_ops {

namespace {

constexpr uint32_t default_poll_mask = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

// The iocb_* that the file's O_* stand for.
unsigned iocb_flags(const file& f) {
  const unsigned open_flags = f.f_flags;
  unsigned flags = 0;
  if ((open_flags & O_APPEND) != 0) flags |= iocb_append;
  if ((open_flags & O_DIRECT) != 0) flags |= iocb_direct;
  if ((open_flags & O_DSYNC) != 0) flags |= iocb_dsync;
  if ((open_flags & O_SYNC) == O_SYNC) flags |= iocb_dsync | iocb_sync;
  return flags;
}

// One buffer through read_iter or write_iter; `pos` moves by what was transferred.
template <class Transfer>
Result<size_t> by_iter(file& f, void* buffer, size_t count, loff_t& pos, Transfer&& transfer) {
  kiocb iocb{.ki_filp = &f, .ki_pos = pos, .ki_flags = iocb_flags(f)};
  iov_iter data(buffer, count);
  Result<size_t> done = transfer(iocb, data);
  if (done.ok()) pos = iocb.ki_pos;
  return done;
}

}  // namespace

namespace checked {

Result<size_t> read_iter(kiocb& iocb, iov_iter& to) {
  return door::through(method_id::file_read_iter, [&] { return direct::read_iter(iocb, to); });
}

Result<size_t> write_iter(kiocb& iocb, iov_iter& from) {
  return door::through(method_id::file_write_iter, [&] { return direct::write_iter(iocb, from); });
}

}  // namespace checked

Result<loff_t> llseek(file& f, loff_t offset, int whence) {
  if (f.f_op->llseek == nullptr) return Error(ESPIPE);
  return door::through(
      method_id::file_llseek,
      [&](gate& g) {
        // f_pos_lock is about the position, and other files' locks are their business.
        const inode* i = f.f_inode;
        g.require(i == nullptr ||
                      (held_mode(&i->i_rwsem) == held::none && held_mode(&i->i_lock) == held::none),
                  prose::file(2), "a lock of the inode is held");
      },
      [&] { return f.f_op->llseek(f, offset, whence); });
}

Result<size_t> read(file& f, char* buffer, size_t count, loff_t& pos) {
  if (f.f_op->read == nullptr) return by_iter(f, buffer, count, pos, read_iter);
  return door::through(
      method_id::file_read,
      [&](gate& g) {
        g.require(f.f_inode == nullptr || !f.f_inode->is_dir(), prose::file(9),
                  "the file is a directory");
      },
      [&] { return f.f_op->read(f, buffer, count, pos); });
}

Result<size_t> write(file& f, const char* buffer, size_t count, loff_t& pos) {
  // The iterator is the same type for both directions; a write only reads through it.
  if (f.f_op->write == nullptr)
    return by_iter(f, const_cast<char*>(buffer), count, pos, write_iter);
  return door::through(method_id::file_write, [&] { return f.f_op->write(f, buffer, count, pos); });
}

Result<int> iopoll(kiocb& iocb, bool spin) {
  const file_operations& op = *iocb.ki_filp->f_op;
  if (op.iopoll == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::file_iopoll, [&] { return op.iopoll(iocb, spin); });
}

Status iterate_shared(file& f, dir_context& ctx) {
  if (f.f_op->iterate_shared == nullptr) return Error(ENOTDIR);
  return door::through(
      method_id::file_iterate_shared,
      [&](gate& g) {
        g.lock(prose::file(5), f.f_inode->i_rwsem, "directory", requirement_kind::shared);
        g.lock(prose::file(5), f.f_pos_lock, "file", requirement_kind::exclusive);
      },
      [&] { return f.f_op->iterate_shared(f, ctx); });
}

uint32_t poll(file& f, poll_table* table) {
  if (f.f_op->poll == nullptr) return default_poll_mask;
  return door::through(method_id::file_poll, [&] { return f.f_op->poll(f, table); });
}

Result<long> unlocked_ioctl(file& f, unsigned cmd, unsigned long arg) {
  if (f.f_op->unlocked_ioctl == nullptr) return Error(ENOTTY);
  return door::through(method_id::file_unlocked_ioctl,
                       [&] { return f.f_op->unlocked_ioctl(f, cmd, arg); });
}

Result<long> compat_ioctl(file& f, unsigned cmd, unsigned long arg) {
  if (f.f_op->compat_ioctl == nullptr) return Error(ENOTTY);
  return door::through(method_id::file_compat_ioctl,
                       [&] { return f.f_op->compat_ioctl(f, cmd, arg); });
}

Status mmap(file& f, vm_area& vma) {
  if (f.f_op->mmap == nullptr) return Error(ENODEV);
  return door::through(method_id::file_mmap, [&] { return f.f_op->mmap(f, vma); });
}

Status open(inode& i, file& f) {
  if (f.f_op->open == nullptr) return {};
  return door::through(method_id::file_open, [&] { return f.f_op->open(i, f); });
}

Status flush(file& f) {
  if (f.f_op->flush == nullptr) return {};
  return door::through(method_id::file_flush, [&] { return f.f_op->flush(f); });
}

void release(inode& i, file& f) {
  if (f.f_op->release == nullptr) return;
  door::through(method_id::file_release, [&] { f.f_op->release(i, f); });
}

Status fsync(file& f, loff_t start, loff_t end, bool datasync) {
  if (f.f_op->fsync == nullptr) return Error(EINVAL);
  return door::through(method_id::file_fsync,
                       [&] { return f.f_op->fsync(f, start, end, datasync); });
}

Result<int> fasync(int fd, file& f, bool on) {
  if (f.f_op->fasync == nullptr) return 0;
  Result<int> r = door::through(
      method_id::file_fasync, [](gate&) {}, [&] { return f.f_op->fasync(fd, f, on); },
      [&](gate& g, const Result<int>& done) {
        if (!done.ok()) return;
        g.require(((f.f_flags & unsigned{O_ASYNC}) != 0) == on, prose::file(6),
                  "FASYNC in f_flags does not follow the argument");
      });
  if (r.ok() && *r > 0) return 0;
  return r;
}

Result<int> lock(file& f, int cmd, file_lock& fl) {
  if (f.f_op->lock == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::file_lock, [&] { return f.f_op->lock(f, cmd, fl); });
}

Result<unsigned long> get_unmapped_area(file& f, unsigned long addr, unsigned long len,
                                        unsigned long pgoff, unsigned long flags) {
  if (f.f_op->get_unmapped_area == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::file_get_unmapped_area,
                       [&] { return f.f_op->get_unmapped_area(f, addr, len, pgoff, flags); });
}

Status check_flags(file& f, int flags) {
  if (f.f_op->check_flags == nullptr) return {};
  return door::through(method_id::file_check_flags, [&] { return f.f_op->check_flags(flags); });
}

Result<int> flock(file& f, int cmd, file_lock& fl) {
  if (f.f_op->flock == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::file_flock, [&] { return f.f_op->flock(f, cmd, fl); });
}

Result<size_t> splice_write(pipe_inode_info& pipe, file& f, loff_t& pos, size_t len,
                            unsigned flags) {
  if (f.f_op->splice_write == nullptr) return Error(EINVAL);
  return door::through(method_id::file_splice_write,
                       [&] { return f.f_op->splice_write(pipe, f, pos, len, flags); });
}

Result<size_t> splice_read(file& f, loff_t& pos, pipe_inode_info& pipe, size_t len,
                           unsigned flags) {
  if (f.f_op->splice_read == nullptr) return Error(EINVAL);
  return door::through(method_id::file_splice_read,
                       [&] { return f.f_op->splice_read(f, pos, pipe, len, flags); });
}

Status setlease(file& f, int arg, file_lock*& lease, void*& priv) {
  if (f.f_op->setlease == nullptr) return Error(EOPNOTSUPP);
  event_counter recorded(event::generic_setlease, &f);
  return door::through(
      method_id::file_setlease, [](gate&) {}, [&] { return f.f_op->setlease(f, arg, lease, priv); },
      [&](gate& g, const Status& s) {
        if (s.ok())
          g.require(recorded.count() == 1, prose::file(10),
                    recorded.count() == 0 ? "generic_setlease was not called"
                                          : "generic_setlease was called more than once");
      });
}

Status fallocate(file& f, int mode, loff_t offset, loff_t len) {
  if (f.f_op->fallocate == nullptr) return Error(EOPNOTSUPP);
  fallocate_watch watch(f, mode, offset, len);
  return door::through(
      method_id::file_fallocate, [&](gate& g) { watch.listen(g); },
      [&] { return f.f_op->fallocate(f, mode, offset, len); },
      [&](gate& g, const Status& s) { watch.judge(g, s.ok()); });
}

void show_fdinfo(seq_file& m, file& f) {
  if (f.f_op->show_fdinfo == nullptr) return;
  door::through(method_id::file_show_fdinfo, [&] { f.f_op->show_fdinfo(m, f); });
}

unsigned mmap_capabilities(file& f) {
  if (f.f_op->mmap_capabilities == nullptr) return 0;
  return door::through(method_id::file_mmap_capabilities,
                       [&] { return f.f_op->mmap_capabilities(f); });
}

Result<size_t> copy_file_range(file& in, loff_t pos_in, file& out, loff_t pos_out, size_t len,
                               unsigned flags) {
  if (out.f_op->copy_file_range == nullptr) return Error(EOPNOTSUPP);
  copy_watch watch(in, pos_in, out, pos_out, len);
  return door::through(
      method_id::file_copy_file_range, [&](gate& g) { watch.listen(g); },
      [&] { return out.f_op->copy_file_range(in, pos_in, out, pos_out, len, flags); },
      [&](gate& g, const auto&) { watch.judge(g); });
}

Result<loff_t> remap_file_range(file& in, loff_t pos_in, file& out, loff_t pos_out, loff_t len,
                                unsigned flags) {
  if (in.f_op->remap_file_range == nullptr) return Error(EOPNOTSUPP);
  copy_watch watch(in, pos_in, out, pos_out, static_cast<uint64_t>(len));
  return door::through(
      method_id::file_remap_file_range, [&](gate& g) { watch.listen(g); },
      [&] { return in.f_op->remap_file_range(in, pos_in, out, pos_out, len, flags); },
      [&](gate& g, const auto&) { watch.judge(g); });
}

Status fadvise(file& f, loff_t offset, loff_t len, int advice) {
  if (f.f_op->fadvise == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::file_fadvise,
                       [&] { return f.f_op->fadvise(f, offset, len, advice); });
}

}  // namespace file_ops

HF_NAMESPACE_END
