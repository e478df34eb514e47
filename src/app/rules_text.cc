// SPDX-License-Identifier: Apache-2.0
//
// Editions, methods and changes for people: at most 96 columns where the words allow it.
#include <fmt/format.h>

#include <algorithm>

#include "app/rules.h"
#include "contract/document/from_rules.h"
#include "contract/editions.h"
#include "contract/requirement.h"

namespace holdfast::app {
namespace {

constexpr size_t width = 96;

// Words wrapped; `first` before the first line, as many blanks before the others.
std::string wrapped(const std::string& first, std::string_view text) {
  std::string out;
  std::string line = first;
  bool empty = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!empty && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.assign(first.size(), ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (line.ends_with(' ')) line.pop_back();
  return out + line + "\n";
}

std::string padded(std::string s, size_t n) {
  if (s.size() < n) s.append(n - s.size(), ' ');
  return s;
}

std::string_view heading_of(const rule_column& c) {
  return c.heading.empty() ? std::string_view(unheaded_column) : c.heading;
}

const rule_column* column_of(const edition_rules& rules, const rule_cell& cell) {
  for (const rule_column& c : rules.columns)
    if (c.table == cell.table && c.id == cell.id) return &c;
  return nullptr;
}

std::string read_as(const rule_cell& cell) {
  std::string out(describe(cell.asks.kind));
  std::replace(out.begin(), out.end(), '_', ' ');
  switch (cell.asks.of) {
    case subjects::both:
      out += ", of both";
      break;
    case subjects::parents_and_some_children:
      out += ", of the parents and some children";
      break;
    case subjects::all:
      out += ", of all involved";
      break;
    case subjects::any:
      out += ", of some object";
      break;
    case subjects::one:
      break;
  }
  if (!cell.reading.empty()) out += fmt::format(" ({})", cell.reading);
  return out;
}

// The sentences about a method, or with an empty method all of the table's.
std::vector<const prose_rule*> prose_of(const edition_rules& rules, std::string_view table,
                                        std::string_view method) {
  std::vector<uint16_t> found;
  for (const prose_target& t : rules.targets)
    if (name_of(t.table) == table && (method.empty() || t.method.empty() || t.method == method) &&
        std::find(found.begin(), found.end(), t.prose) == found.end())
      found.push_back(t.prose);
  std::sort(found.begin(), found.end());
  std::vector<const prose_rule*> out;
  for (const uint16_t i : found) out.push_back(&rules.prose[i]);
  return out;
}

std::string prose_text(const std::vector<const prose_rule*>& prose) {
  size_t id = 0;
  for (const prose_rule* p : prose) id = std::max(id, p->id.size());
  std::string out;
  for (const prose_rule* p : prose)
    out += wrapped("  " + padded(std::string(p->id), id) + "  ", p->says);
  return out;
}

std::string plural(size_t n, std::string_view one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

}  // namespace

std::string describe_edition(const edition_rules& rules) {
  std::string out = fmt::format("Release {}: {}\n\n", rules.release, rules.document);
  out += "  table                      rows  prototypes  columns\n";
  for (const document_table& t : document_of(rules).tables) {
    std::string columns;
    for (const std::string& c : t.columns) columns += (columns.empty() ? "" : ", ") + c;
    out +=
        wrapped(fmt::format("  {:<26} {:>4}  {:>10}  ", t.name, t.rows.size(), t.prototypes.size()),
                columns);
  }
  out +=
      fmt::format("\n{} cells, {} sentences. `holdfast rules TABLE` and `TABLE.METHOD` say more.\n",
                  rules.cells.size(), rules.prose.size());
  return out;
}

std::string describe_table(const edition_rules& rules, const std::string& table) {
  const edition_document all = document_of(rules);
  const edition_document one = only(all, {table, {}});
  const document_table& t = one.tables.front();
  std::string out = fmt::format("{}, release {}\n", t.heading, rules.release);
  if (!t.rows.empty()) {
    std::vector<size_t> widths(t.columns.size() + 1, 6);
    for (const document_row& r : t.rows) widths[0] = std::max(widths[0], r.method.size());
    for (size_t c = 0; c < t.columns.size(); ++c) {
      widths[c + 1] = t.columns[c].size();
      for (const document_row& r : t.rows)
        widths[c + 1] = std::max(widths[c + 1], r.cells[c].size());
    }
    const auto line = [&](const std::string& first, const std::vector<std::string>& cells) {
      std::string s = "  " + padded(first, widths[0]);
      for (size_t c = 0; c < cells.size(); ++c) s += "  " + padded(cells[c], widths[c + 1]);
      while (s.ends_with(' ')) s.pop_back();
      return s + "\n";
    };
    out += "\n" + line("", t.columns);
    for (const document_row& r : t.rows) out += line(r.method, r.cells);
  }
  if (!t.prototypes.empty()) out += "\nPrototypes\n";
  for (const document_prototype& p : t.prototypes) out += wrapped("  ", p.text);
  const auto prose = prose_of(rules, table, "");
  if (!prose.empty()) out += "\nSentences\n" + prose_text(prose);
  return out;
}

std::string describe_method(const edition_rules& rules, const std::string& table,
                            const std::string& method) {
  std::string out = fmt::format("{}.{}, release {}\n\n", table, method, rules.release);
  bool prototyped = false;
  for (const rule_prototype& p : rules.prototypes)
    if (name_of(p.table) == table && p.method == method) {
      out += wrapped("  ", p.text);
      prototyped = true;
    }
  if (!prototyped) out += "  The document has no prototype of it.\n";
  out += "\n";
  bool ruled = false;
  for (const rule_row& r : rules.rows) {
    if (name_of(r.table) != table || r.method != method) continue;
    ruled = true;
    for (const rule_cell& cell : rules.cells.subspan(r.first_cell, r.cell_count)) {
      const rule_column* c = column_of(rules, cell);
      const std::string text = cell.text.empty() ? "(blank)" : std::string(cell.text);
      out += wrapped("  " + padded(std::string(c == nullptr ? "" : heading_of(*c)), 24), text);
      out += wrapped("  " + padded("", 24) + "read as: ", read_as(cell));
    }
  }
  if (!ruled) out += "  It has no row in a table of rules.\n";
  for (const blocking_rule& b : rules.blocking) {
    if (name_of(b.table) != table || b.method != method) continue;
    std::string kind(describe(b.kind));
    std::replace(kind.begin(), kind.end(), '_', ' ');
    out += wrapped("  " + padded("blocking", 24),
                   fmt::format("{} ({})", kind, rules.prose[b.prose].id));
  }
  const auto prose = prose_of(rules, table, method);
  if (!prose.empty()) out += "\nSentences\n" + prose_text(prose);
  for (const method_successor& s : rules.successors) {
    if (name_of(s.table) != table || s.method != method) continue;
    if (s.native_method.empty())
      out += "\n" + wrapped("Gone in release 6.6: ", s.why);
    else
      out += fmt::format("\nIn release {}: {}.{}\n", editions().back()->release,
                         name_of(s.native_table), s.native_method);
  }
  return out;
}

std::string describe_import(const std::string& file, const edition_document& edition) {
  size_t rows = 0;
  size_t cells = 0;
  size_t prototypes = 0;
  std::string tables;
  for (const document_table& t : edition.tables) {
    rows += t.rows.size();
    prototypes += t.prototypes.size();
    cells += t.rows.size() * t.columns.size();
    tables +=
        fmt::format("  {:<26} {:>4}  {:>10}\n", t.heading, t.rows.size(), t.prototypes.size());
  }
  std::string out = fmt::format("{}: {}; {}, {} with {}, {}\n\n", file, edition.form,
                                plural(edition.tables.size(), "table"), plural(rows, "row"),
                                plural(cells, "cell"), plural(prototypes, "prototype"));
  out += "  table                      rows  prototypes\n" + tables + "\n";
  const edition_rules* nearest = nullptr;
  size_t fewest = 0;
  for (const edition_rules* e : editions()) {
    const size_t n = compare_editions(document_of(*e), edition).size();
    if (nearest == nullptr || n <= fewest) {
      nearest = e;
      fewest = n;
    }
  }
  if (fewest == 0)
    out += fmt::format("It is the edition of release {}.\n", nearest->release);
  else
    out +=
        fmt::format("The nearest edition is that of release {}: {}; `holdfast rules diff {} {}`.\n",
                    nearest->release, plural(fewest, "change"), nearest->release, file);
  if (!edition.notes.empty()) out += "\nHow it was read:\n";
  for (const document_note& n : edition.notes)
    out += wrapped(fmt::format("  line {:>4}: ", n.line), n.says);
  return out;
}

std::string describe_changes(const std::string& older, const std::string& newer,
                             const std::vector<edition_change>& changes) {
  if (changes.empty())
    return fmt::format("{} and {} have the same rules and prototypes.\n", older, newer);
  std::string out =
      fmt::format("From {} to {}: {}\n", older, newer, plural(changes.size(), "change"));
  std::string_view table;
  const auto quoted = [](const std::string& s) { return s.empty() ? std::string("(blank)") : s; };
  for (const edition_change& c : changes) {
    if (c.table != table) out += fmt::format("\n{}\n", c.table);
    table = c.table;
    const std::string what = fmt::format("  {:<18} ", name_of(c.kind));
    switch (c.kind) {
      case change_kind::table_added:
      case change_kind::table_removed:
        out += fmt::format("  {}\n", name_of(c.kind));
        break;
      case change_kind::column_added:
      case change_kind::column_removed:
        out += what + c.column + "\n";
        break;
      case change_kind::column_renamed:
      case change_kind::method_renamed:
        out += fmt::format("{}{} -> {}\n", what, c.from, c.to);
        break;
      case change_kind::method_removed:
        out += what + c.method + (c.to.empty() ? "" : fmt::format(" (now {})", c.to)) + "\n";
        break;
      case change_kind::method_added:
      case change_kind::row_added:
      case change_kind::row_removed:
        out += what + c.method + "\n";
        break;
      case change_kind::prototype_added:
        out += wrapped(what, c.to);
        break;
      case change_kind::prototype_removed:
        out += wrapped(what, c.from);
        break;
      case change_kind::prototype_changed:
        out += what + c.method + "\n" + wrapped("      - ", c.from) + wrapped("      + ", c.to);
        break;
      case change_kind::cell_changed:
        out += wrapped(what, fmt::format("{}, {}: {} -> {}", c.method, c.column, quoted(c.from),
                                         quoted(c.to)));
        break;
    }
  }
  return out;
}

}  // namespace holdfast::app
