// SPDX-License-Identifier: Apache-2.0
//
// Read-copy-update: readers enter a section and may look at what others are replacing; what was
// replaced is freed after a grace period, when every section that could see it has ended.
//
// 1. A section never blocks (might_block() reports it). Sections nest; a thread registers at its
//    first.
// 2. Publish with rcu_ptr::store() after the object is filled; readers use rcu_ptr::load() inside a
//    section.
// 3. Callbacks of call_rcu run one after another on one thread that holds no lock; they may take
//    spinlocks and may not block.
// 4. The backlog is bounded: a caller that may block waits when too many callbacks are pending. One
//    that may not only queues.
// 5. After fork() the child has no callback thread: fork before the first call_rcu, or exec.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace detail {
void rcu_enter();
void rcu_leave();
void rcu_underflow();
void rcu_unprotected(const void* pointer);
}  // namespace detail

inline void rcu_read_lock() {
  if (detail::this_thread.own.rcu_depth++ == 0) detail::rcu_enter();
  schedule_point(sched_event::rcu_lock, nullptr);
}
inline void rcu_read_unlock() {
  schedule_point(sched_event::rcu_unlock, nullptr);
  uint32_t& depth = detail::this_thread.own.rcu_depth;
  if (checking_on() && depth == 0) [[unlikely]] {
    detail::rcu_underflow();
    return;
  }
  if (--depth == 0) detail::rcu_leave();
}
inline bool rcu_read_lock_held() {
  return detail::this_thread.own.rcu_depth != 0;
}

class [[nodiscard]] rcu_read_guard {
 public:
  rcu_read_guard() { rcu_read_lock(); }
  ~rcu_read_guard() {
    if (active_) rcu_read_unlock();
  }
  void unlock() {
    active_ = false;
    rcu_read_unlock();
  }
  rcu_read_guard(const rcu_read_guard&) = delete;
  rcu_read_guard& operator=(const rcu_read_guard&) = delete;

 private:
  bool active_ = true;
};

// Lies in the object that is to be freed.
struct rcu_head {
  rcu_head* next = nullptr;
  void (*func)(rcu_head&) = nullptr;
};

// Runs func(head) after a grace period. May block as said above.
void call_rcu(rcu_head& head, void (*func)(rcu_head&));
// Returns after a grace period. Blocks; not inside a section.
void synchronize_rcu();
// Returns when every callback queued before has run. Blocks; not inside a section, not in a
// callback.
void rcu_barrier();
// How far grace periods are; never 0. rcu_passed(mark): one that began after the mark was taken has
// ended, so that no section from before the mark is left.
uint64_t rcu_mark();
bool rcu_passed(uint64_t mark);
uint64_t rcu_pending();  // callbacks queued and not run, about

template <class T>
class rcu_ptr {
 public:
  constexpr rcu_ptr() = default;
  constexpr explicit rcu_ptr(T* p) : p_(p) {}
  rcu_ptr(const rcu_ptr&) = delete;
  rcu_ptr& operator=(const rcu_ptr&) = delete;

  // Inside a read section.
  T* load() const {
    T* p = p_.load(std::memory_order_acquire);
    if (checking_on() && !rcu_read_lock_held()) [[unlikely]]
      detail::rcu_unprotected(this);
    return p;
  }
  // Publishes; what was stored into *p before is visible to readers.
  void store(T* p) { p_.store(p, std::memory_order_release); }
  T* exchange(T* p) { return p_.exchange(p, std::memory_order_acq_rel); }
  // For who holds the lock of the writers, or owns the object alone.
  T* load_owned() const { return p_.load(std::memory_order_relaxed); }
  // Outside a section, kept alive by something else (a reference, a lock that excludes freeing).
  T* load_pinned() const { return p_.load(std::memory_order_acquire); }
  // Compares only; the result must not be dereferenced.
  bool is(const T* p) const { return p_.load(std::memory_order_acquire) == p; }

 private:
  std::atomic<T*> p_{nullptr};
};

HF_NAMESPACE_END
