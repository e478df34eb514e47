// SPDX-License-Identifier: Apache-2.0
//
// A violation as text for people and as one line of JSON for programs.
//
// 1. JSON is well-formed whatever the texts contain: bytes outside of printable ASCII are escaped
//    one by one, and stacks are left out when the line would not fit.
// 2. The text begins with the rule, as one would look it up. Frames of checking itself are left out
//    of its stacks; JSON keeps them.
#include "contract/report.h"
#include "contract/symbol.h"
#include "contract/text_buffer.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr size_t label_width = 12;
constexpr size_t place_column = 48;
constexpr size_t text_width = 86;

void put_blanks(text_writer& out, size_t n) {
  for (; n > 0; --n) out << ' ';
}

// Goes on in the same column where the line gets too long.
void put_line(text_writer& out, std::string_view label, std::string_view text) {
  if (text.empty()) return;
  out << "  " << label;
  put_blanks(out, label.size() < label_width ? label_width - label.size() : 1);
  while (text.size() > text_width) {
    const size_t blank = text.rfind(' ', text_width);
    if (blank == text.npos) break;
    out << text.substr(0, blank) << '\n';
    put_blanks(out, label_width + 2);
    text.remove_prefix(blank + 1);
  }
  out << text << '\n';
}

// One frame a line, function and place, below `label`.
void put_stack(text_writer& out, std::string_view label, size_t indent, void* const* frames,
               unsigned count) {
  bool inner = true;
  for (unsigned i = 0; i < count; ++i) {
    frame_text f;
    describe_frame(frames[i], f);
    const bool last = i + 1 == count;
    if (inner && !last && is_machinery(f.name_view())) continue;
    if (!inner && last && f.name_length == 0) return;  // where the thread began
    put_blanks(out, indent);
    if (inner)
      out << label;
    else
      put_blanks(out, label.size());
    inner = false;
    out << ' ';
    if (f.name_length == 0)
      out.address(frames[i]);
    else
      out << f.name_view();
    if (f.place_length != 0) {
      const size_t used = f.name_length;
      put_blanks(out, used + 2 < place_column ? place_column - used : 2);
      out << f.place_view();
    }
    out << '\n';
  }
}

void put_held_text(text_writer& out, unsigned number, const held_lock_report& h) {
  out << "    " << number << ". " << h.lock_class;
  if (h.role[0] != '\0') out << " of " << h.role;
  out << ", " << h.mode;
  if (h.nest[0] != '\0') out << ", nesting level " << h.nest;
  if (h.depth != 0) out << ", stacking depth " << h.depth;
  out << " (";
  out.address(h.address) << ")\n";
  put_stack(out, "taken in", 7, h.frames, h.frame_count);
}

void put_edge(text_writer& out, std::string_view label, const order_edge& e) {
  out << "  " << label;
  put_blanks(out, label_width - label.size());
  put_lock_name(out, *e.outer, e.outer_level, e.outer_depth);
  out << ", then ";
  put_lock_name(out, *e.inner, e.inner_level, e.inner_depth);
  if (e.declared) out << ": the published order";
  if (e.operation != nullptr) out << ", in " << e.operation;
  out << '\n';
  put_stack(out, "the first in ", 7, e.outer_stack, e.outer_frames);
  put_stack(out, "the second in", 7, e.inner_stack, e.inner_frames);
}

void put_chains(text_writer& out, const violation& v) {
  if (v.new_edge == nullptr) return;
  put_edge(out, "now", *v.new_edge);
  for (size_t i = 0; i < v.chain_length; ++i) put_edge(out, "known", v.chain[i]);
}

}  // namespace

void put_lock_name(text_writer& out, const lock_class& c, nest level, uint8_t depth) {
  out << c.name;
  if (level != nest::normal) out << '/' << to_string(level);
  if (depth != 0) out << " at depth " << uint32_t{depth};
}

size_t format_text(const violation& v, char* to, size_t size) {
  text_writer out(to, size);
  if (v.edition.empty()) {
    out << "holdfast: locking broken (" << v.kind << "): " << v.finding << '\n';
    put_line(out, "the rule", v.sentence);
    if (!v.method.empty()) {
      text_buffer<128> method;
      method << v.table << '.' << v.method;
      put_line(out, "in method", method.view());
    }
  } else {
    out << "holdfast: contract broken: " << v.edition << ' ' << v.table << '.' << v.method;
    if (!v.column.empty()) out << ", column " << v.column;
    if (!v.cell.empty()) out << ": `" << v.cell << '`';
    if (!v.rule.empty()) out << ", rule " << v.rule;
    out << '\n';
    put_line(out, "the rule", v.sentence);
    put_line(out, "found", v.finding);
  }
  put_line(out, "during", v.operation);
  put_line(out, "what to do", v.advice);
  put_chains(out, v);
  if (v.held_count == 0)
    put_line(out, "locks held", "none");
  else
    out << "  locks held, in the order taken:\n";
  for (unsigned i = 0; i < v.held_count; ++i) put_held_text(out, i + 1, v.held[i]);
  // Of an inversion that is where the second lock is taken, which stands above.
  if (v.new_edge == nullptr) put_stack(out, "found in  ", 2, v.frames, v.frame_count);
  out << "  Reported once; further ones like it are counted.\n";
  return out.size();
}

namespace {

void put_string(text_writer& out, std::string_view s) {
  out << '"';
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out << '\\' << c;
    else if (byte >= 0x20 && byte < 0x7f)
      out << c;
    else
      out << "\\u00" << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
  }
  out << '"';
}

void put_member(text_writer& out, std::string_view name, std::string_view value) {
  put_string(out, name);
  out << ':';
  put_string(out, value);
  out << ',';
}

void put_id(text_writer& out, uint64_t id) {
  out << "\"id\":\"";
  out.hex(id) << "\",";
}

// Of the rule and the finding: both kinds of lines have them.
void put_rule_members(text_writer& out, const violation& v) {
  put_id(out, v.id);
  put_member(out, "edition", v.edition);
  put_member(out, "kind", v.kind);
  put_member(out, "table", v.table);
  put_member(out, "method", v.method);
  put_member(out, "column", v.column);
  put_member(out, "rule", v.rule);
  put_member(out, "finding", v.finding);
}

void put_json_stack(text_writer& out, void* const* frames, unsigned count) {
  out << '[';
  for (unsigned i = 0; i < count; ++i) {
    char name[384];
    if (i != 0) out << ',';
    put_string(out, {name, describe_address(frames[i], name, sizeof name)});
  }
  out << ']';
}

void put_json_edge(text_writer& out, const order_edge& e, bool stacks) {
  out << '{';
  put_member(out, "outer", e.outer->name);
  put_member(out, "outer_nest", e.outer_level == nest::normal ? "" : to_string(e.outer_level));
  out << "\"outer_depth\":" << uint32_t{e.outer_depth} << ',';
  put_member(out, "inner", e.inner->name);
  put_member(out, "inner_nest", e.inner_level == nest::normal ? "" : to_string(e.inner_level));
  out << "\"inner_depth\":" << uint32_t{e.inner_depth}
      << ",\"declared\":" << (e.declared ? "true" : "false") << ',';
  put_member(out, "operation", e.operation != nullptr ? e.operation : "");
  out << "\"outer_stack\":";
  put_json_stack(out, e.outer_stack, stacks ? e.outer_frames : 0);
  out << ",\"inner_stack\":";
  put_json_stack(out, e.inner_stack, stacks ? e.inner_frames : 0);
  out << '}';
}

void put_json(text_writer& out, const violation& v, bool stacks, unsigned held_count) {
  out << '{';
  put_rule_members(out, v);
  put_member(out, "cell", v.cell);
  put_member(out, "sentence", v.sentence);
  put_member(out, "operation", v.operation);
  put_member(out, "advice", v.advice);
  out << "\"held\":[";
  for (unsigned i = 0; i < held_count; ++i) {
    const held_lock_report& h = v.held[i];
    out << (i == 0 ? "{" : ",{");
    put_member(out, "class", h.lock_class);
    put_member(out, "mode", h.mode);
    put_member(out, "role", h.role);
    put_member(out, "nest", h.nest);
    out << "\"depth\":" << h.depth << ",\"address\":\"";
    out.address(h.address) << "\",\"stack\":";
    put_json_stack(out, h.frames, stacks ? h.frame_count : 0);
    out << '}';
  }
  out << "],\"stack\":";
  put_json_stack(out, v.frames, stacks ? v.frame_count : 0);
  if (v.new_edge != nullptr) {
    out << ",\"order_now\":";
    put_json_edge(out, *v.new_edge, stacks);
    out << ",\"order_known\":[";
    for (size_t i = 0; i < v.chain_length; ++i) {
      if (i != 0) out << ',';
      put_json_edge(out, v.chain[i], stacks);
    }
    out << ']';
  }
  out << '}';
}

}  // namespace

size_t format_json(const violation& v, char* to, size_t size) {
  for (const bool stacks : {true, false}) {
    text_writer out(to, size);
    put_json(out, v, stacks, v.held_count);
    if (!out.overflowed()) return out.size();
  }
  text_writer out(to, size);
  put_json(out, v, false, 0);
  return out.size();
}

size_t format_total(const violation& v, uint64_t count, char* to, size_t size) {
  text_writer out(to, size);
  out << "{\"total\":true,\"count\":" << count << ',';
  put_rule_members(out, v);
  text_writer end(to + out.size() - 1, size - out.size() + 1);  // over the last comma
  end << '}';
  return out.size();
}

HF_NAMESPACE_END
