// SPDX-License-Identifier: Apache-2.0
//
// lseek(2) for files and directories.
#include <cerrno>

#include "holdfast/libfs.h"
#include "holdfast/super_block.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

Result<loff_t> set_pos(file& f, loff_t pos, loff_t max) {
  if (pos < 0 || pos > max) return Error(EINVAL);
  if (pos != f.f_pos) {
    f.f_pos = pos;
    f.f_version = 0;
  }
  return pos;
}

}  // namespace

Result<loff_t> generic_file_llseek(file& f, loff_t offset, int whence) {
  inode& i = *f.f_mapping->host;
  const loff_t max = i.i_sb->s_maxbytes;
  const loff_t size = i.size();
  switch (whence) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      if (offset == 0) return f.f_pos.load();
      if (__builtin_add_overflow(offset, f.f_pos.load(), &offset)) return Error(EOVERFLOW);
      break;
    case SEEK_END:
      if (__builtin_add_overflow(offset, size, &offset)) return Error(EOVERFLOW);
      break;
    case SEEK_DATA:  // unless a file system knows better, all of a file is data, and a hole ends it
      if (offset < 0 || offset >= size) return Error(ENXIO);
      break;
    case SEEK_HOLE:
      if (offset < 0 || offset >= size) return Error(ENXIO);
      offset = size;
      break;
    default:
      return Error(EINVAL);
  }
  return set_pos(f, offset, max);
}

Result<loff_t> generic_dir_llseek(file& f, loff_t offset, int whence) {
  switch (whence) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      if (__builtin_add_overflow(offset, f.f_pos.load(), &offset)) return Error(EOVERFLOW);
      break;
    default:
      return Error(EINVAL);
  }
  return set_pos(f, offset, max_lfs_filesize);
}

Result<loff_t> noop_llseek(file& f, loff_t, int) {
  return f.f_pos.load();
}

Result<loff_t> mapping_seek_hole_data(address_space& mapping, loff_t offset, loff_t end,
                                      int whence) {
  if (offset < 0 || offset >= end) return Error(ENXIO);
  rcu_read_guard rcu;
  if (whence == SEEK_DATA) {
    uint64_t n = static_cast<uint64_t>(offset) >> page_shift;
    if (!radix_next(mapping.i_pages.root, n)) return Error(ENXIO);
    const auto at = static_cast<loff_t>(n << page_shift);
    if (at >= end) return Error(ENXIO);
    return at > offset ? at : offset;
  }
  while (offset < end) {
    folio* f = filemap_peek(mapping, static_cast<pgoff_t>(offset) >> page_shift);
    if (!f) return offset;
    offset = f->pos() + static_cast<loff_t>(f->size());
  }
  return end;
}

HF_NAMESPACE_END
