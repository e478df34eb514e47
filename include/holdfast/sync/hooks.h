// SPDX-License-Identifier: Apache-2.0
//
// What every primitive calls around its work, and what a lock of another shape (a folio's lock bit)
// calls to take part: order of calls for one acquisition
//
//   before_acquire   may report recursion, order, blocking; nothing is recorded
//   ...the lock is taken...
//   after_acquire    records it (also the only call after a successful try)
//   before_release   reports a release by a context that doesn't hold it, else forgets it
//
// 1. All cost one relaxed load and a branch while checking is off and no scheduler listens.
// 2. A schedule point lies in each of them, in every wait and in every RCU transition. The hook may
//    block the thread; it takes none of the locks that it is told about.
#pragma once

#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

// RCU as the validator sees it. A section is before every lock that is waited for inside it; every
// lock that is held by a thread that waits for a grace period is before the section. Entering a
// section waits for nobody, and so is in no order. The same for callbacks, which rcu_barrier()
// waits for.
inline constinit lock_class rcu_class{"RCU section", lock_kind::rcu};
inline constinit lock_class rcu_callback_class{"RCU callback", lock_kind::rcu};

enum class sched_event : uint8_t {
  acquire,   // about to take a lock
  acquired,  // took it
  release,   // about to release it
  wait,      // about to sleep
  woken,     // came back from sleep
  rcu_lock,
  rcu_unlock,
  rcu_wait,  // synchronize_rcu, rcu_barrier, srcu synchronize
  rcu_call,  // call_rcu
};
using sched_hook = void (*)(sched_event event, const void* object);
// Null: none. Set only while no other thread runs Holdfast's code.
void set_sched_hook(sched_hook hook);

namespace detail {
void hook_before_acquire(const void* lock, lock_class& c, nest n, uint8_t depth, held mode);
void hook_after_acquire(const void* lock, lock_class& c, nest n, uint8_t depth, held mode);
void hook_before_release(const void* lock, lock_class& c, held mode);
void hook_downgrade(const void* lock, lock_class& c);
void hook_forget(const void* lock, lock_class& c, held mode);
void hook_sched(sched_event e, const void* object);
// read_begin() of a seqlock; writer_inside: it will wait, or would.
void hook_seq_read(const void* lock, lock_class& c, bool writer_inside);
// Is about to wait until readers, or callbacks, of class `c` are done.
void hook_wait_for_readers(lock_class& c);
// A thread of class `c` came into a slow path and slept for ns (0: it did not sleep).
void count_contention(lock_class& c, uint64_t slept_ns);
}  // namespace detail

inline void schedule_point(sched_event e, const void* object) {
  if (instrumented()) [[unlikely]]
    detail::hook_sched(e, object);
}
// The lock kinds that sleep (mutex, rwsem, percpu_rwsem, folio) imply might_block() here.
inline void before_acquire(const void* lock, lock_class& c, nest n, uint8_t depth, held mode) {
  if (instrumented()) [[unlikely]]
    detail::hook_before_acquire(lock, c, n, depth, mode);
}
inline void after_acquire(const void* lock, lock_class& c, nest n, uint8_t depth, held mode) {
  if (instrumented()) [[unlikely]]
    detail::hook_after_acquire(lock, c, n, depth, mode);
}
inline void before_release(const void* lock, lock_class& c, held mode) {
  if (instrumented()) [[unlikely]]
    detail::hook_before_release(lock, c, mode);
}
// The lock stays taken, but another context, or nobody that runs, answers for it from now on (a
// frozen superblock, a folio under I/O). The context that releases it calls after_acquire() first.
inline void forget_held(const void* lock, lock_class& c, held mode) {
  if (instrumented()) [[unlikely]]
    detail::hook_forget(lock, c, mode);
}

// Preloads an order that is known: `outer` at its nest is taken before `inner` at its. The reverse
// is then reported the first time it happens. Depth 0 (and each depth with itself).
void declare_order(lock_class& outer, nest outer_level, lock_class& inner, nest inner_level);

HF_NAMESPACE_END
