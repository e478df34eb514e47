// SPDX-License-Identifier: Apache-2.0
//
// The tables of a rendered page: a cell a line with "|" behind it, "---|---|" under the headings.
//
// 1. Every cell kept its bar, so a row is as many bars as there are columns; only behind a table's
//    last value the blank ones are gone altogether. Another number is an error, and so is a row cut
//    off at the end of the text.
// 2. What got lost is where the blank cells stood: they follow the row's values. A blank cell
// before
//    a value therefore still stands where it stood.
#include <fmt/format.h>

#include <algorithm>

#include "contract/document/section.h"
#include "contract/document/vocabulary.h"

HF_NAMESPACE_BEGIN
namespace {

struct rendered_cell {
  size_t line;
  std::string text;
};

bool is_border(std::string_view line) {
  const std::string text = collapse_blanks(line);
  if (!text.starts_with("---|") || !text.ends_with('|')) return false;
  return text.find_first_not_of("-| ") == std::string::npos;
}

bool is_cell_line(std::string_view line) {
  return trim_right(line).ends_with('|');
}

// The cells of a line, one for each bar.
void add_cells(const text_line& line, std::vector<rendered_cell>& out) {
  std::string_view s = trim_right(line.text);
  while (!s.empty()) {
    const size_t bar = s.find('|');
    out.push_back({line.number, collapse_blanks(s.substr(0, bar))});
    if (bar == std::string_view::npos) break;
    s.remove_prefix(bar + 1);
  }
}

}  // namespace

rules_status read_rendered_rules(std::span<const text_line> lines, bool last_section,
                                 document_table& table, std::vector<document_note>& notes) {
  size_t i = 0;
  while (i < lines.size() && !is_cell_line(lines[i].text)) ++i;
  if (i == lines.size()) return {};
  const size_t first = lines[i].number;
  std::vector<rendered_cell> headings;
  for (; i < lines.size() && is_cell_line(lines[i].text) && !is_border(lines[i].text); ++i)
    add_cells(lines[i], headings);
  if (i == lines.size() || !is_border(lines[i].text))
    return document_failure(first, "a table without a line between its headings and its rows");
  std::vector<rendered_cell> border;
  add_cells(lines[i], border);
  if (headings.size() != border.size() || headings.size() < 2 || headings.size() > max_columns)
    return document_failure(lines[i].number, fmt::format("{} headings over {} columns",
                                                         headings.size(), border.size()));
  for (size_t c = 1; c < headings.size(); ++c) {
    if (headings[c].text.empty()) return document_failure(first, "a column without a heading");
    table.columns.push_back(headings[c].text);
  }
  ++i;
  std::vector<rendered_cell> cells;
  for (; i < lines.size() && is_cell_line(lines[i].text); ++i) add_cells(lines[i], cells);
  if (cells.empty()) return document_failure(first, "a table without rows");
  const bool cut_off = last_section && i == lines.size();
  for (; i < lines.size(); ++i)
    if (is_border(lines[i].text))
      return document_failure(lines[i].number, "a second table in one section");

  const size_t width = headings.size();
  for (size_t at = 0; at < cells.size(); at += width) {
    const std::string_view method = without_colon(cells[at].text);
    if (!is_identifier(method))
      return document_failure(cells[at].line,
                              fmt::format("a row of {} begins here, but \"{}\" is no method's name",
                                          table.name, cells[at].text));
    const size_t present = std::min(width, cells.size() - at);
    if (present < width && cut_off)
      return document_failure(
          cells.back().line,
          fmt::format("the row of {} ends after {} of its {} cells", method, present, width));
    document_row row{std::string(method), {}, cells[at].line};
    std::vector<std::string> values;
    bool in_place = false;  // a value behind a blank cell: the blanks are where they were
    for (size_t c = 1; c < width; ++c) {
      const std::string text = c < present ? cells[at + c].text : std::string{};
      if (text.ends_with(':') && is_identifier(without_colon(text)))
        return document_failure(cells[at + c].line,
                                fmt::format("a cell of {} is due here, not the row of {}", method,
                                            without_colon(text)));
      row.cells.push_back(text);
      in_place = in_place || (!text.empty() && values.size() + 1 != c);
      if (!text.empty()) values.push_back(text);
    }
    if (!in_place)
      row.cells = place_values({table.name, row.method, table.columns, row.line}, values, notes);
    table.rows.push_back(std::move(row));
  }
  return {};
}

HF_NAMESPACE_END
