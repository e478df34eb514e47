// SPDX-License-Identifier: Apache-2.0
//
// The gated side of aops.h, but for writing folios (aops_writeback.cc) and swap files
// (aops_swap.cc). A folio's lock is known by the folio's address.
#include "core/dispatch/aops.h"

#include <cerrno>

#include "contract/obligations.h"

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

// The folio's lock, or a page table's (of whichever task maps it), or nothing that is known.
bool truncation_excluded(const folio& f) {
  const exec_context& c = this_context();
  if (c.untracked != 0 || f.test(pg_lent)) return true;
  for (const held_lock& h : c)
    if (h.lock == &f || h.cls == &page_table_lock_class) return true;
  return false;
}

std::atomic<buffer_release_fn> buffer_release{nullptr};

bool release_buffers(folio& f) {
  if (!f.test(pg_private)) return true;
  const buffer_release_fn fn = buffer_release.load(std::memory_order_acquire);
  if (fn == nullptr || !fn(f)) return false;
  if (checking_on() && f.test(pg_private)) [[unlikely]]
    obligations::report(method_id::aops_release_folio, prose::aops(31),
                        "the buffers are said to be free, and the private data is still there",
                        "Detach the buffers before answering true.");
  return true;
}

uint32_t forbidden_by(gfp_t gfp) {
  return ((gfp & gfp_fs) != 0 ? 0 : alloc_nofs) | ((gfp & gfp_io) != 0 ? 0 : alloc_noio) |
         ((gfp & gfp_direct_reclaim) != 0 ? 0 : alloc_atomic);
}

// The folios of a stretch whose locks the caller's context holds (those that it lent are followed
// by their obligations alone). A gate has room for a few.
class held_batch {
 public:
  void bind(gate& g, const readahead_control& rac) {
    rcu_read_guard rcu;
    const pgoff_t end = rac.index + rac.nr_pages;
    for (pgoff_t at = rac.index; at < end && count_ < max;) {
      const folio* f = filemap_peek(*rac.mapping, at);
      if (f == nullptr) break;
      if (!f->test(pg_lent)) {
        g.lock(column::folio_locked, *f, "folio");
        all_[count_++] = {f, f->index};
      }
      at = f->index + f->nr_pages();
    }
  }
  // What the method did not take stays the caller's.
  void keep_untaken(gate& g, const readahead_control& rac) {
    for (unsigned i = 0; i < count_; ++i)
      if (all_[i].index >= rac.index + rac.batch_count) g.keeps(*all_[i].f);
  }

 private:
  static constexpr unsigned max = 16;
  struct {
    const folio* f;
    pgoff_t index;
  } all_[max];
  unsigned count_ = 0;
};

}  // namespace

void set_buffer_release(buffer_release_fn fn) {
  buffer_release.store(fn, std::memory_order_release);
}

Status read_folio(file* filp, folio& f) {
  const address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  if (mapping.a_ops->read_folio == nullptr) return Error(ENOEXEC);
  obligations::frame inside;
  uint64_t episode = 0;
  return door::through(
      method_id::aops_read_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.lock(column::invalidate_lock, mapping.invalidate_lock, "mapping");
        inside.enter(method_id::aops_read_folio, &mapping, &f);
        episode = obligations::episode_begins(method_id::aops_read_folio, f);
      },
      [&] { return mapping.a_ops->read_folio(filp, f); },
      [&](gate&, const Status&) { obligations::episode_returns(f, episode); });
}

bool dirty_folio(address_space& mapping, folio& f) {
  if (mapping.a_ops->dirty_folio == nullptr) return filemap_dirty_folio(mapping, f);
  return door::through(
      method_id::aops_dirty_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        if (f.mapping.load(std::memory_order_relaxed) != &mapping)
          g.require(false, prose::aops(23), "the folio is not of this mapping");
        else
          g.require(truncation_excluded(f), prose::aops(23),
                    "neither the folio's lock nor a page table's is held");
      },
      [&] { return mapping.a_ops->dirty_folio(mapping, f); });
}

void readahead(address_space& mapping, readahead_control& rac) {
  if (mapping.a_ops->readahead == nullptr) return;
  held_batch batch;
  door::through(
      method_id::aops_readahead,
      [&](gate& g) {
        g.lock(column::invalidate_lock, mapping.invalidate_lock, "mapping");
        batch.bind(g, rac);
      },
      [&] {
        mapping.a_ops->readahead(rac);
        return true;
      },
      [&](gate& g, bool) { batch.keep_untaken(g, rac); });
}

Status write_begin(file* filp, address_space& mapping, loff_t pos, size_t len, folio*& f,
                   void*& fsdata) {
  if (mapping.a_ops->write_begin == nullptr) return Error(EINVAL);
  obligations::frame inside;
  return door::through(
      method_id::aops_write_begin,
      [&](gate& g) {
        bind_host(g, mapping);
        inside.enter(method_id::aops_write_begin, &mapping, nullptr);
      },
      [&] { return mapping.a_ops->write_begin(filp, mapping, pos, len, f, fsdata); },
      [&](gate& g, const Status& r) {
        if (r.ok()) g.returns_locked(*f, "folio");
      });
}

Result<size_t> write_end(file* filp, address_space& mapping, loff_t pos, size_t len, size_t copied,
                         folio& f, void* fsdata) {
  if (mapping.a_ops->write_end == nullptr) return Error(EINVAL);
  obligations::frame inside;
  return door::through(
      method_id::aops_write_end,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        bind_host(g, mapping);
        inside.enter(method_id::aops_write_end, &mapping, &f);
      },
      [&] { return mapping.a_ops->write_end(filp, mapping, pos, len, copied, f, fsdata); });
}

sector_t bmap(bmap_caller who, address_space& mapping, sector_t block) {
  if (mapping.a_ops->bmap == nullptr) return 0;
  return door::through(
      method_id::aops_bmap,
      [&](gate& g) {
        g.require(who == bmap_caller::fibmap || who == bmap_caller::swapper, prose::aops(24),
                  "the caller is neither FIBMAP nor the swapper");
      },
      [&] { return mapping.a_ops->bmap(mapping, block); });
}

void invalidate_folio(folio& f, size_t start, size_t len) {
  address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  if (mapping.a_ops->invalidate_folio == nullptr) return;
  const bool whole = start == 0 && len == f.size();
  door::through(
      method_id::aops_invalidate_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        // Eviction holds it for nobody: nobody is left who could fill the mapping.
        if ((mapping.flags & as_exiting) == 0)
          g.lock(column::invalidate_lock, mapping.invalidate_lock, "mapping");
        g.require(start <= f.size() && len <= f.size() - start, prose::aops(25),
                  "the range is not inside the folio");
        mapping.flags.fetch_or(as_invalidating);
      },
      [&] {
        mapping.a_ops->invalidate_folio(f, start, len);
        return true;
      },
      [&](gate& g, bool) {
        mapping.flags.fetch_and(~as_invalidating);
        if (whole)
          g.require(!f.test(pg_private), prose::aops(25),
                    "the whole folio was invalidated, and its private data is still there");
      });
}

bool release_folio(folio& f, gfp_t gfp) {
  const address_space& mapping = *f.mapping.load(std::memory_order_acquire);
  const alloc_scope allowed(forbidden_by(gfp));
  if (mapping.a_ops->release_folio == nullptr) return release_buffers(f);
  obligations::frame inside;
  auto call = [&] { return mapping.a_ops->release_folio(f, gfp); };
  return door::through(
      method_id::aops_release_folio,
      [&](gate& g) {
        g.lock(column::folio_locked, f, "folio");
        g.require(!f.test(pg_writeback), prose::aops(28), "the folio is under writeback");
        inside.enter(method_id::aops_release_folio, &mapping, &f);
        inside.gfp = gfp;
      },
      [&] {
        if ((gfp & gfp_direct_reclaim) != 0) return call();
        const no_block_guard waits("->release_folio, by its gfp argument (6.6-aops-29)");
        return call();
      },
      [&](gate& g, bool released) {
        if (!released) return;
        g.require(!f.test(pg_private), prose::aops(30), "the private data is still there");
        obligations::released(f);
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
        obligations::changes(src);
      },
      [&] { return mapping.a_ops->migrate_folio(mapping, dst, src, mode); });
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

}  // namespace aops

HF_NAMESPACE_END
