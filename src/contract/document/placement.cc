// SPDX-License-Identifier: Apache-2.0
//
// Values put back under the columns that they lost; see vocabulary.h.
//
// 1. Order is kept. Of the placements that the wording allows, the one with the most values wins,
// of
//    these the leftmost: what the forms drop are blanks at the end of a row.
// 2. Work is bounded: columns times words times words, and words are limited.
#include <fmt/format.h>

#include <algorithm>

#include "contract/document/vocabulary.h"

HF_NAMESPACE_BEGIN
namespace {

// Rows whose blank cells a release's own source settles: the value stands under that column.
struct settled_value {
  std::string_view table;
  std::string_view method;
  std::string_view value;
  std::string_view column;
};
constexpr settled_value settled_values[] = {
    {"super_operations", "free_inode", "called from RCU callback", "note"},
    {"super_operations", "drop_inode", "!!!inode->i_lock!!!", "note"},
    {"address_space_operations", "read_folio", "shared", "invalidate_lock"},
    {"address_space_operations", "readahead", "shared", "invalidate_lock"},
    {"address_space_operations", "invalidate_folio", "exclusive", "invalidate_lock"},
    {"address_space_operations", "write_begin", "exclusive", "i_rwsem"},
    {"address_space_operations", "write_end", "exclusive", "i_rwsem"},
};

const settled_value* settled(const row_place& row, std::string_view value) {
  for (const settled_value& s : settled_values)
    if (s.table == row.table && s.method == row.method && s.value == value &&
        std::find(row.columns.begin(), row.columns.end(), s.column) != row.columns.end())
      return &s;
  return nullptr;
}

bool allowed(const row_place& row, size_t column, std::string_view value) {
  if (const settled_value* s = settled(row, value)) return s->column == row.columns[column];
  return can_hold(row.columns[column], value);
}

constexpr size_t max_words = 64;
// The longest cell known has nine words.
constexpr size_t longest_cell = 12;
constexpr size_t max_row_length = 512;
constexpr int impossible = -1;

std::string joined(std::span<const std::string> words) {
  std::string out;
  for (const std::string& w : words) {
    if (!out.empty()) out += ' ';
    out += w;
  }
  return out;
}

// Units (words, or whole values) from `unit` on, under columns from `column` on.
struct outcome {
  int filled = impossible;  // cells that are not blank
  unsigned ways = 0;        // in how many ways as many can be filled, at most 2
  size_t take = 0;          // units that the column takes in the leftmost of them
};

class placement {
 public:
  placement(const row_place& row, std::span<const std::string> units, size_t longest)
      : row_(row), units_(units), width_(units.size() + 1) {
    table_.resize((row.columns.size() + 1) * width_);
    at(row.columns.size(), units.size()) = {0, 1, 0};
    for (size_t c = row.columns.size(); c-- > 0;)
      for (size_t u = units.size() + 1; u-- > 0;) {
        outcome& here = at(c, u);
        for (size_t take = std::min(longest, units.size() - u);; --take) {
          if (take == 0 || allowed(row, c, joined(units.subspan(u, take))))
            consider(here, at(c + 1, u + take), take);
          if (take == 0) break;
        }
      }
  }

  bool possible() const { return at(0, 0).filled != impossible; }
  bool decided() const { return at(0, 0).ways == 1; }
  std::vector<std::string> cells() const {
    std::vector<std::string> out;
    size_t u = 0;
    for (size_t c = 0; c < row_.columns.size(); ++c) {
      const size_t take = at(c, u).take;
      out.push_back(joined(units_.subspan(u, take)));
      u += take;
    }
    return out;
  }

 private:
  static void consider(outcome& here, const outcome& rest, size_t take) {
    if (rest.filled == impossible) return;
    const int filled = rest.filled + (take != 0 ? 1 : 0);
    if (filled > here.filled) {
      here = {filled, rest.ways, take};
    } else if (filled == here.filled) {
      here.ways = std::min(2U, here.ways + rest.ways);
    }
  }
  outcome& at(size_t column, size_t unit) { return table_[column * width_ + unit]; }
  const outcome& at(size_t column, size_t unit) const { return table_[column * width_ + unit]; }

  const row_place& row_;
  std::span<const std::string> units_;
  size_t width_;
  std::vector<outcome> table_;
};

std::string where(const row_place& row, const std::vector<std::string>& cells) {
  std::string out;
  for (size_t c = 0; c < cells.size(); ++c)
    if (!cells[c].empty())
      out += fmt::format("{}\"{}\" under {}", out.empty() ? "" : ", ", cells[c], row.columns[c]);
  return out;
}

void add_note(const row_place& row, const std::vector<std::string>& cells, std::string_view why,
              std::vector<document_note>& notes) {
  notes.push_back(
      {row.line, fmt::format("{}.{}: {}: {}", row.table, row.method, why, where(row, cells))});
}

bool has_blank(const std::vector<std::string>& cells) {
  return std::find(cells.begin(), cells.end(), "") != cells.end();
}
bool is_all_blank(const std::vector<std::string>& cells) {
  return std::all_of(cells.begin(), cells.end(), [](const std::string& c) { return c.empty(); });
}

void explain(const row_place& row, const std::vector<std::string>& cells, bool decided,
             std::vector<document_note>& notes) {
  if (decided && (!has_blank(cells) || is_all_blank(cells))) return;
  for (const std::string& cell : cells)
    if (settled(row, cell) != nullptr) {
      add_note(row, cells, "the form lost which cells are blank; placed as settled for this row",
               notes);
      return;
    }
  add_note(row, cells,
           decided ? "the form lost which cells are blank; placed by what the columns can hold"
                   : "the form lost which cells are blank and several columns can hold this; "
                     "placed leftmost",
           notes);
}

}  // namespace

std::vector<std::string> place_values(const row_place& row, std::span<const std::string> values,
                                      std::vector<document_note>& notes) {
  std::vector<std::string> cells(values.begin(), values.end());
  if (values.size() < row.columns.size()) {
    if (const placement p(row, values, 1); p.possible()) {
      cells = p.cells();
      explain(row, cells, p.decided(), notes);
    } else {
      cells.resize(row.columns.size());
      add_note(row, cells,
               "the form lost which cells are blank and the wording is unknown; placed "
               "leftmost",
               notes);
    }
  }
  cells.resize(row.columns.size());
  return cells;
}

or_document_error<std::vector<std::string>> place_words(const row_place& row,
                                                        const std::vector<std::string>& words,
                                                        std::vector<document_note>& notes) {
  if (row.columns.size() == 1) return std::vector<std::string>{joined(words)};
  if (words.size() > max_words || joined(words).size() > max_row_length)
    return document_failure(row.line, fmt::format("the row of {} is too long", row.method));
  const placement p(row, words, longest_cell);
  if (p.possible()) {
    std::vector<std::string> cells = p.cells();
    explain(row, cells, p.decided(), notes);
    return cells;
  }
  if (words.size() == row.columns.size()) {
    notes.push_back({row.line, fmt::format("{}.{}: the wording is unknown; taken as one word a "
                                           "column",
                                           row.table, row.method)});
    return words;
  }
  return document_failure(
      row.line, fmt::format("the cells of {} can't be told apart: \"{}\" under {} columns",
                            row.method, joined(words), row.columns.size()));
}

HF_NAMESPACE_END
