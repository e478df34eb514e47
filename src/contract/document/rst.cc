// SPDX-License-Identifier: Apache-2.0
//
// The simple tables of the reStructuredText source: "===== =====" above and below headings and
// rows.
//
// 1. The border says where columns begin. Text that crosses the gap between two columns is read by
//    its wording instead, and a note says so.
// 2. In a document whose blanks were collapsed the borders kept their length and nothing else fits
//    them: then headings and cells are told apart by wording.
// 3. A line with a blank first column continues the row above it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "contract/document/section.h"
#include "contract/document/vocabulary.h"

HF_NAMESPACE_BEGIN
namespace {

struct span_of_column {
  size_t begin;
  size_t end;
};

// The columns of "====  ===", at least two; else nothing.
std::vector<span_of_column> border_columns(std::string_view line) {
  const std::string text = expand_tabs(line);
  std::vector<span_of_column> out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] != '=') return {};
    if (out.empty() || out.back().end != i)
      out.push_back({i, i + 1});
    else
      out.back().end = i + 1;
  }
  if (out.size() < 2) return {};
  return out;
}

// The cells of a line by position; nothing when text stands between two columns.
std::optional<std::vector<std::string>> cut(std::string_view line,
                                            const std::vector<span_of_column>& columns) {
  const std::string text = expand_tabs(line);
  std::vector<std::string> out;
  for (size_t c = 0; c < columns.size(); ++c) {
    const bool last = c + 1 == columns.size();
    const size_t next = last ? text.size() : columns[c + 1].begin;
    for (size_t i = columns[c].end; !last && i < next && i < text.size(); ++i)
      if (text[i] != ' ') return std::nullopt;
    if (columns[c].begin >= text.size())
      out.emplace_back();
    else
      out.push_back(collapse_blanks(
          std::string_view(text).substr(columns[c].begin, next - columns[c].begin)));
  }
  return out;
}

struct rst_table {
  std::vector<span_of_column> border;
  std::span<const text_line> headings;
  std::span<const text_line> rows;
  size_t line = 0;
};

// The table's three borders.
or_document_error<rst_table> find_borders(std::span<const text_line> lines, size_t first) {
  rst_table t;
  t.line = lines[first].number;
  t.border = border_columns(lines[first].text);
  const std::string border = collapse_blanks(lines[first].text);
  size_t found[2] = {};
  size_t n = 0;
  for (size_t i = first + 1; i < lines.size() && n < 2; ++i) {
    if (collapse_blanks(lines[i].text) == border)
      found[n++] = i;
    else if (!border_columns(lines[i].text).empty())
      return document_failure(lines[i].number, "a table's border that is unlike the one above it");
  }
  if (n < 2) return document_failure(t.line, "the table that begins here has no end");
  t.headings = lines.subspan(first + 1, found[0] - first - 1);
  t.rows = lines.subspan(found[0] + 1, found[1] - found[0] - 1);
  for (size_t i = found[1] + 1; i < lines.size(); ++i)
    if (!border_columns(lines[i].text).empty())
      return document_failure(lines[i].number, "a second table in one section");
  return t;
}

// Headings by position, over one line or more; nothing when they don't fit the border.
std::optional<std::vector<std::string>> headings_in_place(const rst_table& t) {
  std::vector<std::string> out(t.border.size());
  for (const text_line& line : t.headings) {
    const auto cells = cut(line.text, t.border);
    if (!cells) return std::nullopt;
    for (size_t c = 0; c < out.size(); ++c) out[c] = collapse_blanks(out[c] + " " + (*cells)[c]);
  }
  for (const std::string& h : out)
    if (h.empty()) return std::nullopt;
  return out;
}

std::vector<std::string> headings_by_wording(const rst_table& t) {
  std::vector<std::string> words;
  for (const text_line& line : t.headings)
    for (std::string& w : words_of(line.text)) words.push_back(std::move(w));
  return part_headings(words);
}

bool rows_are_in_place(const rst_table& t) {
  return std::all_of(t.rows.begin(), t.rows.end(), [&](const text_line& line) {
    const auto cells = cut(line.text, t.border);
    return cells && (is_blank(line.text) || is_identifier(without_colon((*cells)[0])));
  });
}

or_document_error<document_row> row_by_wording(const text_line& line, const document_table& table,
                                               std::vector<document_note>& notes) {
  const std::string text = collapse_blanks(line.text);
  const std::string_view method = leading_identifier(text);
  std::string_view values = std::string_view(text).substr(method.size());
  if (values.starts_with(':')) values.remove_prefix(1);
  if (method.empty())
    return document_failure(line.number, fmt::format("a row of {} that does not begin with a "
                                                     "method's name",
                                                     table.name));
  document_row row{std::string(method), {}, line.number};
  auto cells =
      place_words({table.name, row.method, table.columns, line.number}, words_of(values), notes);
  if (!cells) return std::unexpected(cells.error());
  row.cells = std::move(*cells);
  return row;
}

}  // namespace

rules_status read_rst_rules(std::span<const text_line> lines, bool collapsed, document_table& table,
                            std::vector<document_note>& notes) {
  size_t first = 0;
  while (first < lines.size() && border_columns(lines[first].text).empty()) ++first;
  if (first == lines.size()) return {};
  const auto found = find_borders(lines, first);
  if (!found) return std::unexpected(found.error());
  const rst_table& t = *found;

  auto headings = headings_in_place(t);
  // Collapsed headings can fit the border by accident: "ops may" and "block".
  const auto parted = headings_by_wording(t);
  const bool in_place = headings && (!collapsed || (*headings == parted && rows_are_in_place(t)));
  if (!in_place) headings = parted;
  if (t.border.size() > max_columns) return document_failure(t.line, "too many columns");
  if (headings->size() != t.border.size())
    return document_failure(
        t.line, fmt::format("{} headings over {} columns", headings->size(), t.border.size()));
  table.columns.assign(headings->begin() + 1, headings->end());

  for (const text_line& line : t.rows) {
    if (is_blank(line.text)) continue;
    const auto cells = in_place ? cut(line.text, t.border) : std::nullopt;
    if (cells && (*cells)[0].empty()) {
      if (table.rows.empty())
        return document_failure(line.number, "a table that begins with half a row");
      std::vector<std::string>& above = table.rows.back().cells;
      for (size_t c = 0; c < above.size(); ++c)
        above[c] = collapse_blanks(above[c] + " " + (*cells)[c + 1]);
      continue;
    }
    if (cells && is_identifier(without_colon((*cells)[0]))) {
      document_row row{std::string(without_colon((*cells)[0])), {}, line.number};
      row.cells.assign(cells->begin() + 1, cells->end());
      table.rows.push_back(std::move(row));
      continue;
    }
    if (in_place)
      notes.push_back({line.number, fmt::format("{}: this row does not keep to the table's columns "
                                                "and is read by its wording",
                                                table.name)});
    auto row = row_by_wording(line, table, notes);
    if (!row) return std::unexpected(row.error());
    table.rows.push_back(std::move(*row));
  }
  if (table.rows.empty()) return document_failure(t.line, "a table without rows");
  return {};
}

HF_NAMESPACE_END
