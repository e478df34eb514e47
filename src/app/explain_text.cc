// SPDX-License-Identifier: Apache-2.0
//
// The timeline as text: time, then one column for each task.
//
//   +  takes a lock     -  drops it     >  calls a method     <  it returned     ?  waits
#include <algorithm>
#include <map>

#include "app/explain.h"

namespace holdfast::app {
namespace {

constexpr size_t time_width = 10;

struct line {
  size_t indent;
  std::string text;
};

std::string mode_text(const step& s) {
  return " " + s.mode + (s.nest.empty() ? "" : ", " + s.nest);
}

std::string headline(const step& s) {
  switch (s.kind) {
    case step_kind::operation:
      return "* " + s.text;
    case step_kind::result:
      return s.text;
    case step_kind::call:
      return ". " + s.text;
    case step_kind::wait:
      return "? waits for " + lock_text(s) + (s.who.empty() ? "" : ", held " + s.who);
    case step_kind::take:
      return "+ " + lock_text(s) + mode_text(s);
    case step_kind::drop:
      return "- " + lock_text(s);
    case step_kind::downgrade:
      return "~ " + lock_text(s) + " downgraded to shared";
    case step_kind::pass_on:
      return "- " + lock_text(s) + " stays taken, this task answers for it no longer";
    case step_kind::enter:
      return "> " + s.table + "." + s.method + (s.rules_repeated ? "  (rules as above)" : "");
    case step_kind::leave:
      return "< " + s.method + (s.failed ? " failed" : " ok");
    case step_kind::rcu_begin:
      return "+ RCU read section";
    case step_kind::rcu_end:
      return "- RCU read section";
    case step_kind::violation:
      return "! BROKEN " + s.text;
  }
  return {};
}

std::vector<line> lines_of(const step& s) {
  const size_t indent = static_cast<size_t>(std::max(s.depth, 0)) * 2;
  std::vector<line> out{{indent, headline(s)}};
  if (s.rules_repeated) return out;
  for (const shown_rule& r : s.rules) {
    std::string text = (r.satisfied ? "ok " : "BROKEN ") + r.cite;
    if (r.cite.ends_with('`')) {
      if (!r.found.empty()) text += ": " + r.found;
    } else {
      text += " " + r.says;
      if (!r.found.empty()) text += " (" + r.found + ")";
    }
    out.push_back({indent + 4, text});
  }
  return out;
}

// Cut at blanks to the width; later lines hang.
std::vector<std::string> wrap(const line& l, size_t width) {
  const size_t indent = std::min(l.indent, width > 44 ? width - 40 : 4);
  std::vector<std::string> out;
  std::string rest = l.text;
  size_t in = indent;
  do {
    const size_t room = width > in + 8 ? width - in : 8;
    std::string piece = rest;
    if (piece.size() > room) {
      size_t cut = piece.rfind(' ', room);
      if (cut == std::string::npos || cut == 0) cut = room;
      piece.resize(cut);
    }
    rest.erase(0, piece.size());
    rest.erase(0, rest.find_first_not_of(' ') == std::string::npos ? rest.size()
                                                                   : rest.find_first_not_of(' '));
    out.push_back(std::string(in, ' ') + piece);
    in = indent + 3;
  } while (!rest.empty());
  return out;
}

std::string time_text(int64_t ns) {
  std::string us = std::to_string(ns / 1000) + "." + std::to_string(ns / 100 % 10);
  return std::string(us.size() < time_width - 2 ? time_width - 2 - us.size() : 0, ' ') + us + "  ";
}

std::string join(const std::vector<std::string>& all, const char* between) {
  std::string out;
  for (const std::string& s : all) out += (out.empty() ? "" : between) + s;
  return out;
}

// "a, b (3 times)", in the order of first mention.
std::vector<std::string> counted(const std::vector<std::string>& all) {
  std::vector<std::string> names;
  std::map<std::string, int> times;
  for (const std::string& s : all)
    if (++times[s] == 1) names.push_back(s);
  for (std::string& s : names)
    if (const int n = times[s]; n > 1) s += " (" + std::to_string(n) + " times)";
  return names;
}

void put_wrapped(std::string& out, const std::string& label, const std::string& text,
                 size_t width) {
  std::string head = label;
  head.resize(std::max(label.size() + 2, size_t{10}), ' ');
  bool first = true;
  for (const std::string& piece : wrap({0, text}, width - head.size())) {
    out += (first ? head : std::string(head.size(), ' ')) + piece + "\n";
    first = false;
  }
}

}  // namespace

std::string explain_text(const timeline& t, unsigned width) {
  std::string out;
  if (!t.prepared.empty()) put_wrapped(out, "prepared", join(t.prepared, ", "), width);
  if (t.pause_us != 0)
    put_wrapped(out, "pause",
                "every method that may block begins " + std::to_string(t.pause_us) +
                    " us late, so that the tasks meet; --pause 0 leaves that out",
                width);
  if (!out.empty()) out += "\n";
  // The background has a column of its own, if it did anything.
  std::vector<int> lanes;
  for (int l = 0; l < static_cast<int>(t.tasks.size()); ++l) lanes.push_back(l);
  for (const step& s : t.steps)
    if (s.lane < 0 && std::find(lanes.begin(), lanes.end(), -1) == lanes.end()) lanes.push_back(-1);
  const size_t columns = std::max(lanes.size(), size_t{1});
  const size_t column = std::max(size_t{36}, (std::max(width, 40u) - time_width) / columns);
  std::string head = std::string(time_width - 4, ' ') + "us  ";
  for (size_t i = 0; columns > 1 && i < lanes.size(); ++i) {
    head.resize(time_width + column * i, ' ');
    head += lane_name(t, lanes[i]);
  }
  while (head.ends_with(' ')) head.pop_back();
  out += head + "\n";
  for (const step& s : t.steps) {
    const size_t at =
        static_cast<size_t>(std::find(lanes.begin(), lanes.end(), s.lane) - lanes.begin());
    bool first = true;
    for (const line& l : lines_of(s))
      for (const std::string& piece : wrap(l, columns > 1 ? column - 2 : column)) {
        out += first ? time_text(s.ns) : std::string(time_width, ' ');
        out += std::string(at * column, ' ') + piece + "\n";
        first = false;
      }
  }
  out += "\n";
  for (size_t i = 0; i < t.lanes.size(); ++i) {
    if (t.lanes.size() > 1) out += t.tasks[i] + "\n";
    put_wrapped(out, "locks",
                t.lanes[i].locks.empty() ? "none shown" : join(t.lanes[i].locks, " > "), width);
    put_wrapped(out, "methods",
                t.lanes[i].methods.empty() ? "none" : join(counted(t.lanes[i].methods), ", "),
                width);
  }
  put_wrapped(out, "rules",
              std::to_string(t.rules_checked - t.rules_broken) + " satisfied (" +
                  std::to_string(t.distinct_rules) + " different), " +
                  std::to_string(t.rules_broken) + " broken",
              width);
  put_wrapped(out, "violations", std::to_string(t.violation_count), width);
  for (const std::string& n : t.notes) put_wrapped(out, "note", n, width);
  return out;
}

}  // namespace holdfast::app
