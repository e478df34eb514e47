// SPDX-License-Identifier: Apache-2.0
//
// Buffered reading.
//
// The hot path takes no reference and no lock: inside an RCU section it finds the folio, copies,
// and then checks that the folio is still the mapping's and that the file still reaches that far.
// If one of the two changed, the copy is taken back and made again with a reference. What is copied
// is bounded a section, so that a large read doesn't hold up a grace period.
#include <algorithm>
#include <cerrno>

#include "core/dispatch/aops.h"
#include "core/inode/atime.h"
#include "holdfast/libfs.h"
#include "holdfast/sync/seqlock.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr size_t rcu_copy_max = size_t{64} << 10;

// The loads of copied bytes come before the loads of the re-check.
void copy_barrier() {
#if !HF_TSAN  // which knows no fences, and was told to ignore the copy
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
}

enum class outcome : uint8_t { copied, slow, fault };

// One stretch from pos, at most n bytes. `done` says how many.
outcome read_fast(address_space& mapping, inode& i, loff_t pos, size_t n, iov_iter& to,
                  size_t& done) {
  rcu_read_guard rcu;
  folio* f = filemap_peek(mapping, static_cast<pgoff_t>(pos) >> page_shift);
  if (!f) return outcome::slow;
  if (!f->test(pg_uptodate)) return outcome::slow;
  const size_t offset = static_cast<size_t>(pos - f->pos());
  if (offset >= f->size()) return outcome::slow;
  n = std::min({n, f->size() - offset, rcu_copy_max});
  done = copy_to_iter_nofault(f->data + offset, n, to);
  copy_barrier();
  if (!folio_in(*f, mapping) || i.size() < pos + static_cast<loff_t>(done)) [[unlikely]] {
    iov_iter_revert(to, done);
    done = 0;
    return outcome::slow;
  }
  return done == n ? outcome::copied : outcome::fault;
}

// Zeros up to the next folio.
size_t read_hole(address_space& mapping, loff_t pos, size_t n, iov_iter& to) {
  {
    rcu_read_guard rcu;
    uint64_t next = static_cast<uint64_t>(pos) >> page_shift;
    if (radix_next(mapping.i_pages.root, next)) {
      const loff_t data = static_cast<loff_t>(next << page_shift);
      n = data > pos ? std::min(n, static_cast<size_t>(data - pos))
                     : std::min(n, page_size - (static_cast<size_t>(pos) & (page_size - 1)));
    }
  }
  return iov_iter_zero(n, to);
}

}  // namespace

Result<folio*> read_cache_folio(address_space& mapping, file* filp, pgoff_t index) {
  for (;;) {
    folio* f = filemap_get_folio(mapping, index);
    if (f && f->test(pg_uptodate)) return f;
    if (!f && absent_is_hole(mapping)) return nullptr;
    shared_guard g(mapping.invalidate_lock);
    if (f) {
      folio_lock(*f);
      if (!folio_in(*f, mapping) || f->test(pg_uptodate)) {
        const bool good = folio_in(*f, mapping);
        folio_unlock(*f);
        if (good) return f;
        folio_put(f);
        continue;
      }
    } else {
      if (!(f = folio_alloc(0, false))) return Error(ENOMEM);
      if (Status st = filemap_add_folio(mapping, *f, index); !st) {
        folio_put(f);
        if (st.code() == EEXIST) continue;
        return st.error();
      }
    }
    const bool can_read = mapping.a_ops->read_folio != nullptr;
    Status st = can_read ? aops::read_folio(filp, *f) : Status(Error(EINVAL));
    if (!can_read) folio_unlock(*f);
    if (st) {  // the I/O may still run; its end unlocks
      folio_lock(*f);
      const bool in = folio_in(*f, mapping);
      const bool good = f->test(pg_uptodate);
      folio_unlock(*f);
      if (good) return f;
      folio_put(f);
      if (!in) continue;
      return Error(EIO);
    }
    folio_put(f);
    return st.error();
  }
}

Result<size_t> generic_file_read_iter(kiocb& iocb, iov_iter& to) {
  file& f = *iocb.ki_filp;
  address_space& mapping = *f.f_mapping;
  inode& i = *mapping.host;
  if (iocb.ki_pos < 0) return Error(EINVAL);
  if (to.count == 0) return size_t{0};
  size_t total = 0;
  Status failed;
  while (to.count > 0) {
    const loff_t pos = iocb.ki_pos;
    const loff_t size = i.size();
    if (pos >= size) break;
    size_t n = std::min(to.count, static_cast<size_t>(size - pos));
    size_t done = 0;
    outcome how = read_fast(mapping, i, pos, n, to, done);
    if (how == outcome::slow) {
      Result<folio*> got = read_cache_folio(mapping, &f, static_cast<pgoff_t>(pos) >> page_shift);
      if (!got) {
        failed = got.error();
        break;
      }
      if (folio* fo = *got) {
        const size_t offset = static_cast<size_t>(pos - fo->pos());
        n = std::min(n, fo->size() - offset);
        done = copy_to_iter(fo->data + offset, n, to);
        copy_barrier();
        const bool stale = !folio_in(*fo, mapping) || i.size() < pos + static_cast<loff_t>(done);
        folio_put(fo);
        if (stale) {
          iov_iter_revert(to, done);
          continue;
        }
      } else {
        done = read_hole(mapping, pos, n, to);
      }
    } else if (how == outcome::fault) {
      // The caller's memory has to be brought in first, outside of the section.
      if (done == 0) {
        if (fault_in_iov_iter_writeable(to, 1) != 0) {
          failed = Error(EFAULT);
          break;
        }
        Result<folio*> got = read_cache_folio(mapping, &f, static_cast<pgoff_t>(pos) >> page_shift);
        if (!got) {
          failed = got.error();
          break;
        }
        if (!*got) continue;
        const size_t offset = static_cast<size_t>(pos - (*got)->pos());
        done = copy_to_iter((*got)->data + offset, std::min(n, (*got)->size() - offset), to);
        folio_put(*got);
      }
    }
    iocb.ki_pos = pos + static_cast<loff_t>(done);
    total += done;
  }
  if (!(iocb.ki_flags & iocb_noupdate_time) && f.f_path.mnt) file_accessed(f.f_path, f.f_flags);
  if (total == 0 && !failed) return failed.error();
  return total;
}

HF_NAMESPACE_END
