// SPDX-License-Identifier: Apache-2.0
//
// The gated side of aops.h. A folio's lock is known by the folio's address.
//
// The rules that follow a folio beyond the call (writeback begun and ended, I/O completion) are the
// page cache's; what can be seen on entry and at return is checked here.
#include "core/dispatch/aops.h"

#include <cerrno>

HF_NAMESPACE_BEGIN

namespace aops {

namespace {

const address_space_operations& ops(const folio& f) {
  return *f.mapping.load(std::memory_order_acquire)->a_ops;
}

auto on_folio(const folio& f) {
  return [&f](gate& g) { g.lock(column::folio_locked, f, "folio"); };
}

// Null only for a mapping that belongs to no inode.
void bind_host(gate& g, const address_space& mapping) {
  if (mapping.host != nullptr) g.lock(column::i_rwsem, mapping.host->i_rwsem, "host");
}

}  // namespace

Result<int> writepage(folio& f, writeback_control& wbc) {
  const address_space_operations& op = ops(f);
  if (op.writepage == nullptr) return writepage_activate;
  return door::through(
      method_id::aops_writepage, on_folio(f), [&] { return op.writepage(f, wbc); },
      [&](gate& g, const Result<int>& r) {
        if (r.ok() && *r == writepage_activate) g.keeps(f);
      });
}

Status read_folio(file* filp, folio& f) {
  const address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  if (mapping.a_ops->read_folio == nullptr) return Error(ENOEXEC);
  return door::through(
      method_id::aops_read_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.lock(column::invalidate_lock, mapping.invalidate_lock, "mapping");
      },
      [&] { return mapping.a_ops->read_folio(filp, f); });
}

Status writepages(address_space& mapping, writeback_control& wbc) {
  if (mapping.a_ops->writepages == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::aops_writepages,
                       [&] { return mapping.a_ops->writepages(mapping, wbc); });
}

bool dirty_folio(address_space& mapping, folio& f) {
  if (mapping.a_ops->dirty_folio == nullptr)
    return (f.flags.fetch_or(pg_dirty, std::memory_order_acq_rel) & pg_dirty) == 0;
  return door::through(
      method_id::aops_dirty_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.require(f.mapping.load(std::memory_order_relaxed) == &mapping, prose::aops(23),
                  "the folio is not of this mapping");
      },
      [&] { return mapping.a_ops->dirty_folio(mapping, f); });
}

void readahead(address_space& mapping, readahead_control& rac) {
  if (mapping.a_ops->readahead == nullptr) return;
  door::through(
      method_id::aops_readahead,
      [&](gate& g) { g.lock(column::invalidate_lock, mapping.invalidate_lock, "mapping"); },
      [&] { mapping.a_ops->readahead(rac); });
}

Status write_begin(file* filp, address_space& mapping, loff_t pos, size_t len, folio*& f,
                   void*& fsdata) {
  if (mapping.a_ops->write_begin == nullptr) return Error(EINVAL);
  return door::through(
      method_id::aops_write_begin, [&](gate& g) { bind_host(g, mapping); },
      [&] { return mapping.a_ops->write_begin(filp, mapping, pos, len, f, fsdata); },
      [&](gate& g, const Status& r) {
        if (r.ok()) g.returns_locked(*f, "folio");
      });
}

Result<size_t> write_end(file* filp, address_space& mapping, loff_t pos, size_t len, size_t copied,
                         folio& f, void* fsdata) {
  if (mapping.a_ops->write_end == nullptr) return Error(EINVAL);
  return door::through(
      method_id::aops_write_end,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        bind_host(g, mapping);
      },
      [&] { return mapping.a_ops->write_end(filp, mapping, pos, len, copied, f, fsdata); });
}

sector_t bmap(address_space& mapping, sector_t block) {
  if (mapping.a_ops->bmap == nullptr) return 0;
  return door::through(method_id::aops_bmap, [&] { return mapping.a_ops->bmap(mapping, block); });
}

void invalidate_folio(folio& f, size_t start, size_t len) {
  const address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  if (mapping.a_ops->invalidate_folio == nullptr) return;
  door::through(
      method_id::aops_invalidate_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.lock(column::invalidate_lock, mapping.invalidate_lock, "mapping");
      },
      [&] { mapping.a_ops->invalidate_folio(f, start, len); });
}

bool release_folio(folio& f, gfp_t gfp) {
  const address_space_operations& op = ops(f);
  if (op.release_folio == nullptr) return !f.test(pg_private);
  return door::through(
      method_id::aops_release_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.require(!f.test(pg_writeback), prose::aops(28), "the folio is under writeback");
      },
      [&] { return op.release_folio(f, gfp); },
      [&](gate& g, bool released) {
        if (!released) return;
        g.require(!f.test(pg_private), prose::aops(30), "the private data is still there");
      });
}

void free_folio(const address_space_operations& op, folio& f) {
  if (op.free_folio == nullptr) return;
  door::through(
      method_id::aops_free_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.require(f.mapping.load(std::memory_order_relaxed) == nullptr, prose::aops(32),
                  "the folio is still in a mapping");
      },
      [&] { op.free_folio(f); });
}

Result<size_t> direct_IO(kiocb& iocb, iov_iter& iter) {
  const address_space_operations& op = *iocb.ki_filp->f_mapping->a_ops;
  if (op.direct_IO == nullptr) return Error(EINVAL);
  return door::through(method_id::aops_direct_IO, [&] { return op.direct_IO(iocb, iter); });
}

Status migrate_folio(address_space& mapping, folio& dst, folio& src, migrate_mode mode) {
  if (mapping.a_ops->migrate_folio == nullptr) return Error(EOPNOTSUPP);
  return door::through(
      method_id::aops_migrate_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, dst, "dst");
        g.lock(column::folio_locked, src, "src");
      },
      [&] { return mapping.a_ops->migrate_folio(mapping, dst, src, mode); });
}

Status launder_folio(folio& f) {
  const address_space_operations& op = ops(f);
  if (op.launder_folio == nullptr) return {};
  return door::through(
      method_id::aops_launder_folio, on_folio(f), [&] { return op.launder_folio(f); },
      [&](gate& g, const Status& r) {
        if (r.ok()) g.require(!f.test(pg_dirty), prose::aops(33), "the folio is still dirty");
      });
}

bool is_partially_uptodate(folio& f, size_t from, size_t count) {
  const address_space_operations& op = ops(f);
  if (op.is_partially_uptodate == nullptr) return false;
  return door::through(method_id::aops_is_partially_uptodate, on_folio(f),
                       [&] { return op.is_partially_uptodate(f, from, count); });
}

Status error_remove_page(address_space& mapping, folio& f) {
  if (mapping.a_ops->error_remove_page == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::aops_error_remove_page, on_folio(f),
                       [&] { return mapping.a_ops->error_remove_page(mapping, f); });
}

Result<int> swap_activate(swap_info& sis, file& f, sector_t& span) {
  const address_space_operations& op = *f.f_mapping->a_ops;
  if (op.swap_activate == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::aops_swap_activate,
                       [&] { return op.swap_activate(sis, f, span); });
}

void swap_deactivate(file& f) {
  const address_space_operations& op = *f.f_mapping->a_ops;
  if (op.swap_deactivate == nullptr) return;
  door::through(method_id::aops_swap_deactivate, [&] { op.swap_deactivate(f); });
}

Result<size_t> swap_rw(kiocb& iocb, iov_iter& iter) {
  const address_space_operations& op = *iocb.ki_filp->f_mapping->a_ops;
  if (op.swap_rw == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::aops_swap_rw, [&] { return op.swap_rw(iocb, iter); });
}

}  // namespace aops

HF_NAMESPACE_END
