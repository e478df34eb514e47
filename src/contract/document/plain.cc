// SPDX-License-Identifier: Apache-2.0
//
// The tables of the plain-text source: a line of headings, indented, and below it "method:  cell
// cell".
//
// 1. Headings and cells are parted by tabs or two blanks, and a cell stands where its heading does.
//    Where blanks were collapsed (`collapsed`) they are told apart by wording instead.
// 2. Cells that stand right of all headings, in a row that leaves the last headed column blank, are
// a
//    column without a heading. Where a row has more cells than columns they are one cell.
// 3. The colon behind a method may be missing, and the cell may follow it without a blank.
#include <fmt/format.h>

#include <algorithm>

#include "contract/document/section.h"
#include "contract/document/vocabulary.h"

HF_NAMESPACE_BEGIN
namespace {

struct row_head {
  std::string_view method;  // empty: no row
  size_t end = 0;           // where the values begin
  bool colon = false;
};

row_head row_head_of(std::string_view line) {
  row_head h;
  h.method = leading_identifier(line);
  h.end = h.method.size();
  h.colon = h.end < line.size() && line[h.end] == ':';
  if (h.colon) ++h.end;
  const bool parted = h.end == line.size() || starts_blank(line.substr(h.end));
  if (!h.colon && !parted) h.method = {};
  return h;
}

class plain_reader {
 public:
  plain_reader(std::span<const text_line> lines, bool collapsed, document_table& table,
               std::vector<document_note>& notes)
      : lines_(lines), collapsed_(collapsed), table_(table), notes_(notes) {}

  rules_status read() {
    const size_t first = first_row();
    if (first == lines_.size()) return nameless_row();
    if (!read_headings(first))
      return document_failure(lines_[first].number,
                              fmt::format("rows of {} without headings above them", table_.name));
    if (table_.columns.size() > max_columns)
      return document_failure(lines_[first].number, "too many columns");
    std::vector<size_t> rows;
    for (size_t i = first; i < lines_.size(); ++i) {
      if (is_row(lines_[i].text))
        rows.push_back(i);
      else if (!is_blank(lines_[i].text) || !goes_on(i + 1))
        break;
    }
    if (rows.empty())
      return document_failure(
          lines_[first].number,
          fmt::format("the cells of this row of {} can't be told apart", table_.name));
    find_unheaded_column(rows);
    for (const size_t i : rows)
      if (const rules_status s = read_row(lines_[i]); !s) return s;
    return {};
  }

 private:
  bool is_known(std::string_view method) const {
    return std::any_of(table_.prototypes.begin(), table_.prototypes.end(),
                       [&](const document_prototype& p) { return p.method == method; });
  }
  static bool is_gap(std::string_view values) {
    return is_blank(values) || values.starts_with('\t') || values.starts_with("  ") ||
           !starts_blank(values);
  }
  bool are_values(std::string_view values) const {
    std::vector<document_note> ignored;
    const std::vector<std::string> any_column(1, "PageLocked(page)");
    const std::vector<std::string>& columns = table_.columns.empty() ? any_column : table_.columns;
    return is_blank(values) || columns.size() == 1 ||
           place_words({table_.name, "", columns, 0}, words_of(values), ignored).has_value();
  }

  bool is_row(std::string_view line) const {
    const row_head h = row_head_of(line);
    if (h.method.empty()) return false;
    const std::string_view values = line.substr(h.end);
    if (!h.colon && !is_known(h.method)) return !collapsed_ && is_gap(values) && !is_blank(values);
    if (h.colon && is_known(h.method)) return true;
    if (h.colon) return collapsed_ ? h.method != "Note" : is_gap(values) || are_values(values);
    return collapsed_ ? are_values(values) : is_gap(values);
  }
  // A table may have a blank line in it.
  bool goes_on(size_t i) const {
    if (i >= lines_.size()) return false;
    const row_head h = row_head_of(lines_[i].text);
    return h.colon && is_known(h.method) && is_gap(lines_[i].text.substr(h.end));
  }

  // The line of headings above line i: the nearest that is not blank, if it is indented.
  size_t headings_above(size_t i) const {
    for (size_t at = i; at-- > 0;) {
      if (is_blank(lines_[at].text)) continue;
      return starts_blank(lines_[at].text) ? at : lines_.size();
    }
    return lines_.size();
  }
  size_t first_row() const {
    size_t without_headings = lines_.size();
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (!is_row(lines_[i].text)) continue;
      const row_head h = row_head_of(lines_[i].text);
      if (headings_above(i) != lines_.size() && (h.colon || is_known(h.method))) return i;
      if (h.colon && is_known(h.method) && without_headings == lines_.size()) without_headings = i;
    }
    return without_headings;
  }

  // "all may block", "none have BKL": said of the table, and no heading of a column.
  static bool is_sentence(std::string_view line) {
    const std::string low = lower_case(collapse_blanks(line));
    return low.starts_with("all ") || low.starts_with("none ") || low.ends_with('.');
  }

  bool read_headings(size_t first) {
    const size_t at = headings_above(first);
    if (at == lines_.size()) return false;
    const std::string& line = lines_[at].text;
    if (is_sentence(line)) return false;
    if (collapsed_) {
      table_.columns = part_headings(words_of(line));
      return !table_.columns.empty();
    }
    std::vector<placed_text> parts = aligned_parts(line);
    if (at > 0 && starts_blank(lines_[at - 1].text) && !is_blank(lines_[at - 1].text)) {
      // The upper half of headings of two lines stands over the lower one.
      const std::vector<placed_text> upper = aligned_parts(lines_[at - 1].text);
      const auto below = [&](const placed_text& u) {
        return std::find_if(parts.begin(), parts.end(),
                            [&](const placed_text& p) { return p.start == u.start; });
      };
      if (std::all_of(upper.begin(), upper.end(),
                      [&](const placed_text& u) { return below(u) != parts.end(); }))
        for (const placed_text& u : upper) below(u)->text = u.text + " " + below(u)->text;
    }
    for (placed_text& p : parts) {
      starts_.push_back(p.start);
      headed_end_ = p.start + p.text.size();
      table_.columns.push_back(std::move(p.text));
    }
    return !table_.columns.empty();
  }

  void find_unheaded_column(const std::vector<size_t>& rows) {
    if (table_.columns.back() == unheaded_column) return;
    // Of the table that has it in every edition it is known.
    bool unheaded = table_.name == "super_operations";
    size_t start = headed_end_ + 8;
    bool seen = false;
    for (const size_t i : rows) {
      if (collapsed_) break;
      const std::vector<placed_text> parts = parts_of(lines_[i]);
      if (parts.empty() || parts.back().start < headed_end_) continue;
      start = seen ? std::min(start, parts.back().start) : parts.back().start;
      seen = true;
      const bool last_is_blank = std::none_of(
          parts.begin(), parts.end(),
          [&](const placed_text& p) { return p.start >= starts_.back() && p.start < headed_end_; });
      if (last_is_blank && parts.size() <= table_.columns.size()) {
        if (!unheaded)
          notes_.push_back(
              {lines_[i].number, fmt::format("{} has a column without a heading, named "
                                             "{} here",
                                             table_.name, unheaded_column)});
        unheaded = true;
      }
    }
    if (!unheaded) return;
    table_.columns.emplace_back(unheaded_column);
    starts_.push_back(start);
  }

  std::vector<placed_text> parts_of(const text_line& line) const {
    return aligned_parts(line.text, row_head_of(line.text).end);
  }

  rules_status read_row(const text_line& line) {
    const row_head h = row_head_of(line.text);
    document_row row{std::string(h.method), {}, line.number};
    if (collapsed_) {
      auto cells = place_words({table_.name, row.method, table_.columns, row.line},
                               words_of(std::string_view(line.text).substr(h.end)), notes_);
      if (!cells) return std::unexpected(cells.error());
      row.cells = std::move(*cells);
    } else {
      row.cells = cells_in_place(parts_of(line), row);
    }
    table_.rows.push_back(std::move(row));
    return {};
  }

  std::vector<std::string> cells_in_place(const std::vector<placed_text>& parts,
                                          const document_row& row) {
    const size_t columns = table_.columns.size();
    std::vector<std::string> cells(columns);
    if (columns == 1 || parts.size() > columns) {
      for (const placed_text& p : parts) {
        size_t c = columns - 1;
        while (c > 0 && starts_[c] > p.start) --c;
        cells[c] += (cells[c].empty() ? "" : " ") + p.text;
      }
      return cells;
    }
    const std::vector<size_t> under = nearest_columns(parts);
    for (size_t i = 0; i < parts.size(); ++i) {
      cells[under[i]] = parts[i].text;
      const size_t a = parts[i].start;
      const size_t b = starts_[under[i]];
      if (parts.size() < columns && (a > b ? a - b : b - a) >= 8)
        notes_.push_back(
            {row.line,
             fmt::format("{}.{}: \"{}\" stands under no heading; placed under "
                         "the nearest, {}",
                         table_.name, row.method, parts[i].text, table_.columns[under[i]])});
    }
    return cells;
  }

  // Columns for the parts, in order, none twice, as near as can be.
  std::vector<size_t> nearest_columns(const std::vector<placed_text>& parts) const {
    const size_t n = parts.size();
    const size_t columns = starts_.size();
    constexpr size_t far = ~size_t{0} / 2;
    // best[p][c]: the distance of parts from p on, put under columns from c on.
    std::vector<std::vector<size_t>> best(n + 1, std::vector<size_t>(columns + 1, far));
    for (size_t c = 0; c <= columns; ++c) best[n][c] = 0;
    const auto distance = [&](size_t p, size_t c) {
      return parts[p].start > starts_[c] ? parts[p].start - starts_[c]
                                         : starts_[c] - parts[p].start;
    };
    for (size_t p = n; p-- > 0;)
      for (size_t c = columns; c-- > 0;)
        best[p][c] = std::min(best[p][c + 1], std::min(far, best[p + 1][c + 1] + distance(p, c)));
    std::vector<size_t> out;
    for (size_t p = 0, c = 0; p < n; ++c)
      if (c + 1 >= columns || best[p + 1][c + 1] + distance(p, c) <= best[p][c + 1]) {
        out.push_back(c);
        ++p;
      }
    return out;
  }

  // A table of one method may leave its name out: headings and one row, both at the margin.
  rules_status nameless_row() {
    if (collapsed_ || table_.prototypes.size() != 1) return {};
    for (size_t i = 0; i + 1 < lines_.size(); ++i) {
      const std::vector<placed_text> headings = aligned_parts(lines_[i].text);
      const std::vector<placed_text> values = aligned_parts(lines_[i + 1].text);
      if (headings.size() < 2 || headings.size() != values.size()) continue;
      document_row row{table_.prototypes.front().method, {}, lines_[i + 1].number};
      bool fits = true;
      for (size_t c = 0; c < headings.size(); ++c) {
        fits = fits && can_hold(headings[c].text, values[c].text);
        row.cells.push_back(values[c].text);
      }
      if (!fits) continue;
      for (const placed_text& h : headings) table_.columns.push_back(h.text);
      notes_.push_back({row.line, fmt::format("{}: the row without a name is taken for that of {}",
                                              table_.name, row.method)});
      table_.rows.push_back(std::move(row));
      return {};
    }
    return {};
  }

  std::span<const text_line> lines_;
  bool collapsed_;
  document_table& table_;
  std::vector<document_note>& notes_;
  std::vector<size_t> starts_;
  size_t headed_end_ = 0;
};

}  // namespace

rules_status read_plain_rules(std::span<const text_line> lines, bool collapsed,
                              document_table& table, std::vector<document_note>& notes) {
  return plain_reader(lines, collapsed, table, notes).read();
}

HF_NAMESPACE_END
