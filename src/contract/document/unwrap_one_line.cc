// SPDX-License-Identifier: Apache-2.0
//
// The form that is one line: "1first line 2second line 3 4 indented". See unwrap.h.
//
// 1. Numbers run from 1 without a gap, so each is looked for behind the one before. The number of a
//    filled line stands right before its text, that of an empty line before the next number.
// 2. A number in the text can look like the next line's. Where it stands alone and the same number
//    follows once more before the one after it, the later is the line's; a note says so.
#include <fmt/format.h>

#include "contract/document/unwrap.h"

HF_NAMESPACE_BEGIN
namespace {

// Where " <number>" is, from `from` on, with no digit behind it.
size_t find_number(std::string_view text, size_t number, size_t from) {
  const std::string wanted = " " + std::to_string(number);
  for (size_t at = text.find(wanted, from); at != std::string_view::npos;
       at = text.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    if (end == text.size() || text[end] < '0' || text[end] > '9') return at;
  }
  return std::string_view::npos;
}

}  // namespace

or_document_error<text_lines> unwrap_one_line(std::string_view text,
                                              std::vector<document_note>& notes) {
  text = trim_right(text.substr(0, text.find('\n')));
  text_lines out;
  if (!text.starts_with('1')) return document_failure(1, "line 1 has no number");
  size_t begin = 1;  // of the text behind the number
  for (size_t number = 1;; ++number) {
    size_t next = find_number(text, number + 1, begin);
    if (next != std::string_view::npos) {
      // A number inside the text, with blanks around it, and the real one glued to its line.
      const size_t after = find_number(text, number + 2, next + 1);
      const size_t again = find_number(text.substr(0, after), number + 1, next + 1);
      const size_t behind = next + 1 + std::to_string(number + 1).size();
      const bool alone = behind < text.size() && text[behind] == ' ' && after != behind;
      if (alone && again != std::string_view::npos) {
        notes.push_back({number, fmt::format("the number {} stands twice; the second is taken for "
                                             "the line's, the first for the text's",
                                             number + 1)});
        next = again;
      }
    }
    const size_t end = next == std::string_view::npos ? text.size() : next;
    out.push_back({number, std::string(text.substr(begin, end - begin))});
    if (next == std::string_view::npos) break;
    begin = next + 1 + std::to_string(number + 1).size();
  }
  // A number that went missing leaves all that follows in one line.
  constexpr size_t longest = 400;
  if (out.size() < 3 || out.back().text.size() > longest)
    return document_failure(out.back().number,
                            fmt::format("line {} is not numbered", out.back().number + 1));
  return out;
}

HF_NAMESPACE_END
