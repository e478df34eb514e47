// SPDX-License-Identifier: Apache-2.0
//
// See explain_timeline.h.
#include "app/explain_timeline.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/stable_sort.h"

namespace holdfast::app {
namespace {

bool spins(const lock_class& c) {
  return c.kind == lock_kind::spinlock || c.kind == lock_kind::seqlock ||
         c.kind == lock_kind::rcu || c.kind == lock_kind::srcu;
}

class builder {
 public:
  builder(timeline& t, std::vector<recorded_event> events, const timeline_filter& filter)
      : t_(t), events_(std::move(events)), filter_(filter) {
    stable_sort(events_,
                [](const auto& a, const auto& b) { return a.event.time_ns < b.event.time_ns; });
    t_.lanes.resize(t_.tasks.size());
  }

  void build() {
    find_what_matters();
    size_t next_violation = 0;
    for (size_t i = 0; i < events_.size(); ++i) {
      while (next_violation < t_.violations.size() &&
             t_.violations[next_violation].time_ns <= events_[i].event.time_ns)
        add_violation(t_.violations[next_violation++]);
      add(i);
    }
    while (next_violation < t_.violations.size()) add_violation(t_.violations[next_violation++]);
    for (auto& [key, open] : open_locks_)
      for (size_t s : open) t_.spans[s].last = t_.steps.size() - 1;
    const int64_t start = t_.steps.empty() ? 0 : t_.steps.front().ns;
    for (step& s : t_.steps) s.ns -= start;
    stable_sort(t_.spans, [](const span& a, const span& b) { return a.first < b.first; });
  }

 private:
  // The acquisitions of spinlocks under which a method was called, and operations of several calls.
  void find_what_matters() {
    shown_.assign(events_.size(), true);
    std::map<int, std::vector<size_t>> held;  // by lane: acquisitions of spinlocks
    std::map<int, int> depth;
    for (size_t i = 0; i < events_.size(); ++i) {
      const recorded_event& r = events_[i];
      const trace_event& e = r.event;
      if (r.lane < 0 && !filter_.all) shown_[i] = false;
      if (r.what != recorded_event::mark::none) continue;
      switch (e.kind) {
        case trace_kind::operation_begin:
          if (++depth[r.lane] == 1) ++calls_[r.op];
          break;
        case trace_kind::operation_end:
          --depth[r.lane];
          break;
        case trace_kind::lock_taken:
          if (!spins(*e.cls) || filter_.all) break;
          shown_[i] = e.cls == &rename_lock_class;
          held[r.lane].push_back(i);
          break;
        case trace_kind::lock_dropped:
        case trace_kind::lock_passed_on: {
          if (!spins(*e.cls) || filter_.all) break;
          auto& mine = held[r.lane];
          shown_[i] = false;
          for (size_t at = mine.size(); at-- > 0;)
            if (events_[mine[at]].event.lock == e.lock) {
              shown_[i] = shown_[mine[at]];
              mine.erase(mine.begin() + static_cast<ptrdiff_t>(at));
              break;
            }
          break;
        }
        case trace_kind::method_entered:
          if (!filter_.all)
            for (size_t at : held[r.lane]) shown_[at] = true;
          break;
        case trace_kind::rcu_begin:
        case trace_kind::rcu_end:
          shown_[i] = filter_.all;
          break;
        default:
          break;
      }
    }
  }

  step& push(step_kind k, const recorded_event& r) {
    step s;
    s.kind = k;
    s.ns = r.event.time_ns;
    s.lane = r.lane;
    s.op = r.op;
    s.depth = depth_[r.lane];
    t_.steps.push_back(std::move(s));
    return t_.steps.back();
  }

  step& push_lock(step_kind k, const recorded_event& r) {
    step& s = push(k, r);
    s.lock_class = r.event.cls->name;
    s.object = r.object.name;
    s.object_type = r.object.type;
    s.mode = to_string(r.event.mode);
    if (r.event.level != nest::normal) s.nest = to_string(r.event.level);
    return s;
  }

  size_t open_span(span_kind k, int lane) {
    span s;
    s.kind = k;
    s.lane = lane;
    s.first = s.last = t_.steps.size() - 1;
    t_.spans.push_back(s);
    return t_.spans.size() - 1;
  }

  void close_span(size_t s) { t_.spans[s].last = t_.steps.size() - 1; }

  void add_violation(const recorded_violation& v) {
    step s;
    s.kind = step_kind::violation;
    s.ns = v.time_ns;
    s.lane = v.lane;
    s.depth = depth_[v.lane];
    s.text = v.headline + ": " + v.finding;
    s.failed = true;
    t_.steps.push_back(std::move(s));
  }

  void add(size_t i) {
    const recorded_event& r = events_[i];
    if (r.what != recorded_event::mark::none) return add_mark(r);
    const trace_event& e = r.event;
    switch (e.kind) {
      case trace_kind::operation_begin:
        if (++call_depth_[r.lane] == 1 && calls_[r.op] > 1 && shown_[i])
          push(step_kind::call, r).text =
              std::string(e.operation) + (r.detail.empty() ? "" : " " + r.detail);
        break;
      case trace_kind::operation_end:
        --call_depth_[r.lane];
        break;
      case trace_kind::lock_waits:
        if (filter_.locks && (filter_.all || !spins(*e.cls) || e.cls == &rename_lock_class))
          add_wait(r);
        break;
      case trace_kind::lock_taken:
        add_taken(r, shown_[i] && filter_.locks);
        break;
      case trace_kind::lock_dropped:
      case trace_kind::lock_passed_on:
        add_dropped(r, shown_[i] && filter_.locks);
        break;
      case trace_kind::lock_downgraded:
        for (holder& h : holders_[e.lock])
          if (h.lane == r.lane) h.mode = held::shared;
        if (shown_[i] && filter_.locks) push_lock(step_kind::downgrade, r);
        break;
      case trace_kind::method_entered:
        if (shown_[i]) add_method(r);
        break;
      case trace_kind::method_left:
        if (shown_[i]) leave_method(r);
        break;
      case trace_kind::rcu_begin:
        if (shown_[i] && filter_.locks) {
          push(step_kind::rcu_begin, r);
          ++depth_[r.lane];
        }
        break;
      case trace_kind::rcu_end:
        if (shown_[i] && filter_.locks) {
          --depth_[r.lane];
          push(step_kind::rcu_end, r);
        }
        break;
    }
  }

  void add_mark(const recorded_event& r) {
    if (r.what == recorded_event::mark::begin) {
      push(step_kind::operation, r).text = r.text;
      ++depth_[r.lane];
      open_operations_[r.lane] = open_span(span_kind::operation, r.lane);
      return;
    }
    depth_[r.lane] = 0;
    step& s = push(step_kind::result, r);
    s.text = r.text;
    s.failed = r.failed;
    close_span(open_operations_[r.lane]);
  }

  void add_wait(const recorded_event& r) {
    step& s = push_lock(step_kind::wait, r);
    for (const holder& h : holders_[r.event.lock]) {
      s.who += (s.who.empty() ? "" : ", ") + std::string(to_string(h.mode)) + " by " +
               lane_name(t_, h.lane);
      s.who_lane = h.lane;
    }
    waits_[r.lane] = {r.event.lock, open_span(span_kind::wait, r.lane)};
  }

  void add_taken(const recorded_event& r, bool shown) {
    const trace_event& e = r.event;
    holders_[e.lock].push_back({r.lane, e.mode});
    if (shown) {
      push_lock(step_kind::take, r);
      open_locks_[{r.lane, e.lock}].push_back(open_span(span_kind::lock, r.lane));
      ++depth_[r.lane];
      if (r.lane >= 0)
        t_.lanes[static_cast<size_t>(r.lane)].locks.push_back(lock_text(t_.steps.back()));
    }
    auto w = waits_.find(r.lane);
    if (w == waits_.end() || w->second.lock != e.lock) return;
    close_span(w->second.span);
    t_.spans[w->second.span].freed = last_drop_[e.lock];
    waits_.erase(w);
  }

  void add_dropped(const recorded_event& r, bool shown) {
    const trace_event& e = r.event;
    const bool passed_on = e.kind == trace_kind::lock_passed_on;
    auto& all = holders_[e.lock];
    for (size_t i = all.size(); i-- > 0;)
      if (all[i].lane == r.lane && !passed_on) {
        all.erase(all.begin() + static_cast<ptrdiff_t>(i));
        break;
      }
    if (!shown) return;
    auto open = open_locks_.find({r.lane, e.lock});
    const bool known = open != open_locks_.end() && !open->second.empty();
    if (known && depth_[r.lane] > 0) --depth_[r.lane];
    push_lock(passed_on ? step_kind::pass_on : step_kind::drop, r);
    last_drop_[e.lock] = t_.steps.size() - 1;
    if (!known) return;
    close_span(open->second.back());
    open->second.pop_back();
  }

  void add_method(const recorded_event& r) {
    count_rules(r);
    if (!filter_.methods) return;
    step& s = push(step_kind::enter, r);
    s.table = r.event.table;
    s.method = r.event.method;
    s.rules = join_rules(r);
    std::string key = std::to_string(r.op) + s.table + s.method;
    for (const shown_rule& rule : s.rules) key += rule.cite + (rule.satisfied ? "+" : "-");
    s.rules_repeated = !explained_.insert(key).second;
    if (r.lane >= 0)
      t_.lanes[static_cast<size_t>(r.lane)].methods.push_back(s.table + "." + s.method);
    open_methods_[r.lane].push_back(open_span(span_kind::method, r.lane));
    ++depth_[r.lane];
  }

  void leave_method(const recorded_event& r) {
    count_rules(r);
    if (!filter_.methods) return;
    if (depth_[r.lane] > 0) --depth_[r.lane];
    step& s = push(step_kind::leave, r);
    s.table = r.event.table;
    s.method = r.event.method;
    s.failed = r.event.failed;
    s.rules = join_rules(r);
    auto& open = open_methods_[r.lane];
    if (open.empty()) return;
    close_span(open.back());
    open.pop_back();
  }

  void count_rules(const recorded_event& r) {
    for (const trace_rule& rule : r.rules) {
      ++t_.rules_checked;
      if (!rule.satisfied) ++t_.rules_broken;
      distinct_.insert(std::string(rule.rule) + std::string(r.event.table) + "." +
                       std::string(r.event.method) + std::string(rule.column));
    }
    t_.distinct_rules = distinct_.size();
  }

  static std::vector<shown_rule> join_rules(const recorded_event& r) {
    std::vector<shown_rule> out;
    for (size_t i = 0; i < r.rules.size(); ++i) {
      const trace_rule& rule = r.rules[i];
      shown_rule s;
      s.cite = rule.rule.empty() ? std::string(rule.edition) + " " + std::string(rule.column) +
                                       " `" + std::string(rule.cell) + "`"
                                 : std::string(rule.rule);
      s.says = rule.says;
      s.satisfied = rule.satisfied;
      std::string on;
      if (rule.lock != nullptr) {
        on = rule.role;
        if (i < r.rule_objects.size() && !r.rule_objects[i].name.empty())
          on += " " + r.rule_objects[i].name;
        s.found = std::string(rule.found == held::none ? "not held " : "held ") +
                  (rule.found == held::none ? "" : std::string(to_string(rule.found)) + " ") +
                  "on ";
      }
      auto same = std::find_if(out.begin(), out.end(), [&](const shown_rule& o) {
        return o.cite == s.cite && o.satisfied == s.satisfied &&
               (s.found.empty() ? o.found.empty() : o.found.starts_with(s.found));
      });
      if (same != out.end()) {
        if (!on.empty()) same->found += ", " + on;
        continue;
      }
      s.found += on;
      out.push_back(std::move(s));
    }
    return out;
  }

  struct holder {
    int lane;
    held mode;
  };
  struct waiting {
    const void* lock;
    size_t span;
  };

  timeline& t_;
  std::vector<recorded_event> events_;
  const timeline_filter& filter_;
  std::vector<bool> shown_;
  std::map<int, int> calls_;  // by operation: system calls
  std::map<int, int> call_depth_;
  std::map<int, int> depth_;
  std::map<const void*, std::vector<holder>> holders_;
  std::map<const void*, size_t> last_drop_;
  std::map<int, waiting> waits_;
  std::map<std::pair<int, const void*>, std::vector<size_t>> open_locks_;
  std::map<int, std::vector<size_t>> open_methods_;
  std::map<int, size_t> open_operations_;
  std::set<std::string> explained_;
  std::set<std::string> distinct_;
};

}  // namespace

const char* name_of(step_kind k) {
  static constexpr const char* names[] = {"operation", "result",    "call",     "wait",  "take",
                                          "drop",      "downgrade", "pass_on",  "enter", "leave",
                                          "rcu_begin", "rcu_end",   "violation"};
  return names[static_cast<size_t>(k)];
}

void build_timeline(timeline& t, std::vector<recorded_event> events,
                    const timeline_filter& filter) {
  builder(t, std::move(events), filter).build();
}

std::string lane_name(const timeline& t, int lane) {
  return lane >= 0 && static_cast<size_t>(lane) < t.tasks.size()
             ? t.tasks[static_cast<size_t>(lane)]
             : "background";
}

std::string lock_text(const step& s) {
  return s.object.empty() ? s.lock_class : s.lock_class + "(" + s.object + ")";
}

}  // namespace holdfast::app
