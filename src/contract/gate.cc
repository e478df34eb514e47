// SPDX-License-Identifier: Apache-2.0
//
// The gate's slow half, which runs only while checking is on.
//
// Records come from a free list of the thread, so a gate allocates at most once per thread and
// depth. A record may be given back by another thread than the one that took it from its list
// (fibres): it then changes lists, nothing more.
#include "contract/gate.h"

#include <new>

#include "contract/advice.h"
#include "contract/coverage.h"
#include "contract/native.h"
#include "contract/report.h"
#include "contract/restate.h"
#include "contract/text_buffer.h"
#include "contract/trace.h"

HF_NAMESPACE_BEGIN

struct gate_record {
  static constexpr size_t max_bound = 24;
  struct bound {
    const void* lock;
    const char* role;
    requirement_kind kind;
    uint16_t cell;  // no_index: bound by a prose rule
    uint16_t prose;
    bool kept;  // kind releases: the exception applies
  };
  struct entry_lock {
    const void* lock;
    held mode;
    const lock_class* cls;
    bool told;  // not held on entry: left by a method inside, which was reported for it
  };

  gate_record* next;
  exec_context* context;
  method_id method;
  uint8_t conditions;  // bit per enum condition
  bool entered;
  bool no_block;
  bool must_not_block;  // said by the dispatcher
  bool comparable;      // every lock the context holds is known
  const char* reason_before;
  const void* outside;  // the gate around this one
  uint32_t rcu_depth;   // on entry
  size_t bound_count;
  size_t entry_count;
  bound bounds[max_bound];
  entry_lock entry[max_held_locks];

  bool given(condition c) const { return (conditions >> static_cast<unsigned>(c)) & 1; }
};

namespace {

struct record_list {
  gate_record* first = nullptr;
  ~record_list() {
    while (first != nullptr) delete std::exchange(first, first->next);
  }
};
thread_local record_list spare;

// --- findings ---

void start_violation(violation& v, const gate_record& r, std::string_view kind) {
  v.edition = native.release;
  v.kind = kind;
  v.table = name_of(entry_of(r.method).table);
  v.method = entry_of(r.method).name;
}

void cite_cell(violation& v, uint16_t cell) {
  const rule_cell& c = native.cells[cell];
  v.column = heading_of(c.table, c.id);
  v.cell = c.text;
  v.sentence = restate(c.asks);
}

void cite_prose(violation& v, uint16_t prose) {
  v.rule = native.prose[prose].id;
  v.sentence = native.prose[prose].says;
}

void submit(violation& v, const gate_record& r) {
  lock_role roles[gate_record::max_bound];
  for (size_t i = 0; i < r.bound_count; ++i) roles[i] = {r.bounds[i].lock, r.bounds[i].role};
  report_broken_rule(v, *r.context, roles, r.bound_count);
}

// A dispatcher binds what the rules don't know: its mistake, not the file system's.
void report_binding(const gate_record& r, std::string_view what) {
  violation v;
  start_violation(v, r, "binding");
  v.finding = what;
  v.sentence = "A dispatcher binds the columns that its method's row has.";
  v.advice = "Correct the dispatcher of this method.";
  submit(v, r);
}

void report_lock(const gate_record& r, const gate_record::bound& b, held mode,
                 requirement_kind required) {
  violation v;
  start_violation(v, r, "lock");
  if (b.cell != no_index) cite_cell(v, b.cell);
  if (b.prose != no_index) cite_prose(v, b.prose);
  text_buffer<256> finding;
  finding << "held: " << to_string(mode) << ", required: " << describe(required) << ", on "
          << b.role;
  v.finding = finding.view();
  v.advice =
      "The lock belongs to the method's caller: find it in the stack, and change what it takes.";
  submit(v, r);
}

// `b`: what the lock was bound as, or null; then the row's cell about locks of its class is cited.
void report_exit(const gate_record& r, const gate_record::bound* b, std::string_view what,
                 const lock_class* cls, std::string_view advice) {
  violation v;
  start_violation(v, r, "exit");
  text_buffer<256> finding;
  finding << what << (cls != nullptr ? cls->name : "lock");
  uint16_t cell = b != nullptr ? b->cell : no_index;
  if (b == nullptr) cell = cell_of_class(r.method, cls);
  if (cell != no_index) cite_cell(v, cell);
  if (b != nullptr) {
    if (b->prose != no_index) cite_prose(v, b->prose);
    finding << " of " << b->role;
  } else {
    v.sentence = "Locks are held on exit as on entry, unless the method's rules say otherwise.";
  }
  v.finding = finding.view();
  v.advice = advice;
  submit(v, r);
}

// --- entry ---

bool satisfied(requirement_kind kind, held mode) {
  switch (kind) {
    case requirement_kind::shared:
      return mode != held::none;
    case requirement_kind::releases:
    case requirement_kind::exclusive:
      return mode == held::exclusive;
    case requirement_kind::none:
      return mode == held::none;
    case requirement_kind::none_or_shared:
      return mode != held::exclusive;
    case requirement_kind::none_or_exclusive:
      return mode != held::shared;
    default:
      return true;
  }
}

held mode_in(const exec_context& c, const void* lock) {
  held mode = held::none;
  for (const held_lock& h : c)
    if (h.lock == lock && h.mode > mode) mode = h.mode;
  return mode;
}

void bind(gate_record& r, gate_record::bound b) {
  if (b.kind == requirement_kind::exclusive_if_create)
    b.kind = r.given(condition::o_creat) ? requirement_kind::exclusive : requirement_kind::shared;
  if (r.bound_count < gate_record::max_bound)
    r.bounds[r.bound_count++] = b;
  else
    report_binding(r, "more locks are bound than a gate has room for");
  if (!r.comparable) return;
  const held mode = mode_in(*r.context, b.lock);
  const bool kept = satisfied(b.kind, mode);
  if (tracing()) contract_detail::trace_bound(b.cell, b.prose, b.lock, b.role, mode, kept);
  if (!kept) report_lock(r, b, mode, b.kind);
}

void cite_blocking(violation& v, method_id m) {
  const method_blocking& b = blocking_of[static_cast<size_t>(m)];
  uint16_t cell = b.cell;
  uint16_t prose = b.prose;
  if (b.kind == requirement_kind::rcu_callback) cell = cell_of(m, column::note);
  // "yes (ref-walk)" and "maybe[1]_" are explained by a sentence.
  if (prose == no_index && (b.kind == requirement_kind::blocks_in_ref_walk ||
                            b.kind == requirement_kind::blocks_sometimes))
    for (const prose_target& t : native.targets)
      if (prose == no_index && t.table == entry_of(m).table && t.method == entry_of(m).name)
        prose = t.prose;
  if (cell != no_index) cite_cell(v, cell);
  if (prose != no_index) cite_prose(v, prose);
}

void report_blocking(const gate_record& r) {
  violation v;
  start_violation(v, r, "blocking");
  cite_blocking(v, r.method);
  const exec_context& c = *r.context;
  text_buffer<256> finding;
  finding << "may block, but was called";
  const exec_context& own = detail::this_thread.own;  // of a thread that borrowed c
  if ((c.rcu_depth | own.rcu_depth) != 0) finding << " in an RCU section";
  if ((c.atomic_depth | own.atomic_depth) != 0) finding << " under a spinlock";
  if ((c.no_block_depth | own.no_block_depth) != 0) {
    finding << " where blocking is forbidden";
    if (c.no_block_reason != nullptr) finding << " by " << c.no_block_reason;
  }
  v.finding = finding.view();
  v.advice = "Leave the section, or release the spinlock, before the call.";
  submit(v, r);
}

void report_no_callback(const gate_record& r) {
  violation v;
  start_violation(v, r, "context");
  cite_blocking(v, r.method);
  v.finding = "called outside of an RCU callback";
  v.advice = "Free the object by call_rcu(), and call the method from there.";
  submit(v, r);
}

void forbid_blocking(gate_record& r) {
  exec_context& c = *r.context;
  r.no_block = true;
  r.reason_before = c.no_block_reason;
  ++c.no_block_depth;
  c.no_block_reason = entry_of(r.method).name.data();  // a literal, so it ends in a zero
}

void enter_blocking(gate_record& r) {
  if (r.must_not_block) return forbid_blocking(r);
  const method_blocking& b = blocking_of[static_cast<size_t>(r.method)];
  switch (b.kind) {
    case requirement_kind::blocks_in_ref_walk:
      if (r.given(condition::rcu_walk)) return forbid_blocking(r);
      [[fallthrough]];
    case requirement_kind::blocks:
      if (!may_block()) report_blocking(r);
      return;
    case requirement_kind::rcu_callback:
      if (!detail::this_thread.in_rcu_callback) report_no_callback(r);
      [[fallthrough]];
    case requirement_kind::never_blocks:
      return forbid_blocking(r);
    default:
      return;
  }
}

// Every cell that demands something of a lock has had one bound, or the dispatcher left it out.
void check_bound(const gate_record& r) {
  const uint16_t row = row_of[static_cast<size_t>(r.method)];
  if (row == no_index) return;
  for (uint16_t i = 0; i < native.rows[row].cell_count; ++i) {
    const auto cell = static_cast<uint16_t>(native.rows[row].first_cell + i);
    if (!native_detail::must_be_bound(native.cells[cell].asks.kind)) continue;
    size_t b = 0;
    while (b < r.bound_count && r.bounds[b].cell != cell) ++b;
    if (b == r.bound_count) report_binding(r, "no lock is bound to a column that demands one");
  }
}

bool keeps_names(const exec_context& c) {
  if ((c.rcu_depth | detail::this_thread.own.rcu_depth) != 0) return true;
  for (const held_lock& h : c)
    if (h.cls == &rename_lock_class || h.cls == &d_lock_class) return true;
  return false;
}

void check_classes(const gate_record& r) {
  for (const class_cell& cc : class_cells_of[static_cast<size_t>(r.method)]) {
    if (cc.cell == no_index) return;
    const exec_context& c = *r.context;
    const bool none = native.cells[cc.cell].asks.kind == requirement_kind::none;
    bool broken = !none && !keeps_names(c);
    for (const held_lock& h : c) broken = broken || (none && h.cls == cc.cls);
    if (!broken) continue;
    violation v;
    start_violation(v, r, "lock");
    cite_cell(v, cc.cell);
    text_buffer<256> finding;
    if (none)
      finding << "called with a " << cc.cls->name << " held";
    else
      finding << "called outside of an RCU section, and with no lock that keeps names";
    v.finding = finding.view();
    v.advice = none ? "Release the lock before the call."
                    : "Look names up inside an RCU section, and again if rename_lock moved.";
    submit(v, r);
  }
}

void check_rcu_walk(const gate_record& r) {
  const uint16_t cell = cell_of(r.method, column::rcu_walk);
  if (cell == no_index || !r.given(condition::rcu_walk) ||
      native.cells[cell].asks.kind != requirement_kind::never_in_rcu_walk)
    return;
  violation v;
  start_violation(v, r, "rcu-walk");
  cite_cell(v, cell);
  v.finding = "called in RCU-walk";
  v.advice = "Leave RCU-walk (legitimize the path) before the call.";
  submit(v, r);
}

// --- exit ---

const gate_record::bound* bound_as(const gate_record& r, const void* lock, bool on_exit) {
  for (size_t i = 0; i < r.bound_count; ++i) {
    const gate_record::bound& b = r.bounds[i];
    const bool exit_kind =
        b.kind == requirement_kind::acquires || b.kind == requirement_kind::may_acquire;
    if (b.lock == lock && (on_exit ? exit_kind : b.kind == requirement_kind::releases)) return &b;
  }
  return nullptr;
}

const lock_class* class_of(const exec_context& c, const void* lock) {
  for (const held_lock& h : c)
    if (h.lock == lock) return h.cls;
  return nullptr;
}

// The common case: nothing changed, and nothing had to.
bool unchanged(const gate_record& r) {
  const exec_context& c = *r.context;
  if (c.held_count != r.entry_count) return false;
  for (size_t i = 0; i < r.entry_count; ++i)
    if (c.held_locks[i].lock != r.entry[i].lock || c.held_locks[i].mode != r.entry[i].mode)
      return false;
  for (size_t i = 0; i < r.bound_count; ++i)
    if (r.bounds[i].kind == requirement_kind::releases) return false;
  return true;
}

// Sections that a method enters it leaves, and none but those.
void compare_rcu(const gate_record& r) {
  if (detail::this_thread.own.rcu_depth == r.rcu_depth) return;
  violation v;
  start_violation(v, r, "exit");
  const uint16_t cell = cell_of(r.method, column::rcu_walk);
  if (cell != no_index) cite_cell(v, cell);
  text_buffer<256> finding;
  finding << "RCU sections on entry: " << r.rcu_depth
          << ", on exit: " << detail::this_thread.own.rcu_depth;
  v.finding = finding.view();
  v.sentence = "RCU sections are as deep on exit as on entry.";
  v.advice = "Pair rcu_read_lock() and rcu_read_unlock() on every path out of the method.";
  submit(v, r);
}

// A lock that a method keeps is its mistake alone: the methods around it, which come back with it
// too, are not reported for it.
void tell_outer(const gate_record& r, const held_lock& h) {
  for (const void* at = r.outside; at != nullptr;) {
    auto& outer = *const_cast<gate_record*>(static_cast<const gate_record*>(at));
    at = outer.outside;
    size_t i = 0;
    while (i < outer.entry_count && outer.entry[i].lock != h.lock) ++i;
    if (i == outer.entry_count && i < max_held_locks)
      outer.entry[outer.entry_count++] = {h.lock, h.mode, h.cls, true};
  }
}

// A lock that is taken on success is excused on success only.
void compare_exit(const gate_record& r, bool failed) {
  const exec_context& c = *r.context;
  bool matched[max_held_locks] = {};
  for (const held_lock& h : c) {
    size_t i = 0;
    while (i < r.entry_count && (matched[i] || r.entry[i].lock != h.lock)) ++i;
    if (i == r.entry_count) {
      if (!failed && bound_as(r, h.lock, true) != nullptr) continue;
      report_exit(r, nullptr, "taken and not released: ", h.cls,
                  "Release it on every path out of the method.");
      tell_outer(r, h);
      continue;
    }
    matched[i] = true;
    if (h.mode != r.entry[i].mode && !r.entry[i].told)
      report_exit(r, nullptr, "held in another mode than on entry: ", h.cls,
                  "Leave the caller's lock in the mode in which it came.");
    const gate_record::bound* b = bound_as(r, h.lock, false);
    if (b == nullptr || b->kept || r.entry[i].mode != held::exclusive || r.entry[i].told) continue;
    report_exit(r, b, "not released: ", h.cls, advice_for_kept(entry_of(r.method).name, h.cls));
    tell_outer(r, h);
  }
  for (size_t i = 0; i < r.entry_count; ++i) {
    if (matched[i] || r.entry[i].told) continue;
    const gate_record::bound* b = bound_as(r, r.entry[i].lock, false);
    if (b == nullptr || b->kept)
      report_exit(r, b, "the caller's lock was released: ", r.entry[i].cls,
                  "The caller releases what it took: keep it held in the method.");
  }
}

// "locks the page": the dispatcher has to name the lock that a successful call returned with.
void check_returned(const gate_record& r) {
  const uint16_t row = row_of[static_cast<size_t>(r.method)];
  for (uint16_t i = 0; row != no_index && i < native.rows[row].cell_count; ++i)
    if (native.cells[static_cast<size_t>(native.rows[row].first_cell + i)].asks.kind ==
        requirement_kind::acquires) {
      for (size_t b = 0; b < r.bound_count; ++b)
        if (r.bounds[b].kind == requirement_kind::acquires) return;
      report_binding(r, "the row says that a lock is returned, the dispatcher named none");
    }
}

}  // namespace

namespace contract_detail {

gate_record* gate_open(method_id m) noexcept {
  exec_context& c = this_context();
  if (c.quiet != 0) return nullptr;
  gate_record* r = spare.first;
  if (r != nullptr) {
    spare.first = r->next;
  } else if (r = new (std::nothrow) gate_record; r == nullptr) {
    coverage::count_unchecked_call();
    return nullptr;
  }
  r->next = nullptr;
  r->context = &c;
  r->method = m;
  r->conditions = 0;
  r->entered = false;
  r->no_block = false;
  r->must_not_block = false;
  r->comparable = c.untracked == 0;
  r->reason_before = nullptr;
  r->outside = nullptr;
  r->rcu_depth = 0;
  r->bound_count = 0;
  r->entry_count = 0;
  return r;
}

void gate_given(gate_record& r, condition c, bool value) noexcept {
  const auto bit = static_cast<uint8_t>(1u << static_cast<unsigned>(c));
  r.conditions = static_cast<uint8_t>(value ? r.conditions | bit : r.conditions & ~bit);
}

void gate_lock(gate_record& r, column c, const void* lock, const char* role) noexcept {
  const uint16_t cell = cell_of(r.method, c);
  if (cell == no_index) return report_binding(r, "a column is bound that the method's row lacks");
  const requirement_kind asks = native.cells[cell].asks.kind;
  if (!counts_on_entry(asks)) coverage::count_cell(cell);
  bind(r, {lock, role, asks, cell, no_index, false});
}

void gate_lock(gate_record& r, prose_id p, const void* lock, const char* role,
               requirement_kind kind) noexcept {
  coverage::count_prose(p.index);
  bind(r, {lock, role, kind, no_index, p.index, false});
}

void gate_require(gate_record& r, bool holds, prose_id p, const char* found) noexcept {
  coverage::count_prose(p.index);
  if (tracing()) trace_required(p.index, holds);
  if (holds) return;
  violation v;
  start_violation(v, r, "prose");
  cite_prose(v, p.index);
  v.finding = found;
  v.advice = advice_for_rule(v.rule, r.entered);
  submit(v, r);
}

void gate_lock(gate_record& r, column c, prose_id p, const void* lock, const char* role) noexcept {
  const uint16_t cell = cell_of(r.method, c);
  if (cell == no_index) return report_binding(r, "a column is bound that the method's row lacks");
  coverage::count_cell(cell);
  coverage::count_prose(p.index);
  bind(r, {lock, role, native.cells[cell].asks.kind, cell, p.index, false});
}

void gate_require(gate_record& r, bool holds, column c, prose_id p, const char* found) noexcept {
  const uint16_t cell = cell_of(r.method, c);
  if (cell == no_index) return report_binding(r, "a column is named that the method's row lacks");
  coverage::count_prose(p.index);
  if (holds) return;
  violation v;
  start_violation(v, r, "prose");
  cite_cell(v, cell);
  cite_prose(v, p.index);
  v.finding = found;
  v.advice = advice_for_rule(v.rule, r.entered);
  submit(v, r);
}

void gate_absent(gate_record& r, column c) noexcept {
  const uint16_t cell = cell_of(r.method, c);
  if (cell == no_index) return report_binding(r, "a column is named that the method's row lacks");
  if (r.bound_count < gate_record::max_bound)
    r.bounds[r.bound_count++] = {nullptr, "", requirement_kind::unstated, cell, no_index, false};
}

void gate_forbid_blocking(gate_record& r) noexcept {
  r.must_not_block = true;
}

void gate_enter(gate_record& r) noexcept {
  r.entered = true;
  coverage::count_call(r.method);
  check_rcu_walk(r);
  check_bound(r);
  r.rcu_depth = detail::this_thread.own.rcu_depth;
  r.outside = std::exchange(r.context->inside, &r);
  if (r.comparable) {
    check_classes(r);
    for (const held_lock& h : *r.context) r.entry[r.entry_count++] = {h.lock, h.mode, h.cls, false};
  }
  const bool blockable = tracing() && may_block();
  enter_blocking(r);  // last: it changes the context
  if (tracing()) trace_entered(r.method, r.given(condition::rcu_walk), r.no_block || blockable);
}

void gate_returns_locked(gate_record& r, const void* lock, const char* role) noexcept {
  const uint16_t row = row_of[static_cast<size_t>(r.method)];
  for (uint16_t i = 0; row != no_index && i < native.rows[row].cell_count; ++i) {
    const auto cell = static_cast<uint16_t>(native.rows[row].first_cell + i);
    const requirement_kind kind = native.cells[cell].asks.kind;
    if (kind != requirement_kind::acquires && kind != requirement_kind::may_acquire) continue;
    coverage::count_cell(cell);
    const gate_record::bound b{lock, role, kind, cell, no_index, false};
    bind(r, b);
    if (r.comparable && mode_in(*r.context, lock) != held::exclusive)
      report_exit(r, &b, "not held on return: ", class_of_column(native.cells[cell].id),
                  "Return with the lock held, or return an error.");
    return;
  }
  report_binding(r, "a lock is returned by a method whose row has no such column");
}

void gate_returns_locked(gate_record& r, prose_id p, const void* lock, const char* role) noexcept {
  coverage::count_prose(p.index);
  const gate_record::bound b{lock, role, requirement_kind::acquires, no_index, p.index, false};
  bind(r, b);
  if (r.comparable && mode_in(*r.context, lock) != held::exclusive)
    report_exit(r, &b, "not held exclusively on return: ", class_of(*r.context, lock),
                "Return with the lock held, or return an error.");
}

void gate_keeps(gate_record& r, const void* lock) noexcept {
  for (size_t i = 0; i < r.bound_count; ++i)
    if (r.bounds[i].lock == lock && r.bounds[i].kind == requirement_kind::releases)
      r.bounds[i].kept = true;
}

void gate_leave(gate_record& r, bool failed) noexcept {
  if (r.entered && tracing()) trace_left(r.method, failed);
  if (r.entered) r.context->inside = r.outside;
  if (r.no_block) {
    --r.context->no_block_depth;
    r.context->no_block_reason = r.reason_before;
  }
  if (r.entered && !failed) check_returned(r);
  if (r.entered && checking_on()) {
    compare_rcu(r);
    if (r.comparable && r.context->untracked == 0 && !unchanged(r)) compare_exit(r, failed);
  }
  r.next = spare.first;
  spare.first = &r;
}

}  // namespace contract_detail

size_t cite_method(violation& v, const void* inside, lock_role* roles, size_t size) {
  if (inside == nullptr) return 0;
  const auto& r = *static_cast<const gate_record*>(inside);
  v.table = name_of(entry_of(r.method).table);
  v.method = entry_of(r.method).name;
  size_t n = 0;
  for (; n < r.bound_count && n < size; ++n) roles[n] = {r.bounds[n].lock, r.bounds[n].role};
  return n;
}

void cite_no_block(violation& v, const void* inside) {
  const auto* at = static_cast<const gate_record*>(inside);
  while (at != nullptr && !at->no_block) at = static_cast<const gate_record*>(at->outside);
  if (at == nullptr) return;
  start_violation(v, *at, v.kind);
  cite_blocking(v, at->method);
  const requirement_kind kind = blocking_of[static_cast<size_t>(at->method)].kind;
  v.advice = advice_for_blocking(v.method, kind == requirement_kind::blocks_in_ref_walk);
}

HF_NAMESPACE_END
