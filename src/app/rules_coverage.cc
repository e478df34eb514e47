// SPDX-License-Identifier: Apache-2.0
//
// 1. The native edition's rules are looked up in the log by the name that reports cite. An older
//    edition's rule is covered by the native rule it equals; what differs is for its adapters.
// 2. The output depends on the rules and on the set of lines in the log, not on their order, so
// that
//    it can be compared with the committed file.
#include "app/rules_coverage.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "contract/editions.h"
#include "contract/requirement.h"

namespace holdfast::app {

namespace {

using test_names = std::set<std::string>;
std::map<std::string, test_names> broken;
const edition_rules& native = *editions().back();

std::string_view heading_of(const edition_rules& e, const rule_cell& c) {
  for (const rule_column& col : e.columns)
    if (col.table == c.table && col.id == c.id) return col.heading;
  return {};
}

// Rules about the document, or only referring elsewhere.
constexpr std::string_view exempt[] = {"6.6-doc-1",   "6.6-doc-2",  "6.6-doc-3",
                                       "6.6-inode-9", "6.6-file-8", "6.6-dquot-3"};
bool is_exempt(std::string_view id) {
  for (const std::string_view e : exempt)
    if (e == id) return true;
  return false;
}

struct totals {
  size_t rules = 0, broken = 0, untested = 0, not_checkable = 0, adapter = 0;
};

std::string escaped(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c == '|' || c == '\\' || c == '*' || c == '_') out += '\\';
    out += c;
  }
  return out;
}

// Parametrised tests are one test to a reader: "native/every_cell.is_.../x" -> "every_cell.is_...".
std::string shortened(std::string name) {
  const size_t dot = name.find('.');
  if (const size_t slash = name.find('/', dot); slash != std::string::npos) name.resize(slash);
  if (const size_t slash = name.find('/'); slash < name.find('.')) name.erase(0, slash + 1);
  return name;
}

const test_names* tests_of(const std::string& rule) {
  const auto it = broken.find(rule);
  return it == broken.end() ? nullptr : &it->second;
}

std::string listed(const test_names& tests) {
  std::string out;
  for (const std::string& t : tests) out += (out.empty() ? "`" : ", `") + t + "`";
  return out;
}

std::string cell_name(const rule_cell& c) {
  return "6.6 " + std::string(name_of(c.table)) + "." + std::string(c.method) + " " +
         std::string(heading_of(native, c));
}

// Tests of the sentences about the cell's method.
std::string sentences_about(const rule_cell& c) {
  std::string out;
  for (const prose_target& t : native.targets) {
    if (t.table != c.table || (t.method != c.method && !t.method.empty())) continue;
    const prose_rule& p = native.prose[t.prose];
    const std::string id(p.id);
    if (tests_of(id) != nullptr) out += (out.empty() ? "[" : ", [") + id + "](#" + id + ")";
  }
  return out;
}

// By whom a cell was broken; empty: by nobody. A cell that only points below its table is ruled by
// the sentences there, and one that permits something can't be broken: there a test shows that it
// is permitted.
std::string broken_by(const rule_cell& c) {
  if (const test_names* tests = tests_of(cell_name(c))) return listed(*tests);
  if (c.asks.kind == requirement_kind::remark) {
    const std::string ids = sentences_about(c);
    return ids.empty() ? ids : "ruled by " + ids;
  }
  if (c.asks.kind == requirement_kind::flag_yes) {
    const std::string ids = sentences_about(c);
    return ids.empty() ? ids : "a permission; the tests of " + ids + " show it used";
  }
  return {};
}

void print_prose(const edition_rules& e, totals& sum) {
  std::puts("| rule | says | checked by | broken by |\n|---|---|---|---|");
  for (const prose_rule& p : e.prose) {
    ++sum.rules;
    const std::string id(p.id);
    std::string by = std::string(name_of(p.check)) + ": " + escaped(p.how);
    std::string with;
    const std::string native_id(p.check == checked_by::same ? p.same : p.id);
    if (p.check == checked_by::same) by = "as [" + native_id + "](#" + native_id + ")";
    const test_names* tests = tests_of(native_id);
    if (tests != nullptr && p.check != checked_by::adapter) {
      with = p.check == checked_by::same ? "the same" : listed(*tests);
      ++sum.broken;
    } else if (p.check == checked_by::not_checkable || is_exempt(native_id)) {
      ++sum.not_checkable;
    } else if (p.check == checked_by::adapter) {
      ++sum.adapter;
    } else if (p.check == checked_by::same) {
      // As far as the native rule goes.
      for (const prose_rule& n : native.prose)
        if (n.id == p.same)
          ++(n.check == checked_by::not_checkable || is_exempt(n.id) ? sum.not_checkable
                                                                     : sum.untested);
    } else {
      with = "**no test**";
      ++sum.untested;
    }
    std::printf("| <a id=\"%s\"></a>%s | %s | %s | %s |\n", id.c_str(), id.c_str(),
                escaped(p.says).c_str(), by.c_str(), with.c_str());
  }
}

void print_native_cells(totals& sum) {
  std::puts("| cell | text | read as | broken by |\n|---|---|---|---|");
  for (const rule_cell& c : native.cells) {
    if (c.asks.kind == requirement_kind::unstated) continue;
    ++sum.rules;
    std::string with = broken_by(c);
    ++(with.empty() ? sum.untested : sum.broken);
    if (with.empty()) with = "**no test**";
    std::printf("| %s | %s | %s | %s |\n", escaped(cell_name(c).substr(4)).c_str(),
                escaped(c.text).c_str(), escaped(describe(c.asks.kind)).c_str(), with.c_str());
  }
}

// The native cell that an older edition's cell became, or null.
const rule_cell* native_cell(const edition_rules& e, const rule_cell& c) {
  table_id table = c.table;
  std::string_view method = c.method;
  column id = c.id;
  for (const method_successor& s : e.successors)
    if (s.table == c.table && s.method == c.method) {
      table = s.native_table;
      method = s.native_method;
    }
  for (const column_successor& s : e.column_successors)
    if (s.table == c.table && s.id == c.id) id = s.native;
  for (const rule_cell& n : native.cells)
    if (n.table == table && n.method == method && n.id == id) return &n;
  return nullptr;
}

void print_older_cells(const edition_rules& e, totals& sum) {
  std::string differing;
  for (const rule_cell& c : e.cells) {
    if (c.asks.kind == requirement_kind::unstated) continue;
    ++sum.rules;
    const rule_cell* n = native_cell(e, c);
    if (n != nullptr && n->text == c.text && !broken_by(*n).empty()) {
      ++sum.broken;
      continue;
    }
    ++sum.adapter;
    const std::string_view heading = heading_of(e, c);
    differing += "| " +
                 escaped(std::string(name_of(c.table)) + "." + std::string(c.method) + " " +
                         std::string(heading)) +
                 " | " + escaped(c.text) + " | " +
                 (n == nullptr ? std::string("nothing")
                               : escaped(std::string(n->method) + ": " + std::string(n->text))) +
                 " |\n";
  }
  std::puts(
      "Cells that the native edition has word for word are covered by its tests. The others:\n");
  std::printf("| cell | text | in 6.6 |\n|---|---|---|\n%s", differing.c_str());
}

void print_totals(const char* what, const totals& t) {
  std::printf("| %s | %zu | %zu | %zu | %zu | %zu |\n", what, t.rules, t.broken, t.untested,
              t.not_checkable, t.adapter);
}

}  // namespace

int rules_coverage(const std::string& broken_log) {
  std::ifstream in(broken_log);
  if (!in) {
    std::fprintf(stderr, "holdfast rules coverage: can't read %s\n", broken_log.c_str());
    return 1;
  }
  broken.clear();
  for (std::string line; std::getline(in, line);) {
    const size_t tab = line.find('\t');
    if (tab != std::string::npos)
      broken[line.substr(0, tab)].insert(shortened(line.substr(tab + 1)));
  }
  std::puts(
      "# Which rule is checked by what, and broken by which test\n\n"
      "Generated by `scripts/rules-coverage` from `rules/` and from what the tests broke and saw\n"
      "reported; do not edit. A rule of an older edition is covered where the native edition (6.6) "
      "has\n"
      "the same; what differs is for the gates of that edition's adapters, which do not exist yet\n"
      "(column \"adapter\"). Blank cells state nothing and are not listed.\n");
  bool complete = true;
  for (auto it = editions().rbegin(); it != editions().rend(); ++it) {
    const edition_rules& e = **it;
    const bool is_native = &e == &native;
    std::printf("## Release %s\n\n### Sentences\n\n", std::string(e.release).c_str());
    totals prose, cells;
    print_prose(e, prose);
    std::puts("\n### Cells\n");
    if (is_native)
      print_native_cells(cells);
    else
      print_older_cells(e, cells);
    std::puts(
        "\n| | rules | broken by a test | without | not checkable | adapter "
        "|\n|---|---|---|---|---|---|");
    print_totals("sentences", prose);
    print_totals("cells", cells);
    std::puts("");
    if (is_native) complete = prose.untested == 0 && cells.untested == 0;
  }
  return complete ? 0 : 1;
}

}  // namespace holdfast::app
