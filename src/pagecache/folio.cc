// SPDX-License-Identifier: Apache-2.0
//
// A folio's memory and its lock bit.
//
// The lock bit lives in `flags`; pg_waiters says that somebody sleeps on the word, for the lock or
// for the end of writeback. Who clears one of the two clears pg_waiters with it and wakes everyone,
// so a waiter sets pg_waiters again before each sleep.
#include <new>

#include "contract/obligations.h"
#include "holdfast/writeback.h"
#include "host/clock.h"
#include "host/futex.h"
#include "mem/page_alloc.h"
#include "mem/slab.h"
#include "pagecache/pagecache.h"

HF_NAMESPACE_BEGIN
namespace {

constinit slab_cache<folio> folios("folio");

void free_cb(rcu_head& head) {
  folio& f = container_of<&folio::rcu>(head);
  if (!f.test(pg_split)) free_pages(f.data, f.order);
  f.~folio();
  folios.free(&f);
}

bool take_bit(folio& f) {
  return !(f.flags.load(std::memory_order_relaxed) & pg_locked) &&
         !(f.flags.fetch_or(pg_locked, std::memory_order_acquire) & pg_locked);
}

// Sleeps until the word changes, if `bit` is still in it.
void sleep_while(folio& f, uint32_t bit) {
  uint32_t v = f.flags.load(std::memory_order_relaxed);
  if (!(v & bit)) return;
  if (!(v & pg_waiters) &&
      !f.flags.compare_exchange_weak(v, v | pg_waiters, std::memory_order_relaxed))
    return;
  futex_wait(f.flags, v | pg_waiters);
}

void lock_slow(folio& f) {
  constexpr int spins = 100;
  for (int i = 0; i < spins; ++i) {
    if (take_bit(f)) {
      detail::count_contention(folio_lock_class, 0);
      return;
    }
    cpu_relax();
  }
  const int64_t start = monotonic_ns();
  schedule_point(sched_event::wait, &f);
  while (!take_bit(f)) sleep_while(f, pg_locked);
  schedule_point(sched_event::woken, &f);
  detail::count_contention(folio_lock_class, static_cast<uint64_t>(monotonic_ns() - start));
}

}  // namespace

folio* folio_alloc(unsigned order, bool zero) {
  if (order > max_folio_order) return nullptr;
  folio* f = folios.allocate();
  if (!f) return nullptr;
  std::byte* data = alloc_pages(order, zero);
  if (!data) {
    folios.free(f);
    return nullptr;
  }
  new (f) folio;
  f->order = static_cast<uint8_t>(order);
  f->data = data;
  obligations::born(*f);
  return f;
}

folio* folio_alloc_on(std::byte* data, unsigned order) {
  folio* f = folios.allocate();
  if (!f) return nullptr;
  new (f) folio;
  f->order = static_cast<uint8_t>(order);
  f->data = data;
  return f;
}

void folio_discard_unused(folio* f) {
  if (!f) return;
  f->~folio();
  folios.free(f);
}

void folio_free(folio& f) {
  obligations::freed(f);
  call_rcu(f.rcu, free_cb);
}

bool folio_trylock(folio& f) {
  if (!take_bit(f)) return false;
  after_acquire(&f, folio_lock_class, nest::normal, 0, held::exclusive);
  return true;
}

void folio_lock(folio& f) {
  before_acquire(&f, folio_lock_class, nest::normal, 0, held::exclusive);
  if (!take_bit(f)) [[unlikely]]
    lock_slow(f);
  after_acquire(&f, folio_lock_class, nest::normal, 0, held::exclusive);
}

void folio_unlock(folio& f) {
  if (instrumented()) [[unlikely]]
    if (!obligations::unlocking(f)) before_release(&f, folio_lock_class, held::exclusive);
  // The last access to f: whoever locks it next may drop the last reference. The futex word may be
  // gone when the wake comes; a spurious wake of another word's waiters is harmless.
  if (f.flags.fetch_and(~(pg_locked | pg_waiters | pg_lent), std::memory_order_release) &
      pg_waiters)
    futex_wake(f.flags, wake_everyone);
}

void folio_lend(folio& f) {
  if (f.flags.fetch_or(pg_lent, std::memory_order_relaxed) & pg_lent) return;
  forget_held(&f, folio_lock_class, held::exclusive);
}

void folio_submit_read(folio& f) {
  obligations::read_submitted(f);
  folio_lend(f);
}

void folio_end_read(folio& f, bool success) {
  if (success) folio_mark_uptodate(f);
  folio_unlock(f);
}

void folio_attach_private(folio& f, void* priv) {
  f.priv = priv;
  f.flags.fetch_or(pg_private, std::memory_order_release);
  folio_get(f);
}

void* folio_detach_private(folio& f) {
  if (!(f.flags.fetch_and(~pg_private, std::memory_order_acq_rel) & pg_private)) return nullptr;
  void* priv = f.priv;
  f.priv = nullptr;
  folio_put(&f);
  return priv;
}

void folio_end_writeback(folio& f) {
  obligations::writeback_ends(f);
  folio_clear_marks(f, mark_writeback);
  if (f.flags.fetch_and(~(pg_writeback | pg_waiters), std::memory_order_release) & pg_waiters)
    futex_wake(f.flags, wake_everyone);
}

void folio_wait_writeback(folio& f) {
  if (!f.test(pg_writeback)) return;
  might_block("folio_wait_writeback");
  obligations::writeback_waited(f);
  schedule_point(sched_event::wait, &f);
  while (f.test(pg_writeback)) sleep_while(f, pg_writeback);
  schedule_point(sched_event::woken, &f);
}

size_t folios_in_use() {
  return folios.stats().in_use;
}

HF_NAMESPACE_END
