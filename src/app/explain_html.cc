// SPDX-License-Identifier: Apache-2.0
//
// The timeline as one page: an inline SVG with a band for each task, no network, no library.
//
// 1. The drawing is complete without the script: bars lie by step, each as long as what happens in
//    it. The script lays them out by time on demand, and shows a bar's rules below.
// 2. A bar is a <g class="bar"> with its first and last step; rows are packed so that no two bars
// of
//    a row overlap.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "app/explain.h"
#include "app/html.h"

namespace holdfast::app {
namespace {

using nlohmann::ordered_json;

constexpr int row_height = 24;
constexpr int bar_height = 20;
constexpr int margin = 12;

constexpr const char* page_head = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>holdfast explain</title>
<style>
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #5b6570; --line: #d6dbe1;
  --band: #f5f7f9; --operation: #d4dae1; --method: #9cc3ef; --exclusive: #f0b567; --shared: #f7e0b8;
  --wait: #f3a59b; --broken: #c62828; --on: #1b1f24; --mark: #1565c0; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e6e9ed; --soft: #9aa4af;
  --line: #353c45; --band: #1b2026; --operation: #4a535e; --method: #2f5f95; --exclusive: #8f5d16;
  --shared: #57441f; --wait: #8a3a33; --broken: #ff6b60; --on: #f2f4f6; --mark: #6db3ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
main { padding: 14px 14px 46vh; max-width: 1500px; margin: 0 auto; }
h1 { font-size: 1.15rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; }
.soft { color: var(--soft); }
code, pre { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .7rem 0; }
button { font: inherit; padding: .35rem .8rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--band); color: inherit; }
button[aria-pressed=true] { border-color: var(--mark); box-shadow: inset 0 0 0 1px var(--mark); }
.key { display: inline-flex; align-items: center; gap: .35rem; }
.key i { width: 1.1rem; height: .8rem; border-radius: 3px; display: inline-block; }
.drawing { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
svg { display: block; font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
svg text { fill: var(--ink); }
.band { fill: var(--band); }
.lane { font-weight: 700; font-size: 13px; }
.tick { stroke: var(--line); }
.ticktext { font-size: 10px; fill: var(--soft) !important; }
.bar { cursor: pointer; outline: none; }
.bar text { fill: var(--on); pointer-events: none; }
.bar rect { rx: 4px; }
.operation rect { fill: var(--operation); } .method rect { fill: var(--method); }
.exclusive rect { fill: var(--exclusive); } .shared rect { fill: var(--shared); }
.wait rect { fill: var(--wait); }
.bad rect { stroke: var(--broken); stroke-width: 2.5px; }
.bar:hover rect, .bar:focus rect, .bar.chosen rect { stroke: var(--mark); stroke-width: 2px; }
.arrow { stroke: var(--broken); fill: none; stroke-dasharray: 4 3; }
#about { position: fixed; left: 0; right: 0; bottom: 0; max-height: 42vh; overflow: auto;
  background: var(--page); border-top: 2px solid var(--line); padding: .6rem 14px .8rem; }
#about h2 { font-size: 1rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
#about ul { margin: .3rem 0 0; padding-left: 1.2rem; }
#about li { margin: .15rem 0; overflow-wrap: anywhere; }
.no { color: var(--broken); font-weight: 700; }
details { margin-top: 1rem; }
pre { overflow-x: auto; }
</style>
</head>
<body>
<main>
)";

constexpr const char* page_script = R"js(
<script>
"use strict";
const about = document.getElementById("about");
const bars = [...document.querySelectorAll(".bar")];
const ticks = [...document.querySelectorAll(".mark")];
const arrows = [...document.querySelectorAll(".arrow")];
const svg = document.querySelector("svg");
function put(parent, tag, text, name) {
  const e = document.createElement(tag);
  e.textContent = text;
  if (name) e.className = name;
  parent.append(e);
  return e;
}
function show(bar) {
  for (const b of bars) b.classList.toggle("chosen", b === bar);
  const d = data.bars[bar.dataset.i];
  about.replaceChildren();
  put(about, "h2", d.title);
  put(about, "p", d.when, "soft");
  for (const line of d.lines) put(about, "p", line);
  if (d.rules.length) {
    const list = put(about, "ul", "");
    for (const r of d.rules) {
      const item = put(list, "li", "");
      put(item, "span", r.ok ? "ok " : "BROKEN ", r.ok ? "soft" : "no");
      put(item, "code", r.cite);
      item.append(" " + r.says);
      if (r.found) put(item, "span", " " + r.found, "soft");
    }
  }
  about.scrollTop = 0;
}
function layout(byTime) {
  const last = data.steps.length - 1;
  const room = svg.parentElement.clientWidth - 2 * data.margin - 4;
  const span = Math.max(data.steps[last], 1);
  const width = byTime ? Math.max(room, 700) : last * data.step;
  const x = i => data.margin + (byTime ? data.steps[i] / span * width : i * data.step);
  svg.setAttribute("width", width + 2 * data.margin + data.step);
  for (const e of document.querySelectorAll(".band, .full"))
    e.setAttribute("width", width + 2 * data.margin + data.step);
  for (const b of bars) {
    const a = x(+b.dataset.a), w = Math.max(x(+b.dataset.b) - a, byTime ? 2 : data.step - 3);
    const rect = b.querySelector("rect"), text = b.querySelector("text");
    rect.setAttribute("x", a);
    rect.setAttribute("width", w);
    text.setAttribute("x", a + 5);
    const fits = Math.floor((w - 8) / 7.3);
    const t = data.bars[b.dataset.i].label;
    text.textContent = t.length <= fits ? t : fits > 2 ? t.slice(0, fits - 1) + "\u2026" : "";
  }
  let until = -1;
  for (const m of ticks) {
    const at = x(+m.dataset.a), line = m.querySelector("line"), text = m.querySelector("text");
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    text.setAttribute("x", at);
    text.textContent = at > until ? m.dataset.t : "";
    if (at > until) until = at + 44;
  }
  for (const p of arrows)
    p.setAttribute("d", `M${x(+p.dataset.a)},${p.dataset.y}L${x(+p.dataset.b)},${p.dataset.z}`);
  for (const k of ["step", "time"])
    document.getElementById(k).setAttribute("aria-pressed", (k === "time") === byTime);
}
for (const b of bars) {
  b.addEventListener("click", () => show(b));
  b.addEventListener("focus", () => show(b));
  b.addEventListener("mouseenter", () => show(b));
}
document.getElementById("step").addEventListener("click", () => layout(false));
document.getElementById("time").addEventListener("click", () => layout(true));
layout(false);
show(bars.find(b => b.classList.contains("method")) || bars[0]);
</script>
)js";

std::string us_text(int64_t ns) {
  return std::to_string(ns / 1000) + "." + std::to_string(ns / 100 % 10);
}

class page {
 public:
  // Wide where there is room, so that short bars can say what they are.
  explicit page(const timeline& t)
      : t_(t),
        step_width_(std::clamp(1100 / std::max(static_cast<int>(t.steps.size()), 1), 36, 64)) {}

  std::string make() {
    data_["margin"] = margin;
    data_["step"] = step_width_;
    data_["steps"] = ordered_json::array();
    data_["bars"] = ordered_json::array();
    for (const step& s : t_.steps) data_["steps"].push_back(static_cast<double>(s.ns) / 1000.0);
    std::string out = page_head;
    std::string script;
    for (const step& s : t_.steps)
      if (s.kind == step_kind::operation)
        script += (script.empty() ? "" : "; ") +
                  (t_.tasks.size() > 1 ? lane_name(t_, s.lane) + ": " : "") + s.text;
    out += "<h1>" + html_escaped(script) + "</h1>\n";
    std::string made;
    for (const std::string& p : t_.prepared) made += (made.empty() ? "" : ", ") + p;
    if (!made.empty()) out += "<p class=\"soft\">Prepared: " + html_escaped(made) + "</p>\n";
    out += "<p>" + std::to_string(t_.rules_checked - t_.rules_broken) + " rules satisfied, " +
           std::to_string(t_.rules_broken) +
           " broken; violations: " + std::to_string(t_.violation_count) +
           ". Point at a bar, or tap it.</p>\n";
    for (const std::string& n : t_.notes) out += "<p>Note: " + html_escaped(n) + "</p>\n";
    if (t_.pause_us != 0)
      out += "<p class=\"soft\">Methods that may block begin " + std::to_string(t_.pause_us) +
             " us late, so that the tasks meet.</p>\n";
    out += tools();
    out += "<div class=\"drawing\">\n" + drawing() + "</div>\n";
    out += "<details><summary>As text</summary><pre>" + html_escaped(explain_text(t_, 110)) +
           "</pre></details>\n</main>\n<section id=\"about\" aria-live=\"polite\"></section>\n";
    std::string json = data_.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    for (size_t at = 0; (at = json.find('<', at)) != std::string::npos;)
      json.replace(at, 1, "\\u003c");
    out += "<script>const data = " + json + ";</script>" + page_script + "</body>\n</html>\n";
    return out;
  }

 private:
  static std::string tools() {
    std::string out =
        "<div class=\"tools\"><span><button id=\"step\" aria-pressed=\"true\">By step</button> "
        "<button id=\"time\" aria-pressed=\"false\">By time</button></span>\n";
    for (const auto& [colour, what] : {std::pair{"operation", "operation"},
                                       {"method", "method"},
                                       {"exclusive", "lock, exclusive"},
                                       {"shared", "lock, shared"},
                                       {"wait", "waiting"}})
      out += std::string("<span class=\"key soft\"><i style=\"background:var(--") + colour +
             ")\"></i>" + what + "</span>\n";
    return out + "</div>\n";
  }

  // Bars of one kind in as few rows as they need; the rows used.
  int pack(int lane, int row, const std::vector<span_kind>& kinds) {
    std::vector<size_t> ends;  // by row: where its last bar ends
    for (size_t i = 0; i < t_.spans.size(); ++i) {
      const span& s = t_.spans[i];
      if (s.lane != lane || std::find(kinds.begin(), kinds.end(), s.kind) == kinds.end()) continue;
      size_t r = 0;
      while (r < ends.size() && ends[r] > s.first) ++r;
      if (r == ends.size()) ends.push_back(0);
      ends[r] = std::max(s.last, s.first + 1);
      rows_[i] = row + static_cast<int>(r);
    }
    return static_cast<int>(ends.size());
  }

  std::string drawing() {
    std::string bands, names, bars, arrows;
    int row = 1;  // the axis
    for (int n = 0; n <= static_cast<int>(t_.tasks.size()); ++n) {
      const int l = n < static_cast<int>(t_.tasks.size()) ? n : -1;
      const bool any =
          std::any_of(t_.spans.begin(), t_.spans.end(), [&](const span& s) { return s.lane == l; });
      if (!any) continue;
      const int top = row++;
      row += pack(l, row, {span_kind::operation});
      row += pack(l, row, {span_kind::method});
      row += pack(l, row, {span_kind::lock, span_kind::wait});
      bands += "<rect class=\"band\" x=\"0\" y=\"" + std::to_string(top * row_height + 2) +
               "\" width=\"" + std::to_string(width()) + "\" height=\"" +
               std::to_string((row - top) * row_height) + "\"/>\n";
      names += "<text class=\"lane\" x=\"" + std::to_string(margin) + "\" y=\"" +
               std::to_string(top * row_height + 19) + "\">" + html_escaped(lane_name(t_, l)) +
               "</text>\n";
    }
    for (size_t i = 0; i < t_.spans.size(); ++i) bars += bar(i);
    for (size_t i = 0; i < t_.spans.size(); ++i) arrows += arrow(i);
    const int height = row * row_height + 10;
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width()) +
           "\" height=\"" + std::to_string(height) + "\" role=\"img\" aria-label=\"Timeline\">\n" +
           bands + axis(height) + names + bars + arrows + "</svg>\n";
  }

  int width() const { return static_cast<int>(t_.steps.size()) * step_width_ + 2 * margin; }

  std::string axis(int height) const {
    std::string out;
    for (size_t i = 0; i < t_.steps.size(); ++i) {
      const std::string x = std::to_string(margin + static_cast<int>(i) * step_width_);
      const std::string us = us_text(t_.steps[i].ns);
      out += "<g class=\"mark\" data-a=\"" + std::to_string(i) + "\" data-t=\"" + us +
             "\"><line class=\"tick\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"18\" y2=\"" +
             std::to_string(height) + "\"/><text class=\"ticktext\" x=\"" + x + "\" y=\"13\">" +
             (i % 2 == 0 ? us : "") + "</text></g>\n";
    }
    return out;
  }

  std::string bar(size_t i) {
    const span& s = t_.spans[i];
    const step& first = t_.steps[s.first];
    const step& last = t_.steps[s.last];
    ordered_json d;
    std::string css;
    d["lines"] = ordered_json::array();
    d["rules"] = ordered_json::array();
    bool bad = false;
    switch (s.kind) {
      case span_kind::operation:
        css = "operation";
        d["label"] = first.text;
        d["title"] = first.text + "  " + last.text;
        bad = false;
        break;
      case span_kind::method:
        css = "method";
        d["label"] = first.method;
        d["title"] = first.table + "." + first.method + (last.failed ? ": failed" : ": ok");
        for (const step* at : {&first, &last})
          for (const shown_rule& r : at->rules) {
            bad = bad || !r.satisfied;
            d["rules"].push_back(
                {{"ok", r.satisfied}, {"cite", r.cite}, {"says", r.says}, {"found", r.found}});
          }
        break;
      case span_kind::lock:
        css = first.mode == "shared" ? "shared" : "exclusive";
        d["label"] = lock_text(first);
        d["title"] = lock_text(first) + ", " + first.mode;
        if (!first.object_type.empty())
          d["lines"].push_back("Of the " + first.object_type + " " + first.object + ".");
        if (!first.nest.empty()) d["lines"].push_back("Nesting level: " + first.nest + ".");
        break;
      case span_kind::wait:
        css = "wait";
        d["label"] = "waits for " + lock_text(first);
        d["title"] = "waits for " + lock_text(first);
        if (!first.who.empty()) d["lines"].push_back("Held " + first.who + ".");
        break;
    }
    d["when"] = (t_.tasks.size() > 1 ? lane_name(t_, s.lane) + ", " : std::string()) + "from " +
                us_text(first.ns) + " to " + us_text(last.ns) + " us (" +
                us_text(last.ns - first.ns) + " us)";
    const int x = margin + static_cast<int>(s.first) * step_width_;
    const int w = std::max(static_cast<int>(s.last - s.first) * step_width_, step_width_ - 3);
    const int y = rows_[i] * row_height;
    std::string label = d["label"].get<std::string>();
    const size_t fits = static_cast<size_t>(std::max(w - 8, 0)) * 10 / 73;
    if (label.size() > fits) label = fits > 2 ? label.substr(0, fits - 1) + "\xe2\x80\xa6" : "";
    const std::string title = d["title"].get<std::string>();
    data_["bars"].push_back(std::move(d));
    return "<g class=\"bar " + css + (bad ? " bad" : "") + "\" tabindex=\"0\" data-i=\"" +
           std::to_string(i) + "\" data-a=\"" + std::to_string(s.first) + "\" data-b=\"" +
           std::to_string(s.last) + "\"><title>" + html_escaped(title) + "</title><rect x=\"" +
           std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" + std::to_string(w) +
           "\" height=\"" + std::to_string(bar_height) + "\"/><text x=\"" + std::to_string(x + 5) +
           "\" y=\"" + std::to_string(y + 14) + "\">" + html_escaped(label) + "</text></g>\n";
  }

  // From the end of the lock that was waited for to the end of the wait.
  std::string arrow(size_t i) {
    const span& s = t_.spans[i];
    if (s.kind != span_kind::wait || s.freed == 0) return {};
    for (size_t h = 0; h < t_.spans.size(); ++h) {
      const span& from = t_.spans[h];
      if (from.kind != span_kind::lock || from.last != s.freed) continue;
      const int y = rows_[h] * row_height + bar_height / 2;
      const int z = rows_[i] * row_height + bar_height / 2;
      return "<path class=\"arrow\" data-a=\"" + std::to_string(from.last) + "\" data-b=\"" +
             std::to_string(s.last) + "\" data-y=\"" + std::to_string(y) + "\" data-z=\"" +
             std::to_string(z) + "\" d=\"M" +
             std::to_string(margin + static_cast<int>(from.last) * step_width_) + "," +
             std::to_string(y) + "L" +
             std::to_string(margin + static_cast<int>(s.last) * step_width_) + "," +
             std::to_string(z) + "\"/>\n";
    }
    return {};
  }

  const timeline& t_;
  const int step_width_;
  ordered_json data_;
  std::map<size_t, int> rows_;  // by span
};

}  // namespace

std::string explain_html(const timeline& t) {
  return page(t).make();
}

}  // namespace holdfast::app
