// SPDX-License-Identifier: Apache-2.0
// Counting, once-only delivery and printing of violations.
#include "sync/report.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "host/thread_id.h"
#include "sync/order.h"
#include "sync/raw_lock.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr size_t seen_slots = 4096;
struct seen_violation {
  std::atomic<uint64_t> identity;
  std::atomic<uint64_t> count;
};
constinit seen_violation seen[seen_slots];
constinit std::atomic<uint64_t> total{0};
constinit std::atomic<violation_sink> sink{nullptr};
constinit raw_lock print_lock;

// Counts it; true the first time. A full table reports again rather than never.
bool first_time(uint64_t identity) {
  for (size_t i = 0; i < 64; ++i) {
    seen_violation& s = seen[(identity + i) % seen_slots];
    uint64_t there = s.identity.load(std::memory_order_relaxed);
    const bool first = there == 0 && s.identity.compare_exchange_strong(there, identity);
    if (!first && there != identity) continue;
    s.count.fetch_add(1, std::memory_order_relaxed);
    return first;
  }
  return true;
}

void print_stack(void* const* stack, size_t frames, const char* indent) {
  for (size_t i = 0; i < frames; ++i) {
    Dl_info info{};
    // The call, not the instruction after it, which may belong to the next function.
    auto at = reinterpret_cast<char*>(stack[i]) - 1;
    if (dladdr(at, &info) == 0) {
      fprintf(stderr, "%s#%zu %p\n", indent, i, stack[i]);
      continue;
    }
    int failed = -1;
    char* name = info.dli_sname != nullptr
                     ? abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &failed)
                     : nullptr;
    const char* shown = failed == 0 ? name : info.dli_sname;
    auto offset =
        at - static_cast<char*>(info.dli_sname != nullptr ? info.dli_saddr : info.dli_fbase);
    fprintf(stderr, "%s#%zu %s+0x%tx (%s)\n", indent, i, shown != nullptr ? shown : "?", offset + 1,
            info.dli_fname != nullptr ? info.dli_fname : "?");
    free(name);
  }
}

void print_edge(const order_edge& e) {
  fprintf(stderr, "    %s/%s (depth %u) -> %s/%s (depth %u)", e.outer->name,
          to_string(e.outer_level), e.outer_depth, e.inner->name, to_string(e.inner_level),
          e.inner_depth);
  if (e.declared) fputs(", declared", stderr);
  if (e.operation != nullptr) fprintf(stderr, ", first seen in %s", e.operation);
  fputc('\n', stderr);
  if (e.outer_frames != 0) {
    fputs("      the first was taken at\n", stderr);
    print_stack(e.outer_stack, e.outer_frames, "        ");
  }
  if (e.inner_frames != 0) {
    fputs("      the second at\n", stderr);
    print_stack(e.inner_stack, e.inner_frames, "        ");
  }
}

}  // namespace

const char* to_string(violation_kind k) {
  switch (k) {
    case violation_kind::recursion:
      return "recursion";
    case violation_kind::wrong_release:
      return "wrong_release";
    case violation_kind::order:
      return "order";
    case violation_kind::same_class:
      return "same_class";
    case violation_kind::blocks_in_rcu:
      return "blocks_in_rcu";
    case violation_kind::blocks_in_atomic:
      return "blocks_in_atomic";
    case violation_kind::blocks_forbidden:
      return "blocks_forbidden";
    case violation_kind::rcu_unbalanced:
      return "rcu_unbalanced";
    case violation_kind::rcu_unprotected:
      return "rcu_unprotected";
    case violation_kind::left_locked:
      return "left_locked";
    case violation_kind::too_many_locks:
      return "too_many_locks";
  }
  return "?";
}

const char* to_string(held h) {
  switch (h) {
    case held::none:
      return "none";
    case held::shared:
      return "shared";
    case held::exclusive:
      return "exclusive";
  }
  return "?";
}

uint64_t violation_identity(violation_kind k, const void* cls, unsigned level, void* const* stack,
                            size_t frames) {
  uint64_t h = 0xcbf29ce484222325;
  auto mix = [&h](uint64_t x) {
    h = (h ^ x) * 0x9e3779b97f4a7c15;
    h ^= h >> 29;
  };
  mix(static_cast<uint64_t>(k));
  mix(reinterpret_cast<uintptr_t>(cls));
  mix(level);
  // Three frames tell sites apart even where the lock's own functions were not inlined.
  for (size_t i = 0; i < frames && i < 3; ++i) mix(reinterpret_cast<uintptr_t>(stack[i]));
  return h;
}

void report_violation(sync_violation& v, uint64_t identity) {
  total.fetch_add(1, std::memory_order_relaxed);
  v.identity = identity != 0 ? identity : 1;
  if (first_time(v.identity)) {
    exec_context& c = this_context();
    v.context = &c;
    ++c.quiet;
    violation_sink s = sink.load(std::memory_order_acquire);
    if (s != nullptr)
      s(v);
    else
      print_violation(v);
    --c.quiet;
  }
  if (get_check_mode() == check_mode::abort) abort();
}

void print_violation(const sync_violation& v) {
  raw_guard g(print_lock);
  fprintf(stderr, "holdfast: violation (%s): %s\n", to_string(v.kind), v.summary);
  const exec_context* c = v.context;
  fprintf(stderr, "  thread %d", thread_id());
  if (c != nullptr && c->operation != nullptr)
    fprintf(stderr, ", operation: %s %s", c->operation, c->detail);
  fputc('\n', stderr);
  if (v.frames != 0) {
    fputs("  at\n", stderr);
    print_stack(v.stack, v.frames, "    ");
  }
  if (v.new_edge != nullptr) {
    fputs("  the order that was about to be used:\n", stderr);
    print_edge(*v.new_edge);
    fputs("  contradicts what is known:\n", stderr);
    for (size_t i = 0; i < v.chain_length; ++i) print_edge(v.chain[i]);
  }
  if (c != nullptr) {
    fprintf(stderr, "  locks held: %u\n", c->held_count);
    for (const held_lock& h : *c) {
      fprintf(stderr, "    %s/%s (%s, depth %u) %p, %s, taken at\n", h.cls->name,
              to_string(h.level), to_string(h.cls->kind), h.depth, h.lock, to_string(h.mode));
      print_stack(h.stack, h.frames, "      ");
    }
  }
  fflush(stderr);
}

violation_sink set_violation_sink(violation_sink s) {
  return sink.exchange(s, std::memory_order_acq_rel);
}
uint64_t violation_count() {
  return total.load(std::memory_order_relaxed);
}

uint64_t violation_count(uint64_t identity) {
  for (size_t i = 0; i < 64; ++i) {
    const seen_violation& s = seen[(identity + i) % seen_slots];
    if (s.identity.load(std::memory_order_relaxed) == identity)
      return s.count.load(std::memory_order_relaxed);
  }
  return 0;
}

void reset_validator() {
  for (auto& s : seen) {
    s.identity.store(0, std::memory_order_relaxed);
    s.count.store(0, std::memory_order_relaxed);
  }
  total.store(0, std::memory_order_relaxed);
  reset_orders();
}

HF_NAMESPACE_END
