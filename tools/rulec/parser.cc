// SPDX-License-Identifier: Apache-2.0
//
// A line at a time, each keyword its function; what can only be judged when everything was read is
// at the end (check_whole, check_against_native).
#include "rulec/parser.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rulec {
namespace {

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

// Index of `name` in a list of names.
template <size_t N>
std::optional<size_t> find_name(const std::string_view (&names)[N], std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return i;
  return std::nullopt;
}

class parser {
 public:
  explicit parser(const edition* native) : native_(native) {}

  edition parse(std::istream& in) {
    std::string text;
    for (line_ = 1; std::getline(in, text); ++line_) parse_line(text);
    finish_rule();
    check_whole();
    if (native_ != nullptr) check_against_native();
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
    constexpr std::string_view of_tables[] = {"heading",  "column", "row",      "reading",
                                              "blocking", "proto",  "successor"};
    if (!find_name(of_tables, key)) fail("unknown keyword " + quoted(key));
    if (!table_) fail(quoted(key) + " outside of a table");
    if (key == "heading") return parse_heading(rest);
    if (key == "successor") return parse_successor(rest);
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
    result_.tables.push_back({t, std::string(rest)});
  }

  void parse_heading(std::string_view rest) {
    table_line& here = result_.tables.back();
    if (rest.empty()) fail("'heading' without a text");
    if (here.heading != name_of(here.id)) fail("a second 'heading' in one table");
    if (rest == here.heading) fail("a heading that is the table's name goes without saying");
    here.heading = collapse(rest);
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
    const column c_id = column_named(id);
    const auto k = find_name(column_kind_names, kind);
    if (!k) fail("unknown kind of column " + quoted(kind));
    if (rest.empty()) fail("column " + quoted(id) + " without a heading");
    for (const column_line& c : columns_here())
      if (c.id == c_id) fail("column " + quoted(id) + " twice in one table");
    for (const row_line& r : result_.rows)
      if (r.table == *table_) fail("a column after the table's first row");
    result_.columns.push_back({line_, *table_, c_id, static_cast<column_kind>(*k),
                               rest == "-" ? std::string() : collapse(rest)});
  }

  column column_named(std::string_view name) const {
    const auto i = find_name(column_names, name);
    if (!i) fail("unknown column " + quoted(name));
    return static_cast<column>(*i);
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

  // successor METHOD NEW | successor METHOD TABLE.NEW | successor METHOD none: why
  // successor column OLD NEW
  void parse_successor(std::string_view rest) {
    if (native_ == nullptr) fail("a successor, but no native edition to find it in");
    std::string_view after = rest;
    if (word(after) == "column") return parse_column_successor(after);
    const std::string method = method_name(word(rest));
    for (const successor_line& s : result_.successors)
      if (s.table == *table_ && s.method == method)
        fail("method " + quoted(method) + " has a successor already");
    successor_line s{line_, *table_, method, *table_, "", ""};
    if (rest.starts_with("none")) {
      rest.remove_prefix(4);
      if (!rest.starts_with(':') || trim(rest.substr(1)).empty())
        fail("no successor, but no reason: 'successor METHOD none: why'");
      s.why = collapse(rest.substr(1));
    } else {
      const target to = parse_target(rest);
      if (!to.table || to.method.empty()) fail("not a native method: " + quoted(rest));
      s.native_table = *to.table;
      s.native_method = to.method;
      if (!native_->has_method(s.native_table, s.native_method))
        fail("the native edition has no method " + quoted(rest));
    }
    result_.successors.push_back(std::move(s));
  }

  void parse_column_successor(std::string_view rest) {
    const column old_id = column_named(word(rest));
    const column new_id = column_named(rest);
    if (result_.find_column(*table_, old_id) == nullptr)
      fail("the table has no column " + quoted(name_of(old_id)));
    if (native_->find_column(*table_, new_id) == nullptr)
      fail("the native table has no column " + quoted(rest));
    for (const column_successor_line& s : result_.column_successors)
      if (s.table == *table_ && s.id == old_id)
        fail("column " + quoted(name_of(old_id)) + " has a successor already");
    result_.column_successors.push_back({line_, *table_, old_id, new_id});
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
        {line_, in, static_cast<unsigned>(number), std::string(id), "", "", "", {}, {}});
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
    if (key == "same") return parse_same(rule, rest);
    const size_t colon = rest.find(':');
    const std::string_view who = rest.substr(0, std::min(colon, rest.size()));
    if (key == "not" && who == "checkable") {
      set_check(rule, checked_by::not_checkable, rest, colon);
    } else if (key == "check") {
      const auto i = find_name(checked_by_names, who);
      if (!i || *i == static_cast<size_t>(checked_by::not_checkable) ||
          *i == static_cast<size_t>(checked_by::same))
        fail("'check' by whom? " + quoted(who));
      const bool is_adapter = *i == static_cast<size_t>(checked_by::adapter);
      if (is_adapter != (native_ != nullptr))
        fail(is_adapter ? "an adapter checks an older edition's rules only"
                        : "an older edition's rule is checked by its adapter, or by the same rule");
      set_check(rule, static_cast<checked_by>(*i), rest, colon);
    } else {
      fail("unknown part of a rule " + quoted(key));
    }
  }

  void parse_same(prose_line& rule, std::string_view rest) const {
    if (native_ == nullptr) fail("'same', but no native edition to find it in");
    if (rule.check) fail("a rule is checked by one, or not checkable");
    const prose_line* other = native_->find_rule(rest);
    if (other == nullptr) fail("the native edition has no rule " + quoted(rest));
    if (other->in != rule.in) fail("rule " + quoted(rest) + " is of another section");
    if (other->check == checked_by::not_checkable)
      fail("rule " + quoted(rest) + " isn't checked either");
    rule.check = checked_by::same;
    rule.same = rest;
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
    if (!rule.check)
      fail_at(rule.line, "rule " + rule.id + " lacks 'check', 'same' or 'not checkable'");
  }

  // What can only be seen when everything was read.
  void check_whole() const {
    if (result_.release.empty()) fail("the file is empty");
    if (result_.document.empty()) fail("no 'document' in the file");
    for (const prose_line& p : result_.prose)
      for (const target& t : p.targets)
        if (t.table && !t.method.empty() && !result_.has_method(*t.table, t.method))
          fail_at(p.line, "rule " + p.id + " is about " + quoted(t.method) +
                              ", which has neither row nor prototype");
    for (const blocking_line& b : result_.blocking) {
      if (!b.method.empty() && !result_.has_method(b.table, b.method))
        fail_at(b.line, "method " + quoted(b.method) + " has neither row nor prototype");
      if (result_.find_rule(b.rule) == nullptr) fail_at(b.line, "unknown rule " + quoted(b.rule));
    }
  }

  // Every method and every column of an older edition is native, or says what became of it.
  void check_against_native() const {
    for (const successor_line& s : result_.successors)
      if (!result_.has_method(s.table, s.method))
        fail_at(s.line, "method " + quoted(s.method) + " has neither row nor prototype");
    const auto has_fate = [&](const auto& x) {
      const auto about = [&](const successor_line& s) {
        return s.table == x.table && s.method == x.method;
      };
      return native_->has_method(x.table, x.method) ||
             std::any_of(result_.successors.begin(), result_.successors.end(), about);
    };
    const auto check = [&](const auto& x) {
      if (!has_fate(x))
        fail_at(x.line, "method " + quoted(x.method) + " is not native and has no 'successor'");
    };
    for (const row_line& r : result_.rows) check(r);
    for (const proto_line& p : result_.protos) check(p);
    for (const column_line& c : result_.columns) {
      const auto about = [&](const column_successor_line& s) {
        return s.table == c.table && s.id == c.id;
      };
      if (native_->find_column(c.table, c.id) == nullptr &&
          std::none_of(result_.column_successors.begin(), result_.column_successors.end(), about))
        fail_at(c.line, "column " + quoted(name_of(c.id)) + " is not native and has no successor");
    }
  }

  const edition* native_;
  edition result_;
  std::optional<table_id> table_;
  size_t line_ = 0;
  bool in_rule_ = false;
};

}  // namespace

edition parse(std::istream& in, const edition* native) {
  return parser(native).parse(in);
}

}  // namespace rulec
