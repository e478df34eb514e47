// SPDX-License-Identifier: Apache-2.0
//
// Buffered writing: checks, then for each stretch prefault -> ->write_begin -> copy without faults
// -> ->write_end. A stretch lies in one folio. What the copy could not reach is brought in and
// tried again.
//
// Locks: i_rwsem exclusively for the whole write; the folio lock between ->write_begin and
// ->write_end.
#include <algorithm>
#include <cerrno>

#include "core/dispatch/aops.h"
#include "core/dispatch/file_ops.h"
#include "holdfast/libfs.h"
#include "holdfast/task.h"
#include "pagecache/pagecache.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr size_t largest_stretch = page_size << max_folio_order;
constexpr unsigned fruitless_max = 3;  // copies of nothing in a row before EFAULT

}  // namespace

Result<size_t> generic_write_checks(kiocb& iocb, iov_iter& from) {
  file& f = *iocb.ki_filp;
  inode& i = *f.f_mapping->host;
  if (i.i_flags & s_swapfile) return Error(ETXTBSY);
  if (from.count == 0) return size_t{0};
  if (iocb.ki_flags & iocb_append || f.f_flags & O_APPEND) iocb.ki_pos = i.size();
  if (iocb.ki_pos < 0) return Error(EINVAL);
  const loff_t limit = std::min(current().rlimit_fsize, i.i_sb->s_maxbytes);
  if (iocb.ki_pos >= limit) return Error(EFBIG);
  iov_iter_truncate(from, static_cast<size_t>(limit - iocb.ki_pos));
  return from.count;
}

Result<size_t> generic_perform_write(kiocb& iocb, iov_iter& from) {
  file& f = *iocb.ki_filp;
  address_space& mapping = *f.f_mapping;
  const bool large = mapping.flags & as_large_folio;
  size_t total = 0;
  unsigned fruitless = 0;
  Status failed;
  while (from.count > 0) {
    const loff_t pos = iocb.ki_pos;
    const size_t unit = large && fruitless == 0 ? largest_stretch : page_size;
    size_t bytes = std::min(unit - (static_cast<size_t>(pos) & (unit - 1)), from.count);
    if (fruitless > 1) bytes = 1;
    if (fault_in_iov_iter_readable(from, bytes) == bytes || fruitless > fruitless_max) {
      failed = Error(EFAULT);
      break;
    }
    folio* fo = nullptr;
    void* fsdata = nullptr;
    if (Status st = aops::write_begin(&f, mapping, pos, bytes, fo, fsdata); !st) {
      failed = st;
      break;
    }
    const auto offset = static_cast<size_t>(pos - fo->pos());
    bytes = std::min(bytes, fo->size() - offset);
    const size_t copied = copy_from_iter_nofault(fo->data + offset, bytes, from);
    Result<size_t> kept = aops::write_end(&f, mapping, pos, bytes, copied, *fo, fsdata);
    if (!kept || *kept < copied) iov_iter_revert(from, copied - (kept ? *kept : 0));
    if (!kept) {
      failed = kept.error();
      break;
    }
    if (*kept == 0) {
      ++fruitless;
      continue;
    }
    fruitless = 0;
    iocb.ki_pos = pos + static_cast<loff_t>(*kept);
    total += *kept;
  }
  if (total == 0 && !failed) return failed.error();
  return total;
}

Result<size_t> generic_file_write_iter(kiocb& iocb, iov_iter& from) HF_NO_THREAD_SAFETY_ANALYSIS {
  file& f = *iocb.ki_filp;
  inode& i = *f.f_mapping->host;
  if (iocb.ki_flags & iocb_nowait) {
    if (!i.i_rwsem.try_lock()) return Error(EAGAIN);
  } else {
    i.i_rwsem.lock();
  }
  const loff_t before = iocb.ki_pos;
  Result<size_t> r = generic_write_checks(iocb, from);
  if (r && *r > 0) {
    Status st = file_remove_privs(f);
    if (st) st = file_update_time(f);
    if (st)
      r = generic_perform_write(iocb, from);
    else
      r = st.error();
  }
  i.i_rwsem.unlock();
  if (!r && iocb.ki_pos != before) iocb.ki_pos = before;
  const bool sync = iocb.ki_flags & (iocb_dsync | iocb_sync) || i.i_flags & s_sync ||
                    i.i_sb->s_flags & sb_synchronous;
  if (r && *r > 0 && sync && f.f_op->fsync) {
    const loff_t end = iocb.ki_pos;
    Status st = file_ops::fsync(f, end - static_cast<loff_t>(*r), end - 1,
                                !(iocb.ki_flags & iocb_sync) && iocb.ki_flags & iocb_dsync);
    if (!st) return st.error();
  }
  return r;
}

void truncate_setsize(inode& i, loff_t new_size) {
  const loff_t old = i.i_size.load(std::memory_order_relaxed);
  i.i_size.store(new_size, std::memory_order_release);
  if (new_size >= old) return;
  exclusive_guard g(i.i_mapping->invalidate_lock);
  truncate_inode_pages(*i.i_mapping, new_size);
}

void truncate_inode_pages_final(address_space& mapping) {
  mapping.flags.fetch_or(as_exiting);
  report_open_obligations(mapping, false);  // before the wait for what nobody will do
  truncate_inode_pages(mapping, 0);
}

HF_NAMESPACE_END
