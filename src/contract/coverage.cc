// SPDX-License-Identifier: Apache-2.0
#include "contract/coverage.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "contract/native.h"
#include "contract/text_buffer.h"
#include "holdfast/contract.h"

HF_NAMESPACE_BEGIN
namespace coverage {
namespace {

// Cells first, then prose rules, then methods, then the count of calls without a record.
constexpr size_t first_prose = native_cell_count;
constexpr size_t first_method = first_prose + native_prose_count;
constexpr size_t unchecked_index = first_method + method_count;
constexpr size_t counter_count = unchecked_index + 1;

// One for each thread that counts, so that counting needs no locked instruction. Shards are never
// freed: one that its thread left goes to the next new thread, its counts stay in the sums.
struct shard {
  std::atomic<uint64_t> n[counter_count];
  shard* next;
  std::atomic<bool> taken;
};
constinit shard common = {};  // of threads that found no memory
constinit std::atomic<shard*> first{&common};
constinit thread_local shard* mine = nullptr;

struct shard_return {
  ~shard_return() {
    if (mine != nullptr) mine->taken.store(false, std::memory_order_release);
    mine = nullptr;
  }
};
thread_local shard_return on_exit;

// Counted before a reset.
constinit std::atomic<bool> ever[counter_count] = {};

[[gnu::noinline]] shard* take_shard() {
  for (shard* s = first.load(std::memory_order_acquire); s != &common; s = s->next) {
    bool expected = false;
    if (s->taken.compare_exchange_strong(expected, true, std::memory_order_acquire))
      return mine = s;
  }
  auto* s = new (std::nothrow) shard{};
  if (s == nullptr) return &common;
  s->taken.store(true, std::memory_order_relaxed);
  s->next = first.load(std::memory_order_relaxed);
  while (!first.compare_exchange_weak(s->next, s, std::memory_order_acq_rel)) {
  }
  [[maybe_unused]] shard_return* registered = &on_exit;
  return mine = s;
}

void add(size_t i) {
  shard* s = mine;
  if (s == nullptr) [[unlikely]]
    s = take_shard();
  std::atomic<uint64_t>& n = s->n[i];
  if (s == &common) [[unlikely]]
    n.fetch_add(1, std::memory_order_relaxed);
  else
    n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
uint64_t sum(size_t i) {
  uint64_t total = 0;
  for (const shard* s = first.load(std::memory_order_acquire); s != nullptr; s = s->next)
    total += s->n[i].load(std::memory_order_relaxed);
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

namespace {

// What was counted for a rule, together with the calls that exercise it by themselves; of(index) is
// what one counter says.
template <class Of>
uint64_t total_of_cell(size_t cell, Of of) {
  uint64_t total = of(cell);
  const rule_cell& c = native.cells[cell];
  for (size_t m = 0; m < method_count; ++m)
    if (counts_on_entry(c.asks.kind) && methods[m].table == c.table && methods[m].name == c.method)
      total += of(first_method + m);
  return total;
}
template <class Of>
uint64_t total_of_prose(size_t prose, Of of) {
  uint64_t total = of(first_prose + prose);
  for (size_t m = 0; m < method_count; ++m) {
    if (blocking_of[m].prose == prose) total += of(first_method + m);
    for (const uint16_t p : gate_prose_of[m])
      if (p == prose) total += of(first_method + m);
  }
  return total;
}

// Not 0 if the counter moved since the start, resets or not.
uint64_t since_start(size_t i) {
  return sum(i) + (ever[i].load(std::memory_order_relaxed) ? 1 : 0);
}

}  // namespace

uint64_t cell_count(size_t cell) {
  return total_of_cell(cell, sum);
}
uint64_t prose_count(size_t prose) {
  return total_of_prose(prose, sum);
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
  for (size_t i = 0; i < counter_count; ++i)
    if (sum(i) != 0) ever[i].store(true, std::memory_order_relaxed);
  for (shard* s = first.load(std::memory_order_acquire); s != nullptr; s = s->next)
    for (std::atomic<uint64_t>& n : s->n) n.store(0, std::memory_order_relaxed);
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

namespace {

// For suites that say at their end what they left unexercised: at exit each process appends every
// rule to the file named by HOLDFAST_EXERCISED_RULES, a line each, "+ " before those it exercised.
struct exit_list {
  ~exit_list() {
    const char* path = std::getenv("HOLDFAST_EXERCISED_RULES");
    if (path == nullptr) return;
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return;
    // Short appended writes don't interleave; what can't be written is only missing.
    const auto put = [fd](bool yes, std::string_view a, std::string_view b = {},
                          std::string_view c = {}) {
      text_buffer<256> line;
      line << (yes ? "+ " : "- ") << a << (b.empty() ? "" : ".") << b << (c.empty() ? "" : " ") << c
           << '\n';
      const std::string_view v = line.view();
      [[maybe_unused]] const ssize_t n = write(fd, v.data(), v.size());
    };
    for (size_t i = 0; i < native.cells.size(); ++i) {
      const rule_cell& c = native.cells[i];
      if (c.asks.kind != requirement_kind::unstated)
        put(coverage::total_of_cell(i, coverage::since_start) != 0, name_of(c.table), c.method,
            heading_of(c.table, c.id));
    }
    for (size_t i = 0; i < native.prose.size(); ++i)
      if (native.prose[i].check != checked_by::not_checkable)
        put(coverage::total_of_prose(i, coverage::since_start) != 0, native.prose[i].id);
    close(fd);
  }
};
[[maybe_unused]] exit_list at_exit;

}  // namespace

HF_NAMESPACE_END
