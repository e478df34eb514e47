// SPDX-License-Identifier: Apache-2.0
//
// A violation as text for people and as one line of JSON for programs.
//
// 1. JSON is well-formed whatever the texts contain: bytes outside of printable ASCII are escaped
//    one by one, and stacks are left out when the line would not fit.
#include <cxxabi.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "contract/report.h"
#include "contract/text_buffer.h"

HF_NAMESPACE_BEGIN

size_t describe_address(const void* address, char* buffer, size_t size) {
  text_writer out(buffer, size);
  Dl_info info{};
  // A return address may be the first of the next function: look one byte back.
  if (address == nullptr || dladdr(static_cast<const char*>(address) - 1, &info) == 0) {
    out.address(address);
    return out.size();
  }
  const auto distance = [&](const void* from) {
    return static_cast<uint64_t>(static_cast<const char*>(address) -
                                 static_cast<const char*>(from));
  };
  if (info.dli_sname != nullptr) {
    int status = 0;
    char* plain = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
    out << std::string_view(plain != nullptr ? plain : info.dli_sname);
    free(plain);
    out << '+' << distance(info.dli_saddr) << ' ';
  }
  std::string_view file = info.dli_fname != nullptr ? info.dli_fname : "?";
  file.remove_prefix(file.rfind('/') + 1);
  out << '(' << file << '+';
  out.hex(distance(info.dli_fbase)) << ')';
  return out.size();
}

namespace {

void put_address(text_writer& out, const void* address) {
  char name[384];
  out << std::string_view(name, describe_address(address, name, sizeof name));
}

void put_line(text_writer& out, std::string_view label, std::string_view text) {
  if (text.empty()) return;
  out << "  " << label;
  for (size_t i = label.size(); i < 10; ++i) out << ' ';
  out << text << '\n';
}

void put_stack(text_writer& out, void* const* frames, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    out << "      #" << i << ' ';
    put_address(out, frames[i]);
    out << '\n';
  }
}

void put_held_text(text_writer& out, const held_lock_report& h) {
  out << "    " << h.lock_class << ", " << h.mode;
  if (h.nest[0] != '\0') out << ", nesting level " << h.nest;
  if (h.depth != 0) out << ", depth " << h.depth;
  if (h.role[0] != '\0') out << ", of " << h.role;
  out << ", at ";
  out.address(h.address) << ", taken by\n";
  put_stack(out, h.frames, h.frame_count);
}

}  // namespace

size_t format_text(const violation& v, char* to, size_t size) {
  text_writer out(to, size);
  if (v.edition.empty()) {
    out << "holdfast: rule of synchronisation broken: " << v.kind << '\n';
    put_line(out, "known", v.sentence);
  } else {
    out << "holdfast: contract of " << v.edition << " broken: " << v.table << '.' << v.method;
    if (!v.column.empty()) out << ", column " << v.column;
    if (!v.rule.empty()) out << ", rule " << v.rule;
    out << '\n';
    if (!v.cell.empty()) put_line(out, "cell", v.cell);
    put_line(out, "rule", v.sentence);
  }
  put_line(out, "found", v.finding);
  put_line(out, "doing", v.operation);
  put_line(out, "what now", v.advice);
  if (v.held_count == 0) {
    out << "  no locks held\n";
  } else {
    out << "  locks held: " << v.held_count << '\n';
    for (unsigned i = 0; i < v.held_count; ++i) put_held_text(out, v.held[i]);
  }
  if (v.frame_count != 0) out << "  here:\n";
  put_stack(out, v.frames, v.frame_count);
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

void put_json_stack(text_writer& out, void* const* frames, unsigned count) {
  out << '[';
  for (unsigned i = 0; i < count; ++i) {
    char name[384];
    if (i != 0) out << ',';
    put_string(out, {name, describe_address(frames[i], name, sizeof name)});
  }
  out << ']';
}

void put_json(text_writer& out, const violation& v, bool stacks, unsigned held_count) {
  out << '{';
  put_member(out, "edition", v.edition);
  put_member(out, "kind", v.kind);
  put_member(out, "table", v.table);
  put_member(out, "method", v.method);
  put_member(out, "column", v.column);
  put_member(out, "cell", v.cell);
  put_member(out, "rule", v.rule);
  put_member(out, "sentence", v.sentence);
  put_member(out, "finding", v.finding);
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

HF_NAMESPACE_END
