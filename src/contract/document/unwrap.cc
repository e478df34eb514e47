// SPDX-License-Identifier: Apache-2.0
//
// Which form a text has, and the forms that wrap each line; see unwrap.h.
#include "contract/document/unwrap.h"

#include <fmt/format.h>

HF_NAMESPACE_BEGIN
namespace {

constexpr std::string_view pilcrow = "\xc2\xb6";

text_lines split_lines(std::string_view text) {
  text_lines lines;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({++number, std::string(line)});
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// "1 2 3 ... n", the n; 0 when the line is no such list.
size_t listed_numbers(std::string_view line) {
  size_t n = 0;
  for (const std::string& word : words_of(line))
    if (word != std::to_string(++n)) return 0;
  return n < 3 ? 0 : n;
}

// "@@ -0,0 +1,578 @@": the 578. Nothing for another hunk.
bool added_lines(std::string_view hunk, size_t& count) {
  constexpr std::string_view head = "@@ -0,0 +1,";
  if (!hunk.starts_with(head)) return false;
  hunk.remove_prefix(head.size());
  count = 0;
  size_t digits = 0;
  while (digits < hunk.size() && digits < 7 && hunk[digits] >= '0' && hunk[digits] <= '9')
    count = count * 10 + static_cast<size_t>(hunk[digits++] - '0');
  return digits != 0 && hunk.substr(digits).starts_with(" @@");
}

bool is_one_line(const text_lines& lines) {
  size_t filled = 0;
  for (const text_line& l : lines) filled += is_blank(l.text) ? 0 : 1;
  if (filled != 1 || !lines.front().text.starts_with('1')) return false;
  return lines.front().text.find(" 2") != std::string::npos &&
         lines.front().text.find(" 3") != std::string::npos;
}

document_form form_of(const text_lines& lines) {
  if (is_one_line(lines)) return document_form::one_line;
  size_t barred = 0;
  size_t filled = 0;
  for (const text_line& l : lines) {
    if (l.text.starts_with("@@ -")) return document_form::diff;
    if (trim_right(l.text).ends_with(pilcrow) || l.text.starts_with("---|"))
      return document_form::rendered;
    if (is_blank(l.text)) continue;
    ++filled;
    const std::string text = collapse_blanks(l.text);
    if (text.starts_with('|') && text.ends_with('|')) ++barred;
  }
  // The first line may have lost its bar to a page's edge, so most lines decide.
  if (filled >= 2 && barred * 10 >= filled * 9) return document_form::bars;
  for (size_t i = 0; i < lines.size() && i < 4; ++i)
    if (listed_numbers(lines[i].text) != 0) return document_form::page_header;
  return document_form::source;
}

}  // namespace

std::string_view name_of(document_form f) {
  switch (f) {
    case document_form::bars:
      return "lines between bars";
    case document_form::diff:
      return "a diff";
    case document_form::page_header:
      return "text behind a page header";
    case document_form::one_line:
      return "one line with line numbers";
    case document_form::rendered:
      return "a rendered page";
    case document_form::source:
      break;
  }
  return "the source";
}

or_document_error<text_lines> unwrap_bars(const text_lines& lines) {
  text_lines out;
  for (const text_line& l : lines) {
    if (is_blank(l.text)) continue;
    std::string_view s = l.text;
    while (starts_blank(s)) s.remove_prefix(1);
    s = trim_right(s);
    if (s.size() < 2 || !s.starts_with('|') || !s.ends_with('|'))
      return document_failure(l.number, "this line does not stand between bars as the others do");
    s.remove_prefix(1);
    s.remove_suffix(1);
    if (s.starts_with(' ')) s.remove_prefix(1);
    if (s.ends_with(' ')) s.remove_suffix(1);
    out.push_back({l.number, std::string(s)});
  }
  return out;
}

or_document_error<text_lines> unwrap_diff(const text_lines& lines) {
  text_lines out;
  size_t promised = 0;
  size_t hunk = 0;  // the line of the hunk's head
  for (const text_line& l : lines) {
    if (hunk != 0 && out.size() == promised) {
      if (l.text.starts_with('+') || l.text.starts_with('-') || l.text.starts_with("@@"))
        return document_failure(l.number, "the diff goes on behind the lines that its head counts");
      continue;  // a page's footer
    }
    if (hunk != 0) {
      if (!l.text.starts_with('+'))
        return document_failure(
            l.number,
            fmt::format("the diff ends here, after {} of the {} lines that its head counts",
                        out.size(), promised));
      out.push_back({l.number, l.text.substr(1)});
    } else if (l.text.starts_with("@@ -")) {
      if (!added_lines(l.text, promised))
        return document_failure(l.number,
                                "the diff changes a file; only one that adds the whole file has "
                                "the document in it");
      hunk = l.number;
    }
  }
  if (out.size() != promised)
    return document_failure(
        lines.back().number,
        fmt::format("the diff ends after {} of the {} lines that its head counts", out.size(),
                    promised));
  return out;
}

or_document_error<text_lines> unwrap_page_header(const text_lines& lines) {
  size_t head = 0;
  while (listed_numbers(lines[head].text) == 0) ++head;
  const size_t promised = listed_numbers(lines[head].text);
  text_lines out(lines.begin() + static_cast<std::ptrdiff_t>(head) + 1, lines.end());
  // The list counts an empty line behind the last line end.
  if (out.size() != promised && out.size() + 1 != promised)
    return document_failure(lines.back().number, fmt::format("the page lists {} lines and has {}",
                                                             promised, out.size()));
  return out;
}

or_document_error<unwrapped_text> unwrap(std::string_view text) {
  if (text.size() > max_document_size)
    return document_failure(1, fmt::format("{} bytes are too much for a locking document; {} are "
                                           "the most that is read",
                                           text.size(), max_document_size));
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    size_t line = 1;
    for (const char c : text.substr(0, nul)) line += c == '\n' ? 1 : 0;
    return document_failure(line, "this is no text: there is a zero byte in it");
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const text_lines lines = split_lines(text);
  bool filled = false;
  for (const text_line& l : lines) filled = filled || !is_blank(l.text);
  if (!filled) return document_failure(1, "the document is empty");

  unwrapped_text out;
  out.form = form_of(lines);
  or_document_error<text_lines> source = lines;
  switch (out.form) {
    case document_form::bars:
      source = unwrap_bars(lines);
      break;
    case document_form::diff:
      source = unwrap_diff(lines);
      break;
    case document_form::page_header:
      source = unwrap_page_header(lines);
      break;
    case document_form::one_line:
      source = unwrap_one_line(text, out.notes);
      break;
    case document_form::rendered:
    case document_form::source:
      break;
  }
  if (!source) return std::unexpected(source.error());
  for (const text_line& l : *source)
    if (l.text.size() > max_line_length)
      return document_failure(
          l.number, fmt::format("a line of {} bytes; {} are the most that is read", l.text.size(),
                                max_line_length));
  out.lines = std::move(*source);
  return out;
}

HF_NAMESPACE_END
