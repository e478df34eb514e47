// SPDX-License-Identifier: Apache-2.0
//
// Folios and the mapping that indexes them.
//
// 1. A folio's identity (mapping, index) changes only under its lock and the mapping's i_pages
//    lock.
// 2. Lookups take no lock: a folio found under RCU is used inside the read section after
//    re-checking that the mapping still has it, or after folio_try_get() and the same re-check.
// 3. Memory of a folio is freed after a grace period.
// 4. The index refers to a folio of order n at every one of its 2^n page positions, aligned to 2^n.
// 5. References: the index holds one; whoever uses a folio outside of an RCU section holds one.
// 6. A folio under I/O may stay locked without a thread that holds it: it is lent to the I/O, whose
//    completion unlocks it, on any thread.
// 7. A large folio may be split into smaller ones on the same memory (truncation does): the old
//    folio then has left its mapping, like one that was truncated.
//
// Lock order: invalidate_lock -> folio lock -> i_pages (a leaf). No two folio locks at a time.
#pragma once

#include "holdfast/list.h"
#include "holdfast/lock_classes.h"
#include "holdfast/operations.h"
#include "holdfast/sync/guard.h"
#include "holdfast/sync/rcu.h"
#include "holdfast/sync/relaxed.h"
#include "holdfast/sync/rwsem.h"
#include "holdfast/sync/spinlock.h"

HF_NAMESPACE_BEGIN

// folio::flags
inline constexpr uint32_t pg_locked = 1u << 0;
inline constexpr uint32_t pg_waiters = 1u << 1;
inline constexpr uint32_t pg_uptodate = 1u << 2;
inline constexpr uint32_t pg_dirty = 1u << 3;
inline constexpr uint32_t pg_writeback = 1u << 4;
inline constexpr uint32_t pg_private = 1u << 5;
inline constexpr uint32_t pg_referenced = 1u << 6;
inline constexpr uint32_t pg_error = 1u << 7;
inline constexpr uint32_t pg_lru = 1u << 8;
inline constexpr uint32_t pg_workingset = 1u << 9;
inline constexpr uint32_t pg_readahead = 1u << 10;
inline constexpr uint32_t pg_swapcache = 1u << 11;
inline constexpr uint32_t pg_hwpoison = 1u << 12;
inline constexpr uint32_t pg_split = 1u << 13;  // `data` belongs to the parts now
inline constexpr uint32_t pg_active = 1u << 14;
inline constexpr uint32_t pg_lent = 1u << 15;  // locked, and no thread holds it: I/O unlocks it

// folio::marks: what the index says of a folio, for whoever looks for dirty ones. A mark may be set
// while the flag is clear (between folio_clear_dirty_for_io and writeback), never the reverse in an
// unlocked folio.
inline constexpr uint8_t mark_dirty = 1u << 0;
inline constexpr uint8_t mark_writeback = 1u << 1;
inline constexpr uint8_t mark_towrite = 1u << 2;

struct folio {
  std::atomic<uint32_t> flags{0};
  std::atomic<int32_t> refcount{1};
  std::atomic<address_space*> mapping{nullptr};
  relaxed<pgoff_t> index{0};
  uint8_t order = 0;              // 2^order pages
  std::atomic<uint8_t> marks{0};  // written under i_pages.lock, read without
  uint32_t lock_owner_tag = 0;
  std::byte* data = nullptr;  // size() bytes, page aligned
  void* priv = nullptr;       // with pg_private
  list_node lru;
  rcu_head rcu;

  size_t size() const { return page_size << order; }
  size_t nr_pages() const { return size_t{1} << order; }
  loff_t pos() const { return static_cast<loff_t>(index.load() << page_shift); }
  bool test(uint32_t bit) const { return flags.load(std::memory_order_acquire) & bit; }
};

// Positions to folios: a radix tree of 64-way nodes. Readers under RCU, writers under lock.
struct page_index {
  std::atomic<void*> root{nullptr};  // written under lock, read without
  spinlock<i_pages_class> lock;
};

// address_space::flags
inline constexpr uint32_t as_eio = 1u << 0;
inline constexpr uint32_t as_enospc = 1u << 1;
inline constexpr uint32_t as_unevictable = 1u << 3;
inline constexpr uint32_t as_exiting = 1u << 4;
inline constexpr uint32_t as_large_folio = 1u << 6;
inline constexpr uint32_t as_absent_is_hole =
    1u << 7;  // what has no folio reads as zeros; ->read_folio isn't asked
inline constexpr uint32_t as_invalidating = 1u << 8;  // ->invalidate_folio runs (while checking)
inline constexpr uint32_t as_swap_active = 1u << 9;   // ->swap_activate succeeded
inline constexpr uint32_t as_swap_rw = 1u << 10;      // ... and asked for ->swap_rw

struct address_space {
  inode* host = nullptr;
  page_index i_pages;
  rwsem<invalidate_lock_class> invalidate_lock;
  relaxed<uint64_t> nrpages{0};  // written under i_pages.lock, read without
  const address_space_operations* a_ops = nullptr;
  relaxed<uint32_t> flags{0};
  std::atomic<uint32_t> wb_err{0};  // errseq
  gfp_t gfp_mask = 0;
  void* private_data = nullptr;
};

// ---- folios

inline constexpr unsigned max_folio_order = 9;

// 2^order pages with one reference, in no mapping, unlocked. Null: out of memory.
folio* folio_alloc(unsigned order, bool zero);
inline void folio_get(folio& f) {
  f.refcount.fetch_add(1, std::memory_order_relaxed);
}
// In an RCU section. False: the folio is on its way out.
inline bool folio_try_get(folio& f) {
  int32_t n = f.refcount.load(std::memory_order_relaxed);
  while (n > 0)
    if (f.refcount.compare_exchange_weak(n, n + 1, std::memory_order_acquire)) return true;
  return false;
}
void folio_free(folio& f);  // folio_put()'s; the last reference is gone
inline void folio_put(folio* f) {
  if (f && f->refcount.fetch_sub(1, std::memory_order_acq_rel) == 1) folio_free(*f);
}

bool folio_trylock(folio& f);
void folio_lock(folio& f);  // blocks
// Of a lent folio: on any thread.
void folio_unlock(folio& f);
// The lock passes from the calling context to I/O that is about to be submitted.
void folio_lend(folio& f);
inline bool folio_locked(const folio& f) {
  return f.test(pg_locked);
}
inline void folio_mark_uptodate(folio& f) {
  f.flags.fetch_or(pg_uptodate, std::memory_order_release);
}
inline void folio_clear_uptodate(folio& f) {
  f.flags.fetch_and(~pg_uptodate);
}

// Reading. A method that begins I/O into a locked folio says so with folio_submit_read(), which
// lends the folio; the I/O's completion ends it with folio_end_read(), on any thread.
void folio_submit_read(folio& f);
void folio_end_read(folio& f, bool success);  // marks uptodate on success; unlocks

// A file system's own on a folio. Locked; one reference.
void folio_attach_private(folio& f, void* priv);
void* folio_detach_private(folio& f);

// A folio whose lock and reference this object gives back.
class LockedFolio {
 public:
  LockedFolio() = default;
  explicit LockedFolio(folio* f) : f_(f) {}  // locked and referenced by the caller; null is allowed
  LockedFolio(LockedFolio&& o) noexcept : f_(o.release()) {}
  LockedFolio& operator=(LockedFolio&& o) noexcept {
    if (this != &o) {
      reset();
      f_ = o.release();
    }
    return *this;
  }
  LockedFolio(const LockedFolio&) = delete;
  LockedFolio& operator=(const LockedFolio&) = delete;
  ~LockedFolio() { reset(); }
  void reset() {
    if (folio* f = release()) {
      folio_unlock(*f);
      folio_put(f);
    }
  }
  folio* release() {  // lock and reference are the caller's again
    folio* f = f_;
    f_ = nullptr;
    return f;
  }
  folio* get() const { return f_; }
  folio& operator*() const { return *f_; }
  folio* operator->() const { return f_; }
  explicit operator bool() const { return f_ != nullptr; }

 private:
  folio* f_ = nullptr;
};

// ---- the index

// The folio at a position, not referenced; in an RCU section (invariant 2), or with i_pages.lock
// held.
folio* filemap_peek(const address_space& mapping, pgoff_t index);
// True while `f` is the mapping's; meaningful in the section that found it, or with f locked.
inline bool folio_in(const folio& f, const address_space& mapping) {
  return f.mapping.load(std::memory_order_acquire) == &mapping;
}
// Referenced; null: there is none.
folio* filemap_get_folio(address_space& mapping, pgoff_t index);
// Referenced and locked, and still the mapping's; empty: there is none.
LockedFolio filemap_lock_folio(address_space& mapping, pgoff_t index);
// Puts a new folio into the mapping, locked: at `index`, a multiple of its number of pages. The
// index takes a reference of its own. Errors: EEXIST (a folio is in the way), ENOMEM; f is then
// unlocked again.
Status filemap_add_folio(address_space& mapping, folio& f, pgoff_t index);
// Takes a locked folio out; drops the index's reference.
void filemap_remove_folio(folio& f);

// Referenced folios that carry `mark` (one of mark_*; 0: all) and lie in [index, end], at most n,
// in order; sets index behind them.
unsigned filemap_get_marked(address_space& mapping, pgoff_t& index, pgoff_t end, uint8_t mark,
                            folio** out, unsigned n);

// ---- readahead

// A stretch of new folios, in the index, locked and lent, that ->readahead may read as it likes. It
// takes them in order with readahead_folio(); those that it leaves the caller unlocks.
struct readahead_control {
  file* filp = nullptr;  // may be null
  address_space* mapping = nullptr;
  pgoff_t index = 0;         // of the folio taken last; before that, of the first
  unsigned nr_pages = 0;     // from there on
  unsigned batch_count = 0;  // pages of the folio taken last; 0 before
};
// The next folio, for reading: the caller unlocks it, or submits I/O whose completion does. Null:
// no more. The index's reference keeps it while it is locked.
folio* readahead_folio(readahead_control& rac);

// ---- migration

enum class migrate_mode : uint8_t { async, sync_light, sync, sync_no_copy };

// ---- obligations

// Reports what was promised for a folio of the mapping and not done: an unlock, an end of
// writeback. `drained`: no I/O runs any more; else what I/O may still do is not missed. Nothing
// while checking is off. Called at eviction, and at unmount for inodes that are still in use.
void report_open_obligations(address_space& mapping, bool drained);
void report_open_obligations(super_block& sb);

// ---- truncation; callers hold invalidate_lock exclusively, or are the only users left

// Removes what lies wholly in [start, end] and zeroes the rest of it; end -1: to the end. Waits for
// folios that are locked. Large folios across a boundary are split; where that can't be done now
// (no memory, somebody else uses them) they are zeroed and kept.
void truncate_inode_pages_range(address_space& mapping, loff_t start, loff_t end);
inline void truncate_inode_pages(address_space& mapping, loff_t start) {
  truncate_inode_pages_range(mapping, start, -1);
}

HF_NAMESPACE_END
