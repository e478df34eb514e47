// SPDX-License-Identifier: Apache-2.0
//
// Regular files: folios on demand, charged before they are made.
#include <linux/falloc.h>

#include <algorithm>
#include <cerrno>

#include "fs/tmpfs/tmpfs.h"
#include "holdfast/events.h"
#include "holdfast/file.h"
#include "holdfast/task.h"
#include "pagecache/pagecache.h"

HF_NAMESPACE_BEGIN
namespace tmpfs {
namespace {

constexpr int64_t sectors_a_page = page_size >> 9;

bool charge(inode& i, size_t pages) {
  if (!take_blocks(info_of(*i.i_sb), pages)) return false;
  inode_add_blocks(i, static_cast<int64_t>(pages) * sectors_a_page);
  return true;
}
void uncharge(inode& i, size_t pages) {
  inode_add_blocks(i, -static_cast<int64_t>(pages) * sectors_a_page);
  give_blocks(info_of(*i.i_sb), pages);
}
constexpr page_charge charging = {charge, uncharge};

unsigned wanted_order(const inode& i, loff_t pos, size_t len) {
  constexpr loff_t huge_size = static_cast<loff_t>(page_size << max_folio_order);
  switch (info_of(*i.i_sb).huge.load()) {
    case huge_policy::never:
      return 0;
    case huge_policy::always:
      return max_folio_order;
    case huge_policy::within_size: {
      const loff_t end = pos / huge_size * huge_size + huge_size;
      return end <= std::max(i.size(), pos + static_cast<loff_t>(len)) ? max_folio_order : by_write;
    }
    case huge_policy::by_write_size:
    case huge_policy::advise:
      break;
  }
  return by_write;
}

Status write_begin(file*, address_space& mapping, loff_t pos, size_t len, folio*& f, void*&) {
  HF_TRY_ASSIGN(f,
                ram_get_folio(mapping, pos, len, wanted_order(*mapping.host, pos, len), &charging));
  return {};
}

Result<size_t> write_end(file* filp, address_space& mapping, loff_t pos, size_t len, size_t copied,
                         folio& f, void* fsdata) {
  const bool discarded = copied == 0 && !f.test(pg_uptodate);
  Result<size_t> r = ram_write_end(filp, mapping, pos, len, copied, f, fsdata);
  if (discarded) settle_blocks(*mapping.host);
  return r;
}

Result<loff_t> llseek(file& f, loff_t offset, int whence) {
  if (whence != SEEK_DATA && whence != SEEK_HOLE) return generic_file_llseek(f, offset, whence);
  inode& i = *f.f_mapping->host;
  shared_guard g(i.i_rwsem);
  HF_TRY_ASSIGN(const loff_t pos, mapping_seek_hole_data(*f.f_mapping, offset, i.size(), whence));
  f.f_pos = pos;
  return pos;
}

// Every page of [first, end) gets a folio. Those that are new become uptodate only once all are
// there, so that a failure can tell them from the others.
Status fill_range(inode& i, pgoff_t first, pgoff_t end) {
  address_space& mapping = i.i_data;
  Status st;
  pgoff_t at = first;
  while (at < end) {
    const auto pos = static_cast<loff_t>(at << page_shift);
    const size_t len =
        static_cast<size_t>(std::min<pgoff_t>(end - at, pgoff_t{1} << max_folio_order))
        << page_shift;
    Result<folio*> got = ram_get_folio(mapping, pos, len, wanted_order(i, pos, len), &charging);
    if (!got) {
      st = got.error();
      break;
    }
    LockedFolio f(*got);
    at = f->index + f->nr_pages();
  }
  for (pgoff_t p = first; p < at;) {
    LockedFolio f = filemap_lock_folio(mapping, p);
    if (!f) {
      ++p;
      continue;
    }
    p = f->index + f->nr_pages();
    if (f->test(pg_uptodate)) continue;
    if (st)
      ram_fill_zero(*f);
    else
      filemap_remove_folio(*f);
  }
  if (!st) settle_blocks(i);
  return st;
}

Status punch(inode& i, loff_t offset, loff_t len) {
  const loff_t end = offset + len;
  exclusive_guard g(i.i_data.invalidate_lock);
  truncate_inode_pages_range(i.i_data, offset, end - 1);
  // Folios are all the blocks there are.
  note_event(event::mapping_updated, &i.i_data, static_cast<uint64_t>(offset),
             static_cast<uint64_t>(len));
  settle_blocks(i);
  return {};
}

}  // namespace

void settle_blocks(inode& i) {
  const uint64_t now = i.i_data.nrpages;
  const uint64_t counted = i.i_blocks / static_cast<uint64_t>(sectors_a_page);
  if (counted > now) uncharge(i, counted - now);
}

Status fallocate(file& f, int mode, loff_t offset, loff_t len) {
  inode& i = *f.f_inode;
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) return Error(EOPNOTSUPP);
  exclusive_guard g(i.i_rwsem);
  const loff_t end = offset + len;
  if (mode & FALLOC_FL_PUNCH_HOLE) {
    HF_TRY(file_remove_privs(f));
    HF_TRY(punch(i, offset, len));
    touch_mc(i);
    return {};
  }
  if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i.size() && end > current().rlimit_fsize)
    return Error(EFBIG);
  const pgoff_t first = static_cast<pgoff_t>(offset) >> page_shift;
  const pgoff_t last = (static_cast<pgoff_t>(end) + page_size - 1) >> page_shift;
  // A request that can't fit is refused before it fills the file system for everybody.
  const uint64_t max = info_of(*i.i_sb).max_blocks.load(std::memory_order_relaxed);
  if (max && last - first > max) return Error(ENOSPC);
  HF_TRY(file_remove_privs(f));
  HF_TRY(fill_range(i, first, last));
  if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i.size())
    i.i_size.store(end, std::memory_order_release);
  touch_mc(i);
  return {};
}

constinit const address_space_operations aops_table = {
    .read_folio = ram_read_folio,
    .dirty_folio = ram_dirty_folio,
    .write_begin = write_begin,
    .write_end = write_end,
};
constinit const file_operations file_table = {
    .llseek = llseek,
    .read_iter = generic_file_read_iter,
    .write_iter = generic_file_write_iter,
    .open = generic_file_open,
    .fsync = noop_fsync,
    .fallocate = fallocate,
};
constinit const inode_operations file_inode_table = {
    .setattr = setattr,
    .listxattr = listxattr,
};

}  // namespace tmpfs
HF_NAMESPACE_END
