// SPDX-License-Identifier: Apache-2.0
//
// Sections, and what each holds; see parse.h. The form is taken off first (unwrap.h); what is left
// has one of three layouts: plain text, reStructuredText, a rendered page.
#include "contract/document/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/stable_sort.h"
#include "contract/document/section.h"
#include "contract/document/unwrap.h"
#include "contract/document/vocabulary.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr std::string_view pilcrow = "\xc2\xb6";

enum class layout : uint8_t { plain, rst, rendered };

// "---- dentry_operations ----": the title; else empty.
std::string plain_title(std::string_view line) {
  std::string_view s = trim_right(line);
  size_t left = 0;
  while (left < s.size() && s[left] == '-') ++left;
  size_t right = 0;
  while (right < s.size() && s[s.size() - 1 - right] == '-') ++right;
  if (left < 3 || right < 3 || left + right >= s.size()) return {};
  std::string title = collapse_blanks(s.substr(left, s.size() - left - right));
  return leading_identifier(title).empty() ? std::string{} : title;
}

// A line of one punctuation mark, three and more.
bool is_underline(std::string_view line) {
  const std::string_view s = trim_right(line);
  if (s.size() < 3 || std::string_view("=-~^\"'`#*+").find(s.front()) == std::string_view::npos)
    return false;
  return s.find_first_not_of(s.front()) == std::string_view::npos;
}

std::string title_at(const text_lines& lines, size_t i, layout how) {
  const std::string& line = lines[i].text;
  switch (how) {
    case layout::plain:
      return plain_title(line);
    case layout::rendered: {
      std::string_view s = trim_right(line);
      if (!s.ends_with(pilcrow)) return {};
      s.remove_suffix(pilcrow.size());
      return collapse_blanks(s);
    }
    case layout::rst:
      break;
  }
  const bool titled = i + 1 < lines.size() && !is_blank(line) && !starts_blank(line) &&
                      !is_underline(line) && is_underline(lines[i + 1].text);
  return titled ? collapse_blanks(line) : std::string{};
}

std::vector<document_section> sections_of(const text_lines& lines, layout how) {
  std::vector<document_section> out;
  std::span<const text_line> all(lines);
  size_t begin = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string title = title_at(lines, i, how);
    if (title.empty()) continue;
    if (!out.empty()) out.back().lines = all.subspan(begin, i - begin);
    begin = i + (how == layout::rst ? 2 : 1);
    out.push_back({std::move(title), lines[i].number, {}});
  }
  if (!out.empty()) out.back().lines = all.subspan(begin);
  return out;
}

layout layout_of(const unwrapped_text& text) {
  if (text.form == document_form::rendered) return layout::rendered;
  const bool plain = std::any_of(text.lines.begin(), text.lines.end(),
                                 [](const text_line& l) { return !plain_title(l.text).empty(); });
  return plain ? layout::plain : layout::rst;
}

// Every run of blanks is one space: the columns are gone.
bool is_collapsed(const text_lines& lines) {
  return std::all_of(lines.begin(), lines.end(), [](const text_line& l) {
    const std::string_view s = trim_right(l.text);
    return s.find('\t') == std::string_view::npos && s.find("  ") == std::string_view::npos;
  });
}

// Far more than any edition has; what looks at each pair of methods stays quick.
constexpr size_t max_methods = 400;
constexpr size_t max_tables = 100;

rules_status check_methods(const document_table& table) {
  if (table.rows.size() > max_methods || table.prototypes.size() > max_methods)
    return document_failure(table.line,
                            fmt::format("{} has more than {} methods", table.name, max_methods));
  std::set<std::string_view> seen;
  for (const document_row& row : table.rows)
    if (!seen.insert(row.method).second)
      return document_failure(row.line,
                              fmt::format("a second row of {} in {}", row.method, table.name));
  seen.clear();
  for (const document_prototype& p : table.prototypes)
    if (!seen.insert(p.method).second)
      return document_failure(p.line,
                              fmt::format("a second prototype of {} in {}", p.method, table.name));
  seen.clear();
  for (const std::string& column : table.columns)
    if (!seen.insert(column).second)
      return document_failure(table.line,
                              fmt::format("{} has two columns headed {}", table.name, column));
  return {};
}

struct reading {
  layout how;
  bool collapsed;  // runs of blanks are gone
  bool last;       // no section follows
};

rules_status read_section(const document_section& section, const reading& as,
                          edition_document& out) {
  document_table table;
  table.heading = section.heading;
  table.name = leading_identifier(section.heading);
  table.line = section.line;
  auto prototypes = read_prototypes(section, out.notes);
  if (!prototypes) return std::unexpected(prototypes.error());
  table.prototypes = std::move(prototypes->prototypes);
  rules_status read;
  switch (as.how) {
    case layout::plain:
      // Without prototypes a section is prose, whose lines may look like rows.
      if (prototypes->headed)
        read = read_plain_rules(prototypes->rest, as.collapsed, table, out.notes);
      break;
    case layout::rst:
      read = read_rst_rules(prototypes->rest, as.collapsed, table, out.notes);
      break;
    case layout::rendered:
      read = read_rendered_rules(prototypes->rest, as.last, table, out.notes);
      break;
  }
  if (!read) return read;
  if (!prototypes->headed && table.rows.empty()) {
    if (is_known_table(table.name))
      return document_failure(section.line,
                              fmt::format("{} has neither prototypes nor rules", table.name));
    return {};
  }
  if (table.name.empty())
    return document_failure(section.line,
                            fmt::format("\"{}\" is no name of a table", section.heading));
  if (const rules_status unique = check_methods(table); !unique) return unique;
  if (out.tables.size() == max_tables)
    return document_failure(section.line, fmt::format("more than {} tables", max_tables));
  for (const document_table& t : out.tables)
    if (t.name == table.name)
      return document_failure(section.line, fmt::format("a second table {}", table.name));
  out.tables.push_back(std::move(table));
  return {};
}

}  // namespace

or_document_error<edition_document> parse_document(std::string_view text) {
  auto source = unwrap(text);
  if (!source) return std::unexpected(source.error());
  edition_document out;
  out.form = name_of(source->form);
  out.notes = std::move(source->notes);
  const layout how = layout_of(*source);
  const bool collapsed = how != layout::rendered && is_collapsed(source->lines);
  const std::vector<document_section> sections = sections_of(source->lines, how);
  for (const document_section& section : sections)
    if (const rules_status s =
            read_section(section, {how, collapsed, &section == &sections.back()}, out);
        !s)
      return std::unexpected(s.error());
  if (out.tables.empty())
    return document_failure(source->lines.front().number,
                            "no table of operations in this text: it is no locking document");
  stable_sort(out.notes,
              [](const document_note& a, const document_note& b) { return a.line < b.line; });
  return out;
}

HF_NAMESPACE_END
