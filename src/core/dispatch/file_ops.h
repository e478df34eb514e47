// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of file_operations (release 6.6; semantics.md 11). The only callers of its methods.
//
// 1. All may block. No lock of the VFS is held but for iterate_shared.
// 2. Which f_op: the file's; for kiocb, ki_filp's; for copy_file_range the output's, for
//    remap_file_range the input's.
// 3. "Null: EOPNOTSUPP; the caller ..." marks methods whose default lies above the core: the caller
//    looks at the pointer and does it.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/file.h"
#include "holdfast/inode.h"
#include "holdfast/iov_iter.h"

HF_NAMESPACE_BEGIN

namespace file_ops {

// One call site each, for the dispatchers below and their checked twins.
namespace direct {
inline Result<size_t> read_iter(kiocb& iocb, iov_iter& to) {
  return iocb.ki_filp->f_op->read_iter(iocb, to);
}
inline Result<size_t> write_iter(kiocb& iocb, iov_iter& from) {
  return iocb.ki_filp->f_op->write_iter(iocb, from);
}
}  // namespace direct
namespace checked {
Result<size_t> read_iter(kiocb& iocb, iov_iter& to);
Result<size_t> write_iter(kiocb& iocb, iov_iter& from);
}  // namespace checked

// Does its own locking; f_pos_lock may be held. Null: ESPIPE.
Result<loff_t> llseek(file& f, loff_t offset, int whence);
// Null: by read_iter, write_iter; EINVAL if that is null too.
Result<size_t> read(file& f, char* buffer, size_t count, loff_t& pos);
Result<size_t> write(file& f, const char* buffer, size_t count, loff_t& pos);

// Null: EINVAL.
inline Result<size_t> read_iter(kiocb& iocb, iov_iter& to) {
  if (iocb.ki_filp->f_op->read_iter == nullptr) return Error(EINVAL);
  if (checking_on()) [[unlikely]]
    return checked::read_iter(iocb, to);
  return direct::read_iter(iocb, to);
}
// Null: EINVAL.
inline Result<size_t> write_iter(kiocb& iocb, iov_iter& from) {
  if (iocb.ki_filp->f_op->write_iter == nullptr) return Error(EINVAL);
  if (checking_on()) [[unlikely]]
    return checked::write_iter(iocb, from);
  return direct::write_iter(iocb, from);
}

// Null: EOPNOTSUPP.
Result<int> iopoll(kiocb& iocb, bool spin);
// Null: ENOTDIR.
Status iterate_shared(file& f, dir_context& ctx) HF_REQUIRES(f.f_pos_lock)
    HF_REQUIRES_SHARED(f.f_inode->i_rwsem);
// Null: readable and writable, always.
uint32_t poll(file& f, poll_table* table);
// Null: ENOTTY.
Result<long> unlocked_ioctl(file& f, unsigned cmd, unsigned long arg);
Result<long> compat_ioctl(file& f, unsigned cmd, unsigned long arg);
// Null: ENODEV.
Status mmap(file& f, vm_area& vma);
// Null: success.
Status open(inode& i, file& f);
// Null: success.
Status flush(file& f);
// Once, at the last reference. Null: nothing.
void release(inode& i, file& f);
// Null: EINVAL.
Status fsync(file& f, loff_t start, loff_t end, bool datasync);
// A positive answer becomes 0. Null: 0, the flag stays unset.
Result<int> fasync(int fd, file& f, bool on);
// Null: EOPNOTSUPP; the caller uses the local lock engine.
Result<int> lock(file& f, int cmd, file_lock& fl);
// Null: EOPNOTSUPP; the caller lets the address space choose.
Result<unsigned long> get_unmapped_area(file& f, unsigned long addr, unsigned long len,
                                        unsigned long pgoff, unsigned long flags);
// f: the file whose flags would change. Null: success.
Status check_flags(file& f, int flags);
// Null: EOPNOTSUPP; the caller uses the local lock engine.
Result<int> flock(file& f, int cmd, file_lock& fl);
// Null: EINVAL.
Result<size_t> splice_write(pipe_inode_info& pipe, file& f, loff_t& pos, size_t len,
                            unsigned flags);
Result<size_t> splice_read(file& f, loff_t& pos, pipe_inode_info& pipe, size_t len, unsigned flags);
// Calls generic_setlease once on success. Null: EOPNOTSUPP; the caller sets a local lease.
Status setlease(file& f, int arg, file_lock*& lease, void*& priv);
// Freeze protection is the caller's. Null: EOPNOTSUPP.
Status fallocate(file& f, int mode, loff_t offset, loff_t len);
// Null: nothing.
void show_fdinfo(seq_file& m, file& f);
// Null: 0.
unsigned mmap_capabilities(file& f);
// Null: EOPNOTSUPP; the caller clones or splices within a superblock, else says EXDEV.
Result<size_t> copy_file_range(file& in, loff_t pos_in, file& out, loff_t pos_out, size_t len,
                               unsigned flags);
// Null: EOPNOTSUPP.
Result<loff_t> remap_file_range(file& in, loff_t pos_in, file& out, loff_t pos_out, loff_t len,
                                unsigned flags);
// Null: EOPNOTSUPP; the caller applies the generic advice.
Status fadvise(file& f, loff_t offset, loff_t len, int advice);

}  // namespace file_ops

HF_NAMESPACE_END
