// SPDX-License-Identifier: Apache-2.0
//
// A folio's memory and its lock bit.
//
// The lock bit lives in `flags`; pg_waiters says that somebody sleeps on the word. The release
// clears both and wakes everyone, so a waiter sets pg_waiters again before each sleep.
#include <new>

#include "holdfast/address_space.h"
#include "host/clock.h"
#include "host/futex.h"
#include "mem/page_alloc.h"
#include "mem/slab.h"

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
  while (!take_bit(f)) {
    uint32_t v = f.flags.load(std::memory_order_relaxed);
    if (!(v & pg_locked)) continue;
    if (!(v & pg_waiters) &&
        !f.flags.compare_exchange_weak(v, v | pg_waiters, std::memory_order_relaxed))
      continue;
    futex_wait(f.flags, v | pg_waiters);
  }
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
  before_release(&f, folio_lock_class, held::exclusive);
  // The last access to f: whoever locks it next may drop the last reference. The futex word may be
  // gone when the wake comes; a spurious wake of another word's waiters is harmless.
  if (f.flags.fetch_and(~(pg_locked | pg_waiters), std::memory_order_release) & pg_waiters)
    futex_wake(f.flags, wake_everyone);
}

size_t folios_in_use() {
  return folios.stats().in_use;
}

HF_NAMESPACE_END
