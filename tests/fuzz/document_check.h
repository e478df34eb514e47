// SPDX-License-Identifier: Apache-2.0
//
// What must hold of the document parser whatever it is fed: shared by the libFuzzer target and by
// the bounded mutation test.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "contract/document/compare.h"
#include "contract/document/csv.h"
#include "contract/document/parse.h"
#include "contract/document/text.h"

namespace holdfast::document_check {

inline bool is_collapsed(const std::string& s) {
  return collapse_blanks(s) == s && s.find('\n') == std::string::npos;
}

inline std::string check_table(const document_table& t) {
  if (t.name.empty() || t.heading.empty() || t.line == 0) return "a table without name or line";
  if (t.rows.empty() && t.prototypes.empty()) return "an empty table " + t.name;
  if (t.rows.empty() != t.columns.empty()) return "columns without rows, or rows without columns";
  std::set<std::string> seen;
  for (const document_row& r : t.rows) {
    if (r.cells.size() != t.columns.size()) return "half a row: " + r.method;
    if (!is_identifier(r.method) || r.line == 0) return "a row without method or line";
    if (!seen.insert(r.method).second) return "two rows of " + r.method;
    for (const std::string& cell : r.cells)
      if (!is_collapsed(cell)) return "blanks in a cell of " + r.method;
  }
  seen.clear();
  for (const document_prototype& p : t.prototypes) {
    if (!is_identifier(p.method) || p.line == 0) return "a prototype without method or line";
    if (!seen.insert(p.method).second) return "two prototypes of " + p.method;
    if (p.text.find("(*") == std::string::npos || !is_collapsed(p.text) ||
        p.text.find("/*") != std::string::npos)
      return "half a prototype: " + p.text;
  }
  for (const std::string& c : t.columns)
    if (c.empty() || !is_collapsed(c)) return "a column without heading in " + t.name;
  return {};
}

// What is wrong with what the parser made of the text; empty when nothing is. `accepted` tells
// whether it was taken for a document.
inline std::string check(std::string_view text, bool& accepted) {
  const auto parsed = parse_document(text);
  accepted = parsed.has_value();
  if (!parsed) {
    const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    // In the form that is one line the line is one of those numbered in it.
    const bool one_line = lines <= 2 || text.starts_with('1');
    if (parsed.error().line == 0 || (!one_line && parsed.error().line > lines))
      return "an error without a line of the text: " + parsed.error().what;
    return parsed.error().what.empty() ? "an error that says nothing" : "";
  }
  if (parsed->tables.empty()) return "an edition without tables";
  std::set<std::string> seen;
  for (const document_table& t : parsed->tables) {
    if (!seen.insert(t.name).second) return "two tables " + t.name;
    if (const std::string wrong = check_table(t); !wrong.empty()) return wrong;
  }
  for (const document_note& n : parsed->notes)
    if (n.line == 0 || n.says.empty()) return "a note without a line";
  if (rules_csv(*parsed).empty() || prototypes_csv(*parsed).empty()) return "no CSV";
  const auto again = parse_document(text);
  if (!again || rules_csv(*again) != rules_csv(*parsed)) return "two readings of one text";
  return {};
}

}  // namespace holdfast::document_check
