// SPDX-License-Identifier: Apache-2.0
//
// The trace sink and what the hooks feed it.
//
// 1. A removal waits for the calls that are under way, so a sink's context may be freed after it.
// 2. Sleeping is reported once for each acquisition, by the lock that was asked for: slow paths
//    sleep on words inside of it.
#include "sync/trace.h"

#include <thread>

#include "host/clock.h"
#include "host/thread_id.h"

HF_NAMESPACE_BEGIN

namespace {

constinit std::atomic<trace_fn> sink{nullptr};
constinit std::atomic<void*> sink_context{nullptr};
constinit std::atomic<uint32_t> under_way{0};

struct wanted_lock {
  const void* lock = nullptr;
  const lock_class* cls = nullptr;
  nest level = nest::normal;
  uint8_t depth = 0;
  held mode = held::none;
};
constinit thread_local wanted_lock wanted;
constinit thread_local const void* passing = nullptr;

trace_event event_of(trace_kind k, const wanted_lock& w) {
  trace_event e;
  e.kind = k;
  e.lock = w.lock;
  e.cls = w.cls;
  e.level = w.level;
  e.depth = w.depth;
  e.mode = w.mode;
  return e;
}

void emit_operation(trace_kind k, exec_context& c) {
  trace_event e;
  e.kind = k;
  e.operation = c.operation != nullptr ? c.operation : "";
  e.detail = c.detail;
  detail::trace_emit(e);
}

}  // namespace

void set_trace_sink(trace_fn fn, void* context) {
  detail::sync_flags.fetch_and(~detail::flag_trace);
  sink.store(nullptr);
  while (under_way.load() != 0) std::this_thread::yield();
  if (fn == nullptr) return;
  sink_context.store(context);
  sink.store(fn);
  if (checking_compiled_in) detail::sync_flags.fetch_or(detail::flag_trace);
}

namespace detail {

void trace_emit(trace_event& e) {
  exec_context& c = this_context();
  if (c.quiet != 0) return;
  under_way.fetch_add(1);
  if (const trace_fn fn = sink.load()) {
    e.time_ns = monotonic_ns();
    e.thread = thread_id();
    e.context = &c;
    fn(e, sink_context.load());
  }
  under_way.fetch_sub(1);
}

void trace_wanted(const void* lock, const lock_class& c, nest n, uint8_t depth, held mode) {
  wanted = {lock, &c, n, depth, mode};
}

void trace_lock(trace_kind k, const void* lock, const lock_class& c, nest n, uint8_t depth,
                held mode) {
  if (k == trace_kind::lock_taken) {
    if (wanted.lock == lock) wanted = {};
  } else if (passing == lock) {
    passing = nullptr;
    if (k == trace_kind::lock_dropped) return;
  }
  trace_event e = event_of(k, {lock, &c, n, depth, mode});
  trace_emit(e);
}

void trace_pass_on(const void* lock, const lock_class& c, held mode) {
  trace_lock(trace_kind::lock_passed_on, lock, c, nest::normal, 0, mode);
  passing = lock;
}

void trace_sched(sched_event s) {
  const uint32_t depth = this_thread.own.rcu_depth;
  trace_event e;
  switch (s) {
    case sched_event::rcu_lock:
      e.kind = trace_kind::rcu_begin;
      if (depth == 1) trace_emit(e);
      return;
    case sched_event::rcu_unlock:
      e.kind = trace_kind::rcu_end;
      if (depth == 1) trace_emit(e);
      return;
    case sched_event::wait:
      if (wanted.lock == nullptr) return;
      e = event_of(trace_kind::lock_waits, wanted);
      wanted = {};
      trace_emit(e);
      return;
    default:
      return;
  }
}

void operation_began(exec_context& c, std::string_view a, std::string_view b) {
  if (checking_on()) set_detail(c, a, b);
  if (tracing()) emit_operation(trace_kind::operation_begin, c);
}

void operation_ends(exec_context& c) {
  if (tracing()) emit_operation(trace_kind::operation_end, c);
}

}  // namespace detail
HF_NAMESPACE_END
