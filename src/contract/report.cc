// SPDX-License-Identifier: Apache-2.0
#include "contract/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "contract/advice.h"
#include "contract/coverage.h"
#include "contract/lock_order.h"
#include "contract/native.h"
#include "contract/text_buffer.h"
#include "holdfast/sync/plain_mutex.h"
#include "holdfast/sync/violation.h"
#include "sync/thread.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr size_t seen_size = 1024;  // distinct violations told apart; the rest count as repetitions
constexpr size_t text_size = size_t{256} << 10;

// One that was reported; its views are the rule's, valid for ever.
struct seen_violation {
  uint64_t id = 0;  // 0: free
  uint64_t count = 0;
  std::string_view edition, kind, table, method, column, rule;
  char finding[168] = {};
  uint32_t finding_length = 0;
};

// Everything that reporting keeps. The mutex is none of ours on purpose: ours would report.
struct report_state {
  plain_mutex lock;
  seen_violation seen[seen_size] HF_GUARDED_BY(lock);  // open addressing
  uint64_t distinct HF_GUARDED_BY(lock) = 0;
  violation_text_fn text_fn HF_GUARDED_BY(lock) = nullptr;
  void* text_context HF_GUARDED_BY(lock) = nullptr;
  violation_fn fn HF_GUARDED_BY(lock) = nullptr;
  void* fn_context HF_GUARDED_BY(lock) = nullptr;
  int log HF_GUARDED_BY(lock) = -1;
};
constinit report_state state;
constinit char text_room[text_size] HF_GUARDED_BY(state.lock) = {};
constinit std::atomic<uint64_t> own_violations{0};
constinit std::atomic<uint64_t> validator_base{0};  // violation_count() at the last reset

uint64_t mix(uint64_t h, std::string_view s) {
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return (h ^ 0xff) * 0x100000001b3u;
}

uint64_t identity(const violation& v) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const std::string_view s : {v.kind, v.table, v.method, v.column, v.rule, v.finding})
    h = mix(h, s);
  return h == 0 ? 1 : h;
}

// Counts it; true the first time.
bool is_news(const violation& v) HF_REQUIRES(state.lock) {
  for (size_t i = 0; i < seen_size; ++i) {
    seen_violation& s = state.seen[(v.id + i) % seen_size];
    if (s.id != v.id && s.id != 0) continue;
    ++s.count;
    if (s.id == v.id) return false;
    s.id = v.id;
    s.edition = v.edition;
    s.kind = v.kind;
    s.table = v.table;
    s.method = v.method;
    s.column = v.column;
    s.rule = v.rule;
    s.finding_length = static_cast<uint32_t>(std::min(v.finding.size(), sizeof s.finding));
    std::memcpy(s.finding, v.finding.data(), s.finding_length);
    ++state.distinct;
    return true;
  }
  return false;
}

void write_all(int fd, std::string_view s) {
  while (!s.empty()) {
    const ssize_t n = write(fd, s.data(), s.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // a report that can't be written must not stop its writer
    s.remove_prefix(static_cast<size_t>(n));
  }
}

void emit(const violation& v) HF_REQUIRES(state.lock) {
  if (state.fn != nullptr) state.fn(v, state.fn_context);
  size_t n = format_text(v, text_room, text_size);
  if (state.text_fn != nullptr)
    state.text_fn({text_room, n}, state.text_context);
  else
    write_all(STDERR_FILENO, {text_room, n});
  if (state.log < 0) return;
  n = format_json(v, text_room, text_size - 1);
  text_room[n++] = '\n';
  write_all(state.log, {text_room, n});
}

void write_totals() HF_REQUIRES(state.lock) {
  if (state.log < 0) return;
  for (const seen_violation& s : state.seen) {
    if (s.id == 0) continue;
    violation v;
    v.id = s.id;
    v.edition = s.edition;
    v.kind = s.kind;
    v.table = s.table;
    v.method = s.method;
    v.column = s.column;
    v.rule = s.rule;
    v.finding = {s.finding, s.finding_length};
    // The validator counts for itself, also where a rule of the document is cited.
    const uint64_t count = std::max(s.count, violation_count(s.id));
    size_t n = format_total(v, count, text_room, text_size - 1);
    text_room[n++] = '\n';
    write_all(state.log, {text_room, n});
  }
}

void submit(const violation& v) {
  const plain_guard guard(state.lock);
  if (is_news(v)) emit(v);
  if (get_check_mode() == check_mode::abort) write_totals();  // the process ends
}

void add_context(violation& v, const exec_context& context, const lock_role* roles,
                 size_t role_count, text_writer& operation) {
  if (context.operation != nullptr) {
    operation << context.operation;
    if (context.detail[0] != '\0') operation << ' ' << std::string_view(context.detail);
  }
  v.operation = operation.view();
  if (v.id == 0) v.id = identity(v);
  for (const held_lock& h : context) {
    if (v.held_count == violation::max_held) break;
    held_lock_report& out = v.held[v.held_count++];
    out.lock_class = h.cls != nullptr ? h.cls->name : "?";
    out.mode = to_string(h.mode);
    out.nest = h.level == nest::normal ? "" : to_string(h.level);
    out.depth = h.depth;
    out.address = h.lock;
    for (size_t i = 0; i < role_count; ++i)
      if (roles[i].lock == h.lock) {
        out.role = roles[i].role;
        break;
      }
    for (unsigned i = 0; i < h.frames && i < held_lock_report::max_frames; ++i)
      out.frames[out.frame_count++] = h.stack[i];
  }
}

// Who has published the order that a declared edge stands for.
std::string_view source_of(const order_edge& e) {
  for (const published_order& o : published_orders())
    if (&o.outer == e.outer && o.outer_level == e.outer_level && &o.inner == e.inner &&
        o.inner_level == e.inner_level)
      return o.source;
  return {};
}

// The rule that an inversion breaks: the published order, or what was seen to be done.
void put_order_rule(text_writer& out, const order_edge* chain, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    const order_edge& e = chain[i];
    out << (i == 0 ? "" : "; ");
    put_lock_name(out, *e.outer, e.outer_level, e.outer_depth);
    out << " before ";
    put_lock_name(out, *e.inner, e.inner_level, e.inner_depth);
    const std::string_view source = e.declared ? source_of(e) : std::string_view();
    if (!source.empty()) out << " (published with " << native.release << ": " << source << ')';
    if (e.declared && source.empty()) out << " (declared)";
    if (!e.declared && e.operation != nullptr) out << " (seen in " << e.operation << ')';
  }
}

// The validator's view of a violation, in our form. It told repetitions apart already.
void take_validator_violation(const sync_violation& s) {
  constexpr size_t max_roles = 24;
  lock_role roles[max_roles];
  violation v;
  const size_t role_count =
      s.context != nullptr ? cite_method(v, s.context->inside, roles, max_roles) : 0;
  v.kind = to_string(s.kind);
  v.finding = s.summary;
  switch (s.kind) {
    case violation_kind::blocks_in_rcu:
    case violation_kind::blocks_in_atomic:
    case violation_kind::blocks_forbidden:
      v.advice = "Do the part that may block before the section or the call begins, or after it.";
      if (s.context != nullptr && s.context->no_block_depth != 0)
        cite_no_block(v, s.context->inside);
      break;
    case violation_kind::order:
      v.advice = advice_for_order(*s.new_edge->outer, *s.new_edge->inner);
      break;
    case violation_kind::same_class:
      v.advice =
          "Take the locks in the published order, or give the two a nesting level that tells them "
          "apart.";
      break;
    default:
      v.advice = "Look at the stacks: the lock's owner is wrong on one of these paths.";
      break;
  }
  text_buffer<512> operation;
  if (s.context != nullptr) add_context(v, *s.context, roles, role_count, operation);
  for (size_t i = 0; i < s.frames && i < violation::max_frames; ++i)
    v.frames[v.frame_count++] = s.stack[i];
  v.id = s.identity;
  v.new_edge = s.new_edge;
  v.chain = s.chain;
  v.chain_length = s.chain_length;
  // The other side of an inversion: where the opposite order was seen.
  text_buffer<1024> chain;
  if (s.chain != nullptr) put_order_rule(chain, s.chain, s.chain_length);
  if (s.chain_length != 0) v.sentence = chain.view();
  submit(v);
}

// Before main, so that no violation is printed in the validator's own form.
[[maybe_unused]] const violation_sink sink_before = [] {
  declare_published_orders();
  return set_violation_sink(take_validator_violation);
}();

}  // namespace

void report_broken_rule(violation& v, const exec_context& context, const lock_role* roles,
                        size_t role_count) {
  own_violations.fetch_add(1, std::memory_order_relaxed);
  exec_context& here = this_context();
  ++here.quiet;
  text_buffer<512> operation;
  add_context(v, context, roles, role_count, operation);
  v.frame_count = static_cast<unsigned>(capture_stack(v.frames, violation::max_frames, 0));
  submit(v);
  --here.quiet;
  if (get_check_mode() == check_mode::abort && v.kind != "advice") abort();
}

void set_violation_text(violation_text_fn fn, void* context) {
  const plain_guard guard(state.lock);
  state.text_fn = fn;
  state.text_context = context;
}

void set_violation_callback(violation_fn fn, void* context) {
  const plain_guard guard(state.lock);
  state.fn = fn;
  state.fn_context = context;
}

Status set_contract_log(const char* path) {
  int fd = -1;
  if (path != nullptr) {
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Error(errno);
  }
  [[maybe_unused]] static const int at_end =
      atexit([] { static_cast<void>(set_contract_log(nullptr)); });
  const plain_guard guard(state.lock);
  write_totals();
  if (state.log >= 0) close(state.log);
  state.log = fd;
  return {};
}

contract_counters read_contract_counters() {
  contract_counters out;
  out.operations = coverage::calls();
  out.unchecked = coverage::unchecked_calls();
  out.violations = own_violations.load(std::memory_order_relaxed);
  const uint64_t base = validator_base.load(std::memory_order_relaxed);
  const uint64_t now = violation_count();  // starts again when the validator is reset
  out.violations += now >= base ? now - base : now;
  const plain_guard guard(state.lock);
  out.distinct = state.distinct;
  return out;
}

void reset_contract_counters() {
  coverage::reset();
  own_violations.store(0, std::memory_order_relaxed);
  validator_base.store(violation_count(), std::memory_order_relaxed);
  const plain_guard guard(state.lock);
  for (seen_violation& s : state.seen) s = {};
  state.distinct = 0;
}

HF_NAMESPACE_END
