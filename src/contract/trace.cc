// SPDX-License-Identifier: Apache-2.0
#include "contract/trace.h"

#include "contract/restate.h"
#include "sync/trace.h"

HF_NAMESPACE_BEGIN
namespace {

struct rule_list {
  static constexpr size_t most = 48;
  trace_rule rules[most];
  size_t count = 0;
};
constinit thread_local rule_list pending;

trace_rule* add() {
  if (pending.count == rule_list::most) return nullptr;
  trace_rule& r = pending.rules[pending.count++];
  r = {};
  r.edition = native.release;
  return &r;
}

trace_rule* add_cell(uint16_t cell, bool satisfied) {
  trace_rule* r = add();
  if (r == nullptr) return nullptr;
  const rule_cell& c = native.cells[cell];
  r->column = heading_of(c.table, c.id);
  r->cell = c.text;
  r->says = restate(c.asks);
  r->satisfied = satisfied;
  return r;
}

trace_rule* add_prose(uint16_t prose, bool satisfied) {
  trace_rule* r = add();
  if (r == nullptr) return nullptr;
  r->rule = native.prose[prose].id;
  r->says = native.prose[prose].says;
  r->satisfied = satisfied;
  return r;
}

// Cells that the call itself meets or breaks. Those about locks come with their locks.
void add_call_cells(method_id m, bool rcu_walk, bool allowed) {
  const uint16_t row = row_of[static_cast<size_t>(m)];
  if (row == no_index) return;
  for (uint16_t i = 0; i < native.rows[row].cell_count; ++i) {
    const auto cell = static_cast<uint16_t>(native.rows[row].first_cell + i);
    switch (native.cells[cell].asks.kind) {
      case requirement_kind::blocks:
      case requirement_kind::never_blocks:
      case requirement_kind::blocks_in_ref_walk:
      case requirement_kind::rcu_callback:
        add_cell(cell, allowed);
        break;
      case requirement_kind::never_in_rcu_walk:
        add_cell(cell, !rcu_walk);
        break;
      case requirement_kind::maybe_in_rcu_walk:
        add_cell(cell, true);
        break;
      default:
        break;
    }
  }
}

void emit(trace_kind k, method_id m, bool failed) {
  trace_event e;
  e.kind = k;
  e.table = name_of(entry_of(m).table);
  e.method = entry_of(m).name;
  e.rules = {pending.rules, pending.count};
  e.failed = failed;
  detail::trace_emit(e);
  pending.count = 0;
}

}  // namespace

namespace contract_detail {

void trace_bound(uint16_t cell, uint16_t prose, const void* lock, const char* role, held found,
                 bool satisfied) {
  trace_rule* r = cell != no_index ? add_cell(cell, satisfied) : add_prose(prose, satisfied);
  if (r == nullptr) return;
  r->lock = lock;
  r->role = role;
  r->found = found;
}

void trace_required(uint16_t prose, bool satisfied) {
  add_prose(prose, satisfied);
}

void trace_entered(method_id m, bool rcu_walk, bool allowed) {
  add_call_cells(m, rcu_walk, allowed);
  const uint16_t blocking = blocking_of[static_cast<size_t>(m)].prose;
  if (blocking != no_index) add_prose(blocking, allowed);
  for (const uint16_t p : gate_prose_of[static_cast<size_t>(m)])
    if (p != no_index) add_prose(p, true);
  emit(trace_kind::method_entered, m, false);
}

void trace_left(method_id m, bool failed) {
  emit(trace_kind::method_left, m, failed);
}

}  // namespace contract_detail
HF_NAMESPACE_END
