// SPDX-License-Identifier: Apache-2.0
//
// Execution contexts: what a thread is doing and which locks it holds while it does it.
//
// 1. this_context() is the thread's own context, or one it borrowed (borrow_context). A thread that
//    lends its context is parked until the borrower gives it back: contexts have no lock.
// 2. rcu_depth and atomic_depth count always, held locks are recorded only while checking is on.
//    They count for the thread that enters; might_block() looks at the own and at the borrowed
//    context.
// 3. The set of held locks is allocated at its first use. If that fails, locks go unrecorded and
//    releases of unknown locks are not reported for this context: a lack of memory never makes a
//    false report.
// 4. set_check_mode() is called only while no locks are held anywhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "holdfast/abi.h"
#include "holdfast/sync/annotations.h"
#include "holdfast/sync/lock_class.h"

HF_NAMESPACE_BEGIN

struct task;
class event_watch;
enum class call_site : uint8_t;  // holdfast/events.h

enum class held : uint8_t { none, shared, exclusive };
const char* to_string(held h);

inline constexpr size_t max_held_locks = 48;
inline constexpr size_t max_lock_frames = 12;

// One acquisition that was not released yet.
struct held_lock {
  const void* lock = nullptr;
  lock_class* cls = nullptr;
  nest level = nest::normal;
  uint8_t depth = 0;  // stacking depth of the file system the lock belongs to
  held mode = held::none;
  uint8_t frames = 0;
  uint16_t order_node = 0;  // the validator's number for (class, level, depth); 0: none yet
  void* stack[max_lock_frames] = {};  // return addresses, innermost first
};

// exec_context::alloc_flags; they hold for every allocation made in the context.
inline constexpr uint32_t alloc_nofs = 1u << 0;    // reclaim must not call into a file system
inline constexpr uint32_t alloc_noio = 1u << 1;    // nor start I/O
inline constexpr uint32_t alloc_atomic = 1u << 2;  // nor block

struct exec_context {
  uint32_t rcu_depth = 0;       // RCU read sections entered
  uint32_t atomic_depth = 0;    // spinlocks held
  uint32_t no_block_depth = 0;  // calls entered that may not block
  uint32_t alloc_flags = 0;
  uint32_t no_user_memory = 0;  // > 0: a worker's context, behind which no task's memory lies
  const char* no_block_reason = nullptr;
  const void* inside = nullptr;  // the gate of the innermost call of a method, for reports
  struct task* task = nullptr;
  const char* operation = nullptr;  // "rename"; static storage
  char detail[96] = {};             // "/a/b -> /c/d", cut if longer; filled while checking is on

  held_lock* held_locks = nullptr;  // max_held_locks entries, or null
  uint32_t held_count = 0;
  uint32_t untracked = 0;  // acquisitions that found no room
  uint32_t quiet = 0;      // > 0: checks are suspended (a report is being written)

  event_watch* watches = nullptr;  // rules that wait for events of this context, innermost first
  call_site site{};                // the place that is about to call a method which asks for it

  const held_lock* begin() const { return held_locks; }
  const held_lock* end() const { return held_locks + held_count; }
};

namespace detail {

inline constexpr uint32_t flag_checking = 1u << 0;
inline constexpr uint32_t flag_sched = 1u << 1;
inline constexpr uint32_t flag_trace = 1u << 2;
extern constinit std::atomic<uint32_t> sync_flags;

struct thread_state {
  exec_context own;
  exec_context* borrowed = nullptr;
  uint32_t shard = 0;           // 0: none yet
  uint32_t rcu_registered = 0;  // with liburcu
  bool in_rcu_callback = false;
  const char* stack_low = nullptr;
  const char* stack_high = nullptr;
};
extern constinit thread_local thread_state this_thread [[gnu::tls_model("initial-exec")]];

uint32_t assign_shard();
void check_might_block(const char* what);
void check_no_locks(const char* where);
void set_detail(exec_context& c, std::string_view a, std::string_view b);
void operation_began(exec_context& c, std::string_view a, std::string_view b);
void operation_ends(exec_context& c);

}  // namespace detail

inline exec_context& this_context() {
  detail::thread_state& t = detail::this_thread;
  return t.borrowed != nullptr ? *t.borrowed : t.own;
}

// A small number of the thread's own, from 1, for picking a shard.
inline uint32_t thread_shard() {
  uint32_t s = detail::this_thread.shard;
  return s != 0 ? s : detail::assign_shard();
}

// --- the switch ---

enum class check_mode : uint8_t { off, report, abort };
void set_check_mode(check_mode m);
check_mode get_check_mode();

// One relaxed load; false at compile time where checking is compiled out.
inline bool checking_on() {
  if constexpr (checking_compiled_in)
    return (detail::sync_flags.load(std::memory_order_relaxed) & detail::flag_checking) != 0;
  return false;
}
// A trace sink is set (holdfast/trace.h).
inline bool tracing() {
  if constexpr (checking_compiled_in)
    return (detail::sync_flags.load(std::memory_order_relaxed) & detail::flag_trace) != 0;
  return false;
}
// Checking is on, a scheduler listens or a trace is written: the condition that every primitive
// tests.
inline bool instrumented() {
  if constexpr (checking_compiled_in)
    return detail::sync_flags.load(std::memory_order_relaxed) != 0;
  return false;
}

// --- questions ---

// How this context holds `lock`; always none while checking is off.
held held_mode(const void* lock);
// True if the running code may sleep: no RCU section, no spinlock, no call that forbids it. Known
// also while checking is off.
inline bool may_block() {
  const detail::thread_state& t = detail::this_thread;
  auto blocked = [](const exec_context& c) {
    return (c.rcu_depth | c.atomic_depth | c.no_block_depth) != 0;
  };
  return !blocked(t.own) && !(t.borrowed != nullptr && blocked(*t.borrowed));
}
// Called by everything that may sleep; reports if it must not here.
inline void might_block(const char* what) {
  if (checking_on()) [[unlikely]]
    detail::check_might_block(what);
}
// At the end of a system call, request or thread: reports locks or sections that were left behind.
inline void assert_no_locks_held(const char* where) {
  if (checking_on()) [[unlikely]]
    detail::check_no_locks(where);
}

// Frees what checking allocated for a context that is not a thread's own, before its memory goes.
void release_context(exec_context& c);

// --- scopes ---

class borrow_context {
 public:
  explicit borrow_context(exec_context& lender) : before_(detail::this_thread.borrowed) {
    detail::this_thread.borrowed = &lender;
  }
  ~borrow_context() { detail::this_thread.borrowed = before_; }
  borrow_context(const borrow_context&) = delete;
  borrow_context& operator=(const borrow_context&) = delete;

 private:
  exec_context* before_;
};

// While it lives, anything that may sleep is a violation. `reason` has static storage.
class no_block_guard {
 public:
  explicit no_block_guard(const char* reason)
      : context_(this_context()), before_(context_.no_block_reason) {
    ++context_.no_block_depth;
    context_.no_block_reason = reason;
  }
  ~no_block_guard() {
    --context_.no_block_depth;
    context_.no_block_reason = before_;
  }
  no_block_guard(const no_block_guard&) = delete;
  no_block_guard& operator=(const no_block_guard&) = delete;

 private:
  exec_context& context_;
  const char* before_;
};

// Names the operation for reports. `name` has static storage; a and b are copied while checking is
// on.
class operation_scope {
 public:
  explicit operation_scope(const char* name, std::string_view a = {}, std::string_view b = {})
      : context_(this_context()), before_(context_.operation) {
    context_.operation = name;
    if (instrumented()) [[unlikely]]
      detail::operation_began(context_, a, b);
  }
  ~operation_scope() {
    if (instrumented()) [[unlikely]]
      detail::operation_ends(context_);
    context_.operation = before_;
    context_.detail[0] = '\0';
  }
  operation_scope(const operation_scope&) = delete;
  operation_scope& operator=(const operation_scope&) = delete;

 private:
  exec_context& context_;
  const char* before_;
};

// For a worker that serves no task (a loop device's, writeback): copies from or to a task's memory
// are violations while it lives.
class no_user_memory_scope {
 public:
  no_user_memory_scope() : context_(this_context()) { ++context_.no_user_memory; }
  ~no_user_memory_scope() { --context_.no_user_memory; }
  no_user_memory_scope(const no_user_memory_scope&) = delete;
  no_user_memory_scope& operator=(const no_user_memory_scope&) = delete;

 private:
  exec_context& context_;
};

// Adds allocation flags for its life.
class alloc_scope {
 public:
  explicit alloc_scope(uint32_t flags) : context_(this_context()), before_(context_.alloc_flags) {
    context_.alloc_flags |= flags;
  }
  ~alloc_scope() { context_.alloc_flags = before_; }
  alloc_scope(const alloc_scope&) = delete;
  alloc_scope& operator=(const alloc_scope&) = delete;

 private:
  exec_context& context_;
  uint32_t before_;
};

HF_NAMESPACE_END
