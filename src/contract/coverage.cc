// SPDX-License-Identifier: Apache-2.0
#include "contract/coverage.h"

#include <atomic>

#include "contract/native.h"
#include "holdfast/contract.h"

HF_NAMESPACE_BEGIN
namespace coverage {
namespace {

// Cells first, then prose rules, then methods, then the count of calls without a record.
constexpr size_t first_prose = native_cell_count;
constexpr size_t first_method = first_prose + native_prose_count;
constexpr size_t unchecked_index = first_method + method_count;
constexpr size_t counter_count = unchecked_index + 1;
constexpr size_t shard_count = 16;

struct alignas(128) shard {
  std::atomic<uint64_t> n[counter_count];
};
constinit shard shards[shard_count] = {};

void add(size_t i) {
  shards[thread_shard() % shard_count].n[i].fetch_add(1, std::memory_order_relaxed);
}
uint64_t sum(size_t i) {
  uint64_t total = 0;
  for (const shard& s : shards) total += s.n[i].load(std::memory_order_relaxed);
  return total;
}

}  // namespace

void count_cell(size_t cell) {
  add(cell);
}
void count_prose(size_t prose) {
  add(first_prose + prose);
}
void count_call(method_id m) {
  add(first_method + static_cast<size_t>(m));
}
void count_unchecked_call() {
  add(unchecked_index);
}

uint64_t cell_count(size_t cell) {
  return sum(cell);
}
uint64_t prose_count(size_t prose) {
  return sum(first_prose + prose);
}
uint64_t call_count(method_id m) {
  return sum(first_method + static_cast<size_t>(m));
}
uint64_t calls() {
  uint64_t total = 0;
  for (size_t m = 0; m < method_count; ++m) total += sum(first_method + m);
  return total;
}
uint64_t unchecked_calls() {
  return sum(unchecked_index);
}

void reset() {
  for (shard& s : shards)
    for (std::atomic<uint64_t>& n : s.n) n.store(0, std::memory_order_relaxed);
}

}  // namespace coverage

namespace {

// Who checks a cell: the gate, the dispatcher where a sentence decides, or nobody, with the reason
// in the reading.
std::string_view cell_checked(const rule_cell& c) {
  switch (c.asks.kind) {
    case requirement_kind::unchecked:
    case requirement_kind::remark:
      return name_of(checked_by::not_checkable);
    case requirement_kind::blocks_sometimes:
    case requirement_kind::flag_yes:
    case requirement_kind::flag_no:
      return name_of(checked_by::dispatcher);
    default:
      return name_of(checked_by::gate);
  }
}

std::string_view cell_how(const rule_cell& c) {
  if (!c.reading.empty()) return c.reading;
  if (c.asks.kind == requirement_kind::remark) return "a remark, ruled by sentences";
  if (c.asks.kind == requirement_kind::blocks_sometimes)
    return "as the lost footnote says: 6.6-flock-1";
  return describe(c.asks.kind);
}

}  // namespace

void visit_rule_coverage(rule_coverage_fn fn, void* context) {
  for (size_t i = 0; i < native.cells.size(); ++i) {
    const rule_cell& c = native.cells[i];
    if (c.asks.kind == requirement_kind::unstated) continue;  // a blank cell is no rule
    rule_coverage out;
    out.edition = native.release;
    out.table = name_of(c.table);
    out.method = c.method;
    out.column = heading_of(c.table, c.id);
    out.text = c.text;
    out.checked = cell_checked(c);
    out.how = cell_how(c);
    out.exercised = coverage::cell_count(i);
    fn(out, context);
  }
  for (size_t i = 0; i < native.prose.size(); ++i) {
    const prose_rule& p = native.prose[i];
    rule_coverage out;
    out.edition = native.release;
    for (const prose_target& t : native.targets) {
      if (t.prose != i) continue;
      out.table = name_of(t.table);
      out.method = t.method;
      break;
    }
    out.text = p.says;
    out.rule = p.id;
    out.checked = name_of(p.check);
    out.how = p.how;
    out.exercised = coverage::prose_count(i);
    fn(out, context);
  }
}

HF_NAMESPACE_END
