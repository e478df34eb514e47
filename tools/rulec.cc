// SPDX-License-Identifier: Apache-2.0
//
// rulec RULES HEADER: compiles rules/<release>.rules into a constexpr C++ header.
//
// The format is described at the head of the rules files, the model in src/contract/rule.h. An
// error is one line, "file:line: message", on stderr; the header is then not written and the exit
// status is 1.
//
// 1. What is not understood is refused. Nothing is guessed, nothing is skipped.
// 2. A header is written whole or not at all (a temporary file beside it is renamed over it).
// 3. The same input gives the same output, byte for byte.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "contract/requirement.h"
#include "contract/rule.h"

namespace {

using namespace holdfast;

struct syntax_error {
  size_t line;
  std::string message;
};

struct cell {
  column id;
  std::string text;
  requirement asks;
  std::string reading;
};
struct column_line {
  table_id table;
  column id;
  column_kind kind;
  std::string heading;
};
struct row_line {
  size_t line;
  table_id table;
  std::string method;
  std::vector<cell> cells;
};
struct proto_line {
  size_t line;
  table_id table;
  std::string method, text;
};
struct blocking_line {
  size_t line;
  table_id table;
  std::string method, rule;
  requirement_kind kind;
};
struct target {
  std::optional<table_id> table;  // nothing: the document itself
  std::string method;             // empty: all
};
struct prose_line {
  size_t line;
  section in;
  unsigned number;
  std::string id, says, how;
  std::optional<checked_by> check;
  std::vector<target> targets;
};

struct edition {
  std::string release, document;
  std::vector<column_line> columns;
  std::vector<row_line> rows;
  std::vector<proto_line> protos;
  std::vector<blocking_line> blocking;
  std::vector<prose_line> prose;
};

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

// Cuts the first word off s.
std::string_view word(std::string_view& s) {
  s = trim(s);
  const size_t end = std::min(s.find_first_of(" \t"), s.size());
  const std::string_view w = s.substr(0, end);
  s = trim(s.substr(end));
  return w;
}

std::string collapse(std::string_view s) {
  std::string out;
  for (const char c : trim(s)) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && out.ends_with(' ')) continue;
    out += blank ? ' ' : c;
  }
  return out;
}

std::string quoted(std::string_view s) {
  return "'" + std::string(s) + "'";
}

// Index of `name` in a list of names.
template <size_t N>
std::optional<size_t> find_name(const std::string_view (&names)[N], std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return i;
  return std::nullopt;
}

constexpr std::string_view kind_names[] = {"lock", "may_block", "rcu_walk",
                                           "note", "flag",      "names"};

class parser {
 public:
  edition parse(std::istream& in) {
    std::string text;
    for (line_ = 1; std::getline(in, text); ++line_) parse_line(text);
    finish_rule();
    check_whole();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(std::string message) const { fail_at(line_, std::move(message)); }
  [[noreturn]] static void fail_at(size_t line, std::string message) {
    throw syntax_error{line, std::move(message)};
  }

  void parse_line(std::string_view text) {
    const bool indented = text.starts_with(' ') || text.starts_with('\t');
    std::string_view rest = trim(text);
    if (rest.empty() || rest.front() == '#') return;
    for (const char c : rest)
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e)
        fail("only printable ASCII is allowed");
    const std::string_view key = word(rest);
    if (indented) return parse_rule_part(key, rest);
    finish_rule();
    if (key == "release") return parse_release(rest);
    if (result_.release.empty()) fail("the first line must be 'release R'");
    if (key == "document") return parse_document(rest);
    if (key == "table") return parse_table(rest);
    if (key == "rule") return begin_rule(rest);
    if (key != "column" && key != "row" && key != "reading" && key != "blocking" && key != "proto")
      fail("unknown keyword " + quoted(key));
    if (!table_) fail(quoted(key) + " outside of a table");
    if (key == "column") return parse_column(rest);
    if (key == "row") return parse_row(rest);
    if (key == "reading") return parse_reading(rest);
    if (key == "blocking") return parse_blocking(rest);
    parse_proto(rest);
  }

  void parse_release(std::string_view rest) {
    if (!result_.release.empty()) fail("a second 'release'");
    if (rest.empty()) fail("'release' without a name");
    for (const char c : rest)
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.')
        fail("a release is named by letters, digits and dots, not " + quoted(rest));
    result_.release = rest;
  }

  void parse_document(std::string_view rest) {
    if (!result_.document.empty()) fail("a second 'document'");
    if (rest.empty()) fail("'document' without a text");
    result_.document = collapse(rest);
  }

  table_id table_named(std::string_view name) const {
    const auto i = find_name(table_names, name);
    if (!i) fail("unknown table " + quoted(name));
    return static_cast<table_id>(*i);
  }

  void parse_table(std::string_view rest) {
    const table_id t = table_named(rest);
    if (table_ && t <= *table_)
      fail("table " + quoted(rest) + " again, or out of order: the order is that of enum table_id");
    table_ = t;
  }

  std::vector<column_line> columns_here() const {
    std::vector<column_line> out;
    for (const column_line& c : result_.columns)
      if (c.table == *table_) out.push_back(c);
    return out;
  }

  row_line* row_here(std::string_view method) {
    for (row_line& r : result_.rows)
      if (r.table == *table_ && r.method == method) return &r;
    return nullptr;
  }

  void parse_column(std::string_view rest) {
    const std::string_view id = word(rest);
    const std::string_view kind = word(rest);
    const auto i = find_name(column_names, id);
    if (!i) fail("unknown column " + quoted(id));
    const auto k = find_name(kind_names, kind);
    if (!k) fail("unknown kind of column " + quoted(kind));
    if (rest.empty()) fail("column " + quoted(id) + " without a heading");
    for (const column_line& c : columns_here())
      if (c.id == static_cast<column>(*i)) fail("column " + quoted(id) + " twice in one table");
    for (const row_line& r : result_.rows)
      if (r.table == *table_) fail("a column after the table's first row");
    result_.columns.push_back(
        {*table_, static_cast<column>(*i), static_cast<column_kind>(*k), collapse(rest)});
  }

  std::string method_name(std::string_view name) const {
    if (name.empty()) fail("a method's name is missing");
    for (const char c : name)
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_')
        fail("not a method's name: " + quoted(name));
    return std::string(name);
  }

  void parse_row(std::string_view rest) {
    const size_t bar = std::min(rest.find('|'), rest.size());
    row_line row{line_, *table_, method_name(trim(rest.substr(0, bar))), {}};
    if (row_here(row.method) != nullptr)
      fail("method " + quoted(row.method) + " has a row already");
    std::vector<std::string> texts;
    for (size_t at = bar; at < rest.size();) {
      const size_t next = std::min(rest.find('|', at + 1), rest.size());
      texts.push_back(collapse(rest.substr(at + 1, next - at - 1)));
      at = next;
    }
    const auto columns = columns_here();
    if (columns.empty()) fail("a row in a table without columns");
    if (texts.size() != columns.size())
      fail("method " + quoted(row.method) + " has " + std::to_string(texts.size()) +
           " cells, the table has " + std::to_string(columns.size()) + " columns");
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto asks = read_cell(columns[i].kind, texts[i]);
      if (!asks)
        fail("no reading for the cell " + quoted(texts[i]) + " of column " +
             quoted(columns[i].heading));
      row.cells.push_back({columns[i].id, texts[i], *asks, ""});
    }
    result_.rows.push_back(std::move(row));
  }

  requirement_kind requirement_named(std::string_view name) const {
    const auto i = find_name(requirement_names, name);
    if (!i) fail("unknown requirement " + quoted(name));
    return static_cast<requirement_kind>(*i);
  }

  void parse_reading(std::string_view rest) {
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos || trim(rest.substr(colon + 1)).empty())
      fail("a reading says why: 'reading METHOD COLUMN REQUIREMENT: why'");
    const std::string why = collapse(rest.substr(colon + 1));
    rest = rest.substr(0, colon);
    const std::string_view method = word(rest);
    const std::string_view id = word(rest);
    if (method == "*") return read_every_no(id, requirement_named(rest), why);
    row_line* row = row_here(method);
    if (row == nullptr) fail("no row above for method " + quoted(method));
    for (cell& c : row->cells) {
      if (name_of(c.id) != id) continue;
      if (!c.reading.empty()) fail("a second reading of the same cell");
      c.asks.kind = requirement_named(rest);
      c.reading = why;
      return;
    }
    fail("the table has no column " + quoted(id));
  }

  // Each "no" of a column that has no reading of its own yet.
  void read_every_no(std::string_view id, requirement_kind kind, const std::string& why) {
    size_t read = 0;
    for (row_line& row : result_.rows) {
      if (row.table != *table_) continue;
      for (cell& c : row.cells) {
        if (name_of(c.id) != id || c.asks.kind != requirement_kind::no_promise ||
            !c.reading.empty())
          continue;
        c.asks.kind = kind;
        c.reading = why;
        ++read;
      }
    }
    if (read == 0) fail("no cell above says 'no' in column " + quoted(id));
  }

  void parse_blocking(std::string_view rest) {
    rest = rest.substr(0, std::min(rest.find(':'), rest.size()));  // why: for who reads the file
    const std::string_view method = word(rest);
    const std::string_view kind = word(rest);
    if (word(rest) != "by" || rest.empty() || rest.find(' ') != std::string_view::npos)
      fail("'blocking METHOD|* REQUIREMENT by RULE' is expected");
    const requirement_kind k = requirement_named(kind);
    if (k != requirement_kind::blocks && k != requirement_kind::never_blocks &&
        k != requirement_kind::blocks_in_ref_walk && k != requirement_kind::rcu_callback)
      fail(quoted(kind) + " does not speak about blocking");
    const std::string name = method == "*" ? "" : method_name(method);
    for (const blocking_line& b : result_.blocking)
      if (b.table == *table_ && b.method == name) fail("blocking of " + quoted(method) + " twice");
    for (const column_line& c : columns_here())
      if (c.kind == column_kind::may_block)
        fail("the table has a column that speaks about blocking");
    result_.blocking.push_back({line_, *table_, name, std::string(rest), k});
  }

  void parse_proto(std::string_view rest) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos || trim(rest.substr(equals + 1)).empty())
      fail("'proto METHOD = C prototype' is expected");
    const std::string method = method_name(trim(rest.substr(0, equals)));
    const std::string text = collapse(rest.substr(equals + 1));
    if (text.find("*" + method + ")") == std::string::npos)
      fail("the prototype does not name " + quoted(method));
    for (const proto_line& p : result_.protos)
      if (p.table == *table_ && p.method == method)
        fail("method " + quoted(method) + " has a prototype already");
    result_.protos.push_back({line_, *table_, method, text});
  }

  void begin_rule(std::string_view id) {
    const std::string prefix = result_.release + "-";
    const size_t dash = id.rfind('-');
    if (!id.starts_with(prefix) || dash < prefix.size())
      fail("a rule is named " + prefix + "SECTION-NUMBER, not " + quoted(id));
    const std::string_view name = id.substr(prefix.size(), dash - prefix.size());
    const auto s = find_name(section_names, name);
    if (!s) fail("unknown section " + quoted(name));
    const std::string digits(id.substr(dash + 1));
    char* end = nullptr;
    const unsigned long number = std::strtoul(digits.c_str(), &end, 10);
    if (digits.empty() || *end != '\0' || number < 1 || number > 255)
      fail("a rule's number is 1 to 255, not " + quoted(digits));
    const section in = static_cast<section>(*s);
    unsigned expected = 1;
    if (!result_.prose.empty()) {
      const prose_line& last = result_.prose.back();
      if (last.in > in) fail("section " + quoted(name) + " again, or out of order");
      if (last.in == in) expected = last.number + 1;
    }
    if (number != expected)
      fail("rule " + quoted(id) + " is out of sequence, number " + std::to_string(expected) +
           " is next");
    result_.prose.push_back(
        {line_, in, static_cast<unsigned>(number), std::string(id), "", "", {}, {}});
    in_rule_ = true;
  }

  void parse_rule_part(std::string_view key, std::string_view rest) {
    if (!in_rule_) fail("an indented line outside of a rule");
    prose_line& rule = result_.prose.back();
    if (key == "on") {
      if (!rule.targets.empty()) fail("a second 'on' in one rule");
      if (rest.empty()) fail("'on' without a method");
      while (!rest.empty()) rule.targets.push_back(parse_target(word(rest)));
      return;
    }
    if (key == "says") {
      if (!rule.says.empty()) fail("a second 'says' in one rule");
      if (rest.empty()) fail("'says' without a text");
      rule.says = collapse(rest);
      return;
    }
    const size_t colon = rest.find(':');
    const std::string_view who = rest.substr(0, std::min(colon, rest.size()));
    if (key == "not" && who == "checkable") {
      set_check(rule, checked_by::not_checkable, rest, colon);
    } else if (key == "check") {
      const auto i = find_name(checked_by_names, who);
      if (!i || *i == static_cast<size_t>(checked_by::not_checkable))
        fail("'check' by whom? " + quoted(who));
      set_check(rule, static_cast<checked_by>(*i), rest, colon);
    } else {
      fail("unknown part of a rule " + quoted(key));
    }
  }

  void set_check(prose_line& rule, checked_by who, std::string_view rest, size_t colon) const {
    if (rule.check) fail("a rule is checked by one, or not checkable");
    if (colon == std::string_view::npos || trim(rest.substr(colon + 1)).empty())
      fail(who == checked_by::not_checkable ? "'not checkable' without a reason"
                                            : "'check' without saying how");
    rule.check = who;
    rule.how = collapse(rest.substr(colon + 1));
  }

  target parse_target(std::string_view w) const {
    if (w == "document") return {};
    const size_t dot = w.find('.');
    if (dot != std::string_view::npos)
      return {table_named(w.substr(0, dot)), method_name(w.substr(dot + 1))};
    if (!table_) fail("a rule about methods outside of a table");
    return {*table_, w == "*" ? "" : method_name(w)};
  }

  void finish_rule() {
    if (!in_rule_) return;
    in_rule_ = false;
    const prose_line& rule = result_.prose.back();
    if (rule.targets.empty()) fail_at(rule.line, "rule " + rule.id + " lacks 'on'");
    if (rule.says.empty()) fail_at(rule.line, "rule " + rule.id + " lacks 'says'");
    if (!rule.check) fail_at(rule.line, "rule " + rule.id + " lacks 'check' or 'not checkable'");
  }

  bool known(table_id t, const std::string& method) const {
    const auto same = [&](const auto& x) { return x.table == t && x.method == method; };
    return std::any_of(result_.rows.begin(), result_.rows.end(), same) ||
           std::any_of(result_.protos.begin(), result_.protos.end(), same);
  }

  // What can only be seen when everything was read.
  void check_whole() const {
    if (result_.release.empty()) fail("the file is empty");
    if (result_.document.empty()) fail("no 'document' in the file");
    for (const prose_line& p : result_.prose)
      for (const target& t : p.targets)
        if (t.table && !t.method.empty() && !known(*t.table, t.method))
          fail_at(p.line, "rule " + p.id + " is about " + quoted(t.method) +
                              ", which has neither row nor prototype");
    for (const blocking_line& b : result_.blocking) {
      if (!b.method.empty() && !known(b.table, b.method))
        fail_at(b.line, "method " + quoted(b.method) + " has neither row nor prototype");
      const bool found = std::any_of(result_.prose.begin(), result_.prose.end(),
                                     [&](const prose_line& p) { return p.id == b.rule; });
      if (!found) fail_at(b.line, "unknown rule " + quoted(b.rule));
    }
  }

  edition result_;
  std::optional<table_id> table_;
  size_t line_ = 0;
  bool in_rule_ = false;
};

std::string literal(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string table_literal(table_id t) {
  return "table_id::" + std::string(name_of(t));
}

class writer {
 public:
  explicit writer(const edition& e) : e_(e) {}

  std::string header(std::string_view source) {
    std::string release = e_.release;
    std::replace(release.begin(), release.end(), '.', '_');
    out_ << "// Generated by rulec from " << source << "; edit that.\n#pragma once\n\n"
         << "#include \"contract/rule.h\"\n\nHF_NAMESPACE_BEGIN\nnamespace rules_" << release
         << " {\n\n";
    columns();
    rows();
    protos();
    prose();
    blocking();
    out_ << "inline constexpr edition_rules edition{" << literal(e_.release) << ", "
         << literal(e_.document)
         << ",\n    columns, rows, cells, prototypes, prose_rules, targets, blocking};\n\n"
         << "}  // namespace rules_" << release << "\nHF_NAMESPACE_END\n";
    return out_.str();
  }

 private:
  // An array of no elements is no array, so an empty list becomes an empty span.
  template <class List, class F>
  void array(std::string_view type, std::string_view name, const List& list, F&& print) {
    if (list.empty()) {
      out_ << "inline constexpr std::span<const " << type << "> " << name << "{};\n\n";
      return;
    }
    out_ << "inline constexpr " << type << ' ' << name << "[] = {\n";
    for (const auto& item : list) print(item);
    out_ << "};\n\n";
  }

  void columns() {
    array("rule_column", "columns", e_.columns, [&](const column_line& c) {
      out_ << "    {" << table_literal(c.table) << ", column::" << name_of(c.id)
           << ", column_kind::" << kind_names[static_cast<size_t>(c.kind)] << ", "
           << literal(c.heading) << "},\n";
    });
  }

  void rows() {
    size_t first = 0;
    array("rule_row", "rows", e_.rows, [&](const row_line& r) {
      out_ << "    {" << table_literal(r.table) << ", " << literal(r.method) << ", " << first
           << ", " << r.cells.size() << "},\n";
      first += r.cells.size();
    });
    array("rule_cell", "cells", e_.rows, [&](const row_line& r) {
      for (const cell& c : r.cells) {
        static constexpr std::string_view subject_names[] = {"one", "both",
                                                             "parents_and_some_children"};
        out_ << "    {" << table_literal(r.table) << ", " << literal(r.method)
             << ", column::" << name_of(c.id) << ", " << literal(c.text)
             << ",\n     {requirement_kind::" << name_of(c.asks.kind)
             << ", subjects::" << subject_names[static_cast<size_t>(c.asks.of)] << "}, "
             << literal(c.reading) << "},\n";
      }
    });
  }

  void protos() {
    array("rule_prototype", "prototypes", e_.protos, [&](const proto_line& p) {
      out_ << "    {" << table_literal(p.table) << ", " << literal(p.method) << ",\n     "
           << literal(p.text) << "},\n";
    });
  }

  void prose() {
    static constexpr std::string_view check_literals[] = {"gate", "dispatcher", "validator",
                                                          "test", "later",      "not_checkable"};
    array("prose_rule", "prose_rules", e_.prose, [&](const prose_line& p) {
      out_ << "    {section::" << name_of(p.in) << ", " << p.number << ", " << literal(p.id)
           << ",\n     " << literal(p.says)
           << ",\n     checked_by::" << check_literals[static_cast<size_t>(*p.check)] << ", "
           << literal(p.how) << "},\n";
    });
    struct flat_target {
      size_t prose;
      target to;
    };
    std::vector<flat_target> flat;
    for (size_t i = 0; i < e_.prose.size(); ++i)
      for (const target& t : e_.prose[i].targets)
        if (t.table) flat.push_back({i, t});
    array("prose_target", "targets", flat, [&](const flat_target& f) {
      out_ << "    {" << f.prose << ", " << table_literal(*f.to.table) << ", "
           << literal(f.to.method) << "},\n";
    });
  }

  void blocking() {
    array("blocking_rule", "blocking", e_.blocking, [&](const blocking_line& b) {
      size_t index = 0;
      while (e_.prose[index].id != b.rule) ++index;
      out_ << "    {" << table_literal(b.table) << ", " << literal(b.method)
           << ", requirement_kind::" << name_of(b.kind) << ", " << index << "},\n";
    });
  }

  const edition& e_;
  std::ostringstream out_;
};

bool write_whole(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: rulec RULES HEADER\n";
    return 2;
  }
  const std::string input = argv[1];
  std::ifstream in(input, std::ios::binary);
  if (!in) {
    std::cerr << input << ": can't be read\n";
    return 1;
  }
  try {
    const edition e = parser().parse(in);
    const std::string source = input.substr(input.rfind('/') + 1);
    if (!write_whole(argv[2], writer(e).header(source))) {
      std::cerr << argv[2] << ": can't be written\n";
      return 1;
    }
  } catch (const syntax_error& error) {
    std::cerr << input << ':' << error.line << ": " << error.message << '\n';
    return 1;
  }
  return 0;
}
