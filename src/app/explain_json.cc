// SPDX-License-Identifier: Apache-2.0
//
// The timeline as JSON, and as a trace in Chrome's trace event format.
//
// The trace: a process, and for each task a thread with its operations, methods and waits, and one
// or more with its locks: slices of one thread must nest, and locks are not always dropped in the
// reverse order, so a lock that would cross another's end goes to the next.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/explain.h"
#include "base/stable_sort.h"

namespace holdfast::app {
namespace {

using nlohmann::ordered_json;

double us(int64_t ns) {
  return static_cast<double>(ns) / 1000.0;
}

ordered_json rules_json(const std::vector<shown_rule>& rules) {
  ordered_json out = ordered_json::array();
  for (const shown_rule& r : rules)
    out.push_back(
        {{"rule", r.cite}, {"says", r.says}, {"found", r.found}, {"satisfied", r.satisfied}});
  return out;
}

ordered_json step_json(const timeline& t, const step& s) {
  ordered_json j = {{"us", us(s.ns)}, {"task", lane_name(t, s.lane)}, {"what", name_of(s.kind)}};
  if (s.op >= 0) j["operation"] = s.op;
  if (!s.text.empty()) j["text"] = s.text;
  if (!s.lock_class.empty()) {
    j["lock"] = s.lock_class;
    j["object"] = s.object;
    j["object_type"] = s.object_type;
    j["mode"] = s.mode;
    if (!s.nest.empty()) j["nest"] = s.nest;
  }
  if (!s.who.empty()) j["held_by"] = s.who;
  if (!s.method.empty()) {
    j["table"] = s.table;
    j["method"] = s.method;
    if (s.kind == step_kind::leave || !s.rules.empty()) j["rules"] = rules_json(s.rules);
  }
  if (s.kind == step_kind::leave || s.kind == step_kind::result) j["failed"] = s.failed;
  return j;
}

// --- the trace ---

constexpr int trace_pid = 1;
constexpr int tracks_per_task = 100;  // thread ids of a task: its own, then its lock tracks

struct slice {
  int64_t begin, end;
  std::string name;
  const char* category;
  ordered_json args;
  int tid;
};

int main_track(int lane) {
  return (lane + 1) * tracks_per_task + 1;
}

std::string slice_name(const step& s, span_kind k) {
  switch (k) {
    case span_kind::operation:
      return s.text;
    case span_kind::method:
      return s.table + "." + s.method;
    case span_kind::lock:
      return lock_text(s) + " " + s.mode;
    case span_kind::wait:
      return "waits for " + lock_text(s);
  }
  return {};
}

ordered_json slice_args(const step& s, const step& last, span_kind k) {
  ordered_json args = ordered_json::object();
  if (k == span_kind::operation) args["result"] = last.text;
  if (k == span_kind::method) {
    args["returned"] = last.failed ? "failed" : "ok";
    for (const shown_rule& r : s.rules)
      args[r.cite] = (r.satisfied ? "satisfied" : "BROKEN") +
                     (r.found.empty() ? "" : ", " + r.found) + ". " + r.says;
  }
  if (k == span_kind::lock) {
    args["mode"] = s.mode;
    if (!s.nest.empty()) args["nest"] = s.nest;
    if (!s.object_type.empty()) args["object"] = s.object + " (" + s.object_type + ")";
  }
  if (k == span_kind::wait && !s.who.empty()) args["held by"] = s.who;
  return args;
}

// The first track of the lane on which [begin, end] nests in or lies beside everything there.
int lock_track(std::vector<std::vector<slice>>& tracks, int64_t begin, int64_t end) {
  for (size_t t = 0; t < tracks.size(); ++t) {
    const bool fits = std::all_of(tracks[t].begin(), tracks[t].end(), [&](const slice& o) {
      return end <= o.begin || begin >= o.end || (begin >= o.begin && end <= o.end) ||
             (begin <= o.begin && end >= o.end);
    });
    if (fits) return static_cast<int>(t);
  }
  tracks.emplace_back();
  return static_cast<int>(tracks.size()) - 1;
}

}  // namespace

std::string explain_json(const timeline& t) {
  ordered_json j;
  j["prepared"] = t.prepared;
  j["tasks"] = t.tasks;
  j["pause_us"] = t.pause_us;
  j["events"] = ordered_json::array();
  for (const step& s : t.steps) j["events"].push_back(step_json(t, s));
  ordered_json lanes = ordered_json::object();
  for (size_t i = 0; i < t.lanes.size(); ++i)
    lanes[t.tasks[i]] = {{"locks", t.lanes[i].locks}, {"methods", t.lanes[i].methods}};
  j["summary"] = {{"tasks", lanes},
                  {"rules_satisfied", t.rules_checked - t.rules_broken},
                  {"rules_broken", t.rules_broken},
                  {"rules_different", t.distinct_rules},
                  {"violations", t.violation_count}};
  j["notes"] = t.notes;
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string explain_trace(const timeline& t) {
  ordered_json events = ordered_json::array();
  auto meta = [&](const char* what, int tid, ordered_json args) {
    events.push_back({{"ph", "M"},
                      {"name", what},
                      {"pid", trace_pid},
                      {"tid", tid},
                      {"ts", 0},
                      {"args", std::move(args)}});
  };
  meta("process_name", 0, {{"name", "holdfast explain"}});
  std::vector<slice> all;
  std::vector<int> tid_of(t.spans.size());
  for (int l = -1; l < static_cast<int>(t.tasks.size()); ++l) {
    std::vector<std::vector<slice>> tracks;
    bool any = false;
    for (size_t i = 0; i < t.spans.size(); ++i) {
      const span& s = t.spans[i];
      if (s.lane != l) continue;
      any = true;
      const step& first = t.steps[s.first];
      slice c{first.ns, std::max(t.steps[s.last].ns, first.ns),     slice_name(first, s.kind),
              "",       slice_args(first, t.steps[s.last], s.kind), main_track(l)};
      static constexpr const char* categories[] = {"operation", "method", "lock", "wait"};
      c.category = categories[static_cast<size_t>(s.kind)];
      if (s.kind == span_kind::lock) {
        const int track = lock_track(tracks, c.begin, c.end);
        c.tid = main_track(l) + 1 + track;
        tracks[static_cast<size_t>(track)].push_back(c);
      }
      tid_of[i] = c.tid;
      all.push_back(std::move(c));
    }
    if (!any) continue;
    meta("thread_name", main_track(l), {{"name", lane_name(t, l)}});
    meta("thread_sort_index", main_track(l), {{"sort_index", main_track(l)}});
    for (size_t k = 0; k < tracks.size(); ++k) {
      const int tid = main_track(l) + 1 + static_cast<int>(k);
      meta("thread_name", tid,
           {{"name", lane_name(t, l) + " locks" + (k == 0 ? "" : " " + std::to_string(k + 1))}});
      meta("thread_sort_index", tid, {{"sort_index", tid}});
    }
  }
  stable_sort(all, [](const slice& a, const slice& b) { return a.begin < b.begin; });
  for (slice& s : all)
    events.push_back({{"ph", "X"},
                      {"name", s.name},
                      {"cat", s.category},
                      {"pid", trace_pid},
                      {"tid", s.tid},
                      {"ts", us(s.begin)},
                      {"dur", us(s.end - s.begin)},
                      {"args", std::move(s.args)}});
  // From the lock's slice of who let it go, at its end, to the wait.
  int flow = 0;
  for (size_t i = 0; i < t.spans.size(); ++i) {
    const span& s = t.spans[i];
    if (s.kind != span_kind::wait || s.freed == 0) continue;
    for (size_t h = 0; h < t.spans.size(); ++h) {
      const span& holder = t.spans[h];
      if (holder.kind != span_kind::lock || holder.last != s.freed) continue;
      ++flow;
      const ordered_json common = {
          {"name", "lets go"}, {"cat", "wait"}, {"id", flow}, {"pid", trace_pid}};
      ordered_json from = common;
      from["ph"] = "s";
      from["tid"] = tid_of[h];
      from["ts"] = us(t.steps[holder.last].ns);
      ordered_json to = common;
      to["ph"] = "f";
      to["bp"] = "e";
      to["tid"] = tid_of[i];
      to["ts"] = us(t.steps[s.last].ns);
      events.push_back(std::move(from));
      events.push_back(std::move(to));
      break;
    }
  }
  const ordered_json out = {{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}};
  return out.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace holdfast::app
