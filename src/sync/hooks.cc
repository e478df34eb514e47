// SPDX-License-Identifier: Apache-2.0
//
// The checks behind the hooks: the set of held locks of a context and what it permits.
//
// 1. Everything here runs only while checking is on or a scheduler listens, on the thread
//    concerned, and touches its context alone; the order graph and the reports have their own
//    locks.
// 2. A check that reports goes on as if the rule had been kept.
#include "holdfast/sync/hooks.h"

#include <cstdio>
#include <cstring>
#include <new>

#include "holdfast/sync/rcu.h"
#include "holdfast/sync/srcu.h"
#include "sync/order.h"
#include "sync/report.h"
#include "sync/thread.h"
#include "sync/trace.h"

#ifndef HOLDFAST_DEFAULT_CHECK_MODE
#define HOLDFAST_DEFAULT_CHECK_MODE 0
#endif

HF_NAMESPACE_BEGIN

namespace {

constinit std::atomic<check_mode> mode_now{static_cast<check_mode>(HOLDFAST_DEFAULT_CHECK_MODE)};
constinit std::atomic<sched_hook> scheduler{nullptr};

bool listens() {
  return (detail::sync_flags.load(std::memory_order_relaxed) & detail::flag_sched) != 0;
}

// May a thread that wants such a lock sleep?
bool sleeps(lock_kind k) {
  return k == lock_kind::mutex || k == lock_kind::rwsem || k == lock_kind::percpu_rwsem ||
         k == lock_kind::folio;
}

// May one context hold several of one class at one level?
bool orders_itself(lock_kind k) {
  return k == lock_kind::folio || k == lock_kind::srcu || k == lock_kind::rcu ||
         k == lock_kind::wait;
}

struct report {
  sync_violation v;
  char text[256];
  void* stack[max_lock_frames];

  // Built in a hook: the frames left out are this one's and the hook's.
  [[gnu::noinline]] explicit report(violation_kind k, size_t skip = 2) {
    v.kind = k;
    v.stack = stack;
    v.frames = capture_stack(stack, max_lock_frames, skip);
    v.summary = text;
    text[0] = '\0';
  }
  void about(const void* lock, lock_class& c, nest n, uint8_t depth, held mode) {
    v.lock = lock;
    v.cls = &c;
    v.level = n;
    v.depth = depth;
    v.mode = mode;
  }
  void send(unsigned extra = 0) {
    report_violation(
        v, violation_identity(v.kind, v.cls, static_cast<unsigned>(v.level) | extra << 8, stack,
                              v.frames));
  }
};

held_lock* find(exec_context& c, const void* lock) {
  for (uint32_t i = c.held_count; i > 0; --i)
    if (c.held_locks[i - 1].lock == lock) return &c.held_locks[i - 1];
  return nullptr;
}

held_lock* find(exec_context& c, const void* lock, held mode) {
  for (uint32_t i = c.held_count; i > 0; --i)
    if (c.held_locks[i - 1].lock == lock && c.held_locks[i - 1].mode == mode)
      return &c.held_locks[i - 1];
  return nullptr;
}

void remove(exec_context& c, held_lock* h) {
  auto at = static_cast<uint32_t>(h - c.held_locks);
  for (uint32_t i = at + 1; i < c.held_count; ++i) c.held_locks[i - 1] = c.held_locks[i];
  --c.held_count;
}

[[gnu::noinline]] void report_same_class(const void* lock, const order_key& inner, held mode) {
  report r(violation_kind::same_class, 3);
  r.about(lock, *inner.cls, inner.level, inner.depth, mode);
  snprintf(r.text, sizeof r.text,
           "takes a second %s at nest level %s: two locks of one class need distinct levels",
           inner.cls->name, to_string(inner.level));
  r.send();
}

// An order that was not known: learned, or reported. Out of line, since the stacks leave out its
// frame.
[[gnu::noinline]] void check_new_order(exec_context& c, const void* lock, const held_lock& outer,
                                       const order_key& inner, held mode) {
  void* stack[max_lock_frames];
  size_t frames = capture_stack(stack, max_lock_frames, 2);
  order_edge chain[max_order_chain];
  size_t length = 0;
  order_verdict verdict = learn_order(outer, inner, stack, frames, c.operation, chain, length);
  if (verdict == order_verdict::known || verdict == order_verdict::added) return;
  report r(violation_kind::order, 3);
  r.about(lock, *inner.cls, inner.level, inner.depth, mode);
  order_edge edge;
  edge.outer = outer.cls;
  edge.outer_level = outer.level;
  edge.outer_depth = outer.depth;
  edge.inner = inner.cls;
  edge.inner_level = inner.level;
  edge.inner_depth = inner.depth;
  edge.operation = c.operation;
  edge.outer_frames = outer.frames;
  memcpy(edge.outer_stack, outer.stack, sizeof edge.outer_stack);
  edge.inner_frames = static_cast<uint8_t>(frames);
  memcpy(edge.inner_stack, stack, frames * sizeof stack[0]);
  r.v.new_edge = &edge;
  r.v.chain = chain;
  r.v.chain_length = length;
  const auto slash = [](nest n) { return n == nest::normal ? "" : "/"; };
  const auto level = [](nest n) { return n == nest::normal ? "" : to_string(n); };
  snprintf(r.text, sizeof r.text, "takes %s%s%s while it holds %s%s%s; the reverse order is known",
           inner.cls->name, slash(inner.level), level(inner.level), outer.cls->name,
           slash(outer.level), level(outer.level));
  // By classes alone: the order is wrong wherever it is used.
  report_violation(r.v, violation_identity(r.v.kind, inner.cls,
                                           static_cast<unsigned>(inner.level) |
                                               static_cast<unsigned>(outer.level) << 8 |
                                               outer.cls->id.load() << 16,
                                           nullptr, 0));
}

// Inlined, since the stacks leave out the hook's frame and that of what it calls.
[[gnu::always_inline]] inline void check_order(exec_context& c, const void* lock,
                                               const order_key& inner, held mode) {
  const uint32_t node = order_graph::find_node(inner);
  for (uint32_t i = 0; i < c.held_count; ++i) {
    held_lock& outer = c.held_locks[i];
    if (order_graph::is_known(outer.order_node, node)) continue;
    if (outer.cls == inner.cls && outer.level == inner.level && outer.depth == inner.depth) {
      if (!orders_itself(inner.cls->kind)) report_same_class(lock, inner, mode);
      continue;
    }
    check_new_order(c, lock, outer, inner, mode);
    outer.order_node = order_graph::find_node({outer.cls, outer.level, outer.depth});
  }
}

bool order_is_known(const held_lock& outer, const order_key& inner) {
  return order_graph::is_known(order_graph::find_node({outer.cls, outer.level, outer.depth}),
                               order_graph::find_node(inner));
}

// Who waits for a lock inside an RCU section delays the grace period: the section comes before the
// lock, and before that comes what is held by whoever waits for a grace period.
constinit held_lock rcu_section{.cls = &rcu_class};
constinit held_lock rcu_callback{.cls = &rcu_callback_class};

}  // namespace

void set_check_mode(check_mode m) {
  mode_now.store(m);
  if (m == check_mode::off)
    detail::sync_flags.fetch_and(~detail::flag_checking);
  else if (checking_compiled_in)
    detail::sync_flags.fetch_or(detail::flag_checking);
}
check_mode get_check_mode() {
  return mode_now.load(std::memory_order_relaxed);
}

void set_sched_hook(sched_hook hook) {
  scheduler.store(hook);
  if (hook == nullptr)
    detail::sync_flags.fetch_and(~detail::flag_sched);
  else if (checking_compiled_in)
    detail::sync_flags.fetch_or(detail::flag_sched);
}

held held_mode(const void* lock) {
  exec_context& c = this_context();
  held_lock* h = find(c, lock);
  return h != nullptr ? h->mode : held::none;
}

namespace detail {

constinit std::atomic<uint32_t> sync_flags{
    checking_compiled_in && HOLDFAST_DEFAULT_CHECK_MODE != 0 ? flag_checking : 0};

void hook_sched(sched_event e, const void* object) {
  if (tracing()) trace_sched(e);
  if (!listens()) return;
  if (sched_hook h = scheduler.load(std::memory_order_acquire)) h(e, object);
}

[[gnu::noinline]] void hook_before_acquire(const void* lock, lock_class& c, nest n, uint8_t depth,
                                           held mode) {
  hook_sched(sched_event::acquire, lock);
  if (tracing()) trace_wanted(lock, c, n, depth, mode);
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  if (sleeps(c.kind)) check_might_block(c.name);
  if (held_lock* h = find(x, lock)) {
    if (c.kind == lock_kind::srcu) return;
    report r(violation_kind::recursion);
    r.about(lock, c, n, depth, mode);
    snprintf(r.text, sizeof r.text, "takes %s %s, which it already holds %s", c.name,
             to_string(mode), to_string(h->mode));
    r.send();
    return;
  }
  const order_key key{&c, n, depth};
  check_order(x, lock, key, mode);
  if (sleeps(c.kind)) return;  // in a section or a callback that was reported as blocking
  if (this_thread.own.rcu_depth != 0 && !order_is_known(rcu_section, key))
    check_new_order(x, lock, rcu_section, key, mode);
  if (this_thread.in_rcu_callback && !order_is_known(rcu_callback, key))
    check_new_order(x, lock, rcu_callback, key, mode);
}

// A reader of a seqlock waits while a writer is inside; nobody waits for a reader.
[[gnu::noinline]] void hook_seq_read(const void* lock, lock_class& c, bool writer_inside) {
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  if (find(x, lock) != nullptr) {
    if (!writer_inside) return;  // it only excludes writers
    report r(violation_kind::recursion);
    r.about(lock, c, nest::normal, 0, held::shared);
    snprintf(r.text, sizeof r.text, "reads under %s, which it is writing: it waits for itself",
             c.name);
    r.send();
    return;
  }
  check_order(x, lock, {&c, nest::normal, 0}, held::shared);
}

[[gnu::noinline]] void hook_wait_for_readers(lock_class& c) {
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  check_order(x, nullptr, {&c, nest::normal, 0}, held::exclusive);
}

[[gnu::noinline]] void hook_after_acquire(const void* lock, lock_class& c, nest n, uint8_t depth,
                                          held mode) {
  hook_sched(sched_event::acquired, lock);
  if (tracing()) trace_lock(trace_kind::lock_taken, lock, c, n, depth, mode);
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  if (x.held_locks == nullptr) {
    x.held_locks = new (std::nothrow) held_lock[max_held_locks];
    // A context that isn't a thread's own is freed with whatever it lies in; see release_context().
    if (x.held_locks != nullptr && &x == &this_thread.own) watch_thread_exit();
  }
  if (x.held_locks == nullptr) {
    ++x.untracked;
    return;
  }
  if (x.held_count == max_held_locks) {
    ++x.untracked;
    report r(violation_kind::too_many_locks);
    r.about(lock, c, n, depth, mode);
    snprintf(r.text, sizeof r.text, "holds more than %zu locks", max_held_locks);
    r.send();
    return;
  }
  if (c.id.load(std::memory_order_relaxed) == 0) register_lock_class(c);
  c.acquired.fetch_add(1, std::memory_order_relaxed);
  held_lock& h = x.held_locks[x.held_count];
  h.lock = lock;
  h.cls = &c;
  h.level = n;
  h.depth = depth;
  h.mode = mode;
  h.order_node = order_graph::find_node({&c, n, depth});
  h.frames = static_cast<uint8_t>(capture_stack(h.stack, max_lock_frames, 1));
  ++x.held_count;
}

[[gnu::noinline]] void hook_before_release(const void* lock, lock_class& c, held mode) {
  hook_sched(sched_event::release, lock);
  if (tracing()) trace_lock(trace_kind::lock_dropped, lock, c, nest::normal, 0, mode);
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  if (held_lock* h = find(x, lock, mode)) {
    remove(x, h);
    return;
  }
  held_lock* other = find(x, lock);
  if (other == nullptr && x.untracked > 0) {
    --x.untracked;
    return;
  }
  report r(violation_kind::wrong_release);
  r.about(lock, c, nest::normal, 0, mode);
  if (other != nullptr)
    snprintf(r.text, sizeof r.text, "releases %s %s, which it holds %s", c.name, to_string(mode),
             to_string(other->mode));
  else
    snprintf(r.text, sizeof r.text, "releases %s, which it doesn't hold", c.name);
  r.send();
  if (other != nullptr) {
    remove(x, other);
  } else if (c.kind == lock_kind::spinlock || c.kind == lock_kind::seqlock) {
    // The caller counts down in a moment what was never counted up.
    if (this_thread.own.atomic_depth == 0) ++this_thread.own.atomic_depth;
  }
}

void hook_forget(const void* lock, lock_class& c, held mode) {
  if (tracing()) trace_pass_on(lock, c, mode);
  hook_before_release(lock, c, mode);
}

[[gnu::noinline]] void hook_downgrade(const void* lock, lock_class& c) {
  hook_sched(sched_event::release, lock);
  if (tracing()) trace_lock(trace_kind::lock_downgraded, lock, c, nest::normal, 0, held::shared);
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  if (held_lock* h = find(x, lock, held::exclusive)) {
    h->mode = held::shared;
    return;
  }
  if (x.untracked > 0) return;
  report r(violation_kind::wrong_release);
  r.about(lock, c, nest::normal, 0, held::exclusive);
  snprintf(r.text, sizeof r.text, "downgrades %s, which it doesn't hold exclusively", c.name);
  r.send();
}

[[gnu::noinline]] void check_might_block(const char* what) {
  exec_context& own = this_thread.own;
  exec_context& x = this_context();
  if (x.quiet != 0 || own.quiet != 0) return;
  auto sum = [&](uint32_t exec_context::* m) { return own.*m + (&x != &own ? x.*m : 0); };
  violation_kind kind;
  if (sum(&exec_context::rcu_depth) != 0)
    kind = violation_kind::blocks_in_rcu;
  else if (sum(&exec_context::atomic_depth) != 0)
    kind = violation_kind::blocks_in_atomic;
  else if (sum(&exec_context::no_block_depth) != 0)
    kind = violation_kind::blocks_forbidden;
  else
    return;
  report r(kind);
  const char* reason = x.no_block_depth != 0 ? x.no_block_reason : own.no_block_reason;
  switch (kind) {
    case violation_kind::blocks_in_rcu:
      snprintf(r.text, sizeof r.text, "%s may block, inside an RCU read section", what);
      break;
    case violation_kind::blocks_in_atomic:
      snprintf(r.text, sizeof r.text, "%s may block, under a spinlock", what);
      break;
    default:
      snprintf(r.text, sizeof r.text, "%s may block, in a call that may not: %s", what,
               reason != nullptr ? reason : "?");
  }
  r.send();
}

[[gnu::noinline]] void check_no_locks(const char* where) {
  exec_context& x = this_context();
  if (x.quiet != 0) return;
  if (x.held_count == 0 && x.rcu_depth == 0 && x.atomic_depth == 0) return;
  report r(violation_kind::left_locked);
  if (x.held_count != 0) {
    const held_lock& h = x.held_locks[0];
    r.about(h.lock, *h.cls, h.level, h.depth, h.mode);
  }
  snprintf(r.text, sizeof r.text, "%s ends with %u locks held (first: %s), RCU depth %u", where,
           x.held_count, x.held_count != 0 ? x.held_locks[0].cls->name : "-", x.rcu_depth);
  r.send();
}

[[gnu::noinline]] void rcu_underflow() {
  if (this_context().quiet != 0) return;
  report r(violation_kind::rcu_unbalanced);
  snprintf(r.text, sizeof r.text, "rcu_read_unlock without rcu_read_lock");
  r.send();
}

[[gnu::noinline]] void rcu_unprotected(const void* pointer) {
  if (this_context().quiet != 0) return;
  report r(violation_kind::rcu_unprotected);
  r.v.lock = pointer;
  snprintf(r.text, sizeof r.text, "dereferences an RCU pointer outside a read section");
  r.send();
}

[[gnu::noinline]] void srcu_check_synchronize(const void* domain, lock_class& c) {
  exec_context& x = this_context();
  if (!checking_on() || x.quiet != 0) return;
  if (find(x, domain) == nullptr) {
    check_order(x, domain, {&c, nest::normal, 0}, held::exclusive);
    return;
  }
  report r(violation_kind::recursion);
  r.about(domain, c, nest::normal, 0, held::shared);
  snprintf(r.text, sizeof r.text, "waits for readers of %s inside a section of it", c.name);
  r.send();
}

void set_detail(exec_context& c, std::string_view a, std::string_view b) {
  size_t used = 0;
  auto put = [&](std::string_view s) {
    size_t n = s.size() < sizeof c.detail - 1 - used ? s.size() : sizeof c.detail - 1 - used;
    memcpy(c.detail + used, s.data(), n);
    used += n;
  };
  if (!a.empty()) put(a);
  if (!b.empty()) {
    put(" -> ");
    put(b);
  }
  c.detail[used] = '\0';
}

}  // namespace detail

HF_NAMESPACE_END
