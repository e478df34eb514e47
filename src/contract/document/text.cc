// SPDX-License-Identifier: Apache-2.0
//
// Lines and words of a document; see text.h.
#include "contract/document/text.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr std::string_view no_break_space = "\xc2\xa0";

// The number of bytes of the blank at the start of s, 0 when there is none.
size_t blank_at(std::string_view s) {
  if (s.empty()) return 0;
  if (s.starts_with(no_break_space)) return no_break_space.size();
  const char c = s.front();
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' ? 1 : 0;
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string collapse_blanks(std::string_view s) {
  std::string out;
  bool gap = false;
  while (!s.empty()) {
    if (const size_t n = blank_at(s); n != 0) {
      gap = !out.empty();
      s.remove_prefix(n);
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += s.front();
    s.remove_prefix(1);
  }
  return out;
}

std::string_view trim_right(std::string_view s) {
  for (;;) {
    if (s.ends_with(no_break_space))
      s.remove_suffix(no_break_space.size());
    else if (!s.empty() && blank_at(s.substr(s.size() - 1)) != 0)
      s.remove_suffix(1);
    else
      return s;
  }
}

bool is_blank(std::string_view s) {
  return trim_right(s).empty();
}

bool starts_blank(std::string_view s) {
  return blank_at(s) != 0;
}

std::string expand_tabs(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    const size_t n = blank_at(s);
    if (s.front() == '\t')
      out.append(8 - out.size() % 8, ' ');
    else if (n != 0)
      out += ' ';
    else
      out += s.front();
    s.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::vector<placed_text> aligned_parts(std::string_view line, size_t from) {
  // A tab parts two texts even where it is as wide as one space, so it is looked for as a tab.
  std::vector<placed_text> parts;
  size_t column = 0;
  size_t gap = 2;  // blanks since the last text; a tab counts as two
  size_t i = 0;
  while (i < line.size()) {
    const size_t n = blank_at(line.substr(i));
    if (n != 0) {
      const bool tab = line[i] == '\t';
      column = tab ? column + 8 - column % 8 : column + 1;
      gap += tab ? 2 : 1;
      i += n;
      continue;
    }
    if (i < from) {
      ++i;
      ++column;
      gap = 2;
      continue;
    }
    if (gap >= 2 || parts.empty())
      parts.push_back({column, {}});
    else if (gap == 1)
      parts.back().text += ' ';
    gap = 0;
    parts.back().text += line[i];
    ++i;
    ++column;
  }
  return parts;
}

std::vector<std::string> words_of(std::string_view s) {
  std::vector<std::string> words;
  bool inside = false;
  while (!s.empty()) {
    if (const size_t n = blank_at(s); n != 0) {
      inside = false;
      s.remove_prefix(n);
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back() += s.front();
    s.remove_prefix(1);
  }
  return words;
}

std::string_view leading_identifier(std::string_view s) {
  size_t n = 0;
  while (n < s.size() && is_word_char(s[n])) ++n;
  if (n == 0 || (s.front() >= '0' && s.front() <= '9')) return {};
  return s.substr(0, n);
}

bool is_identifier(std::string_view s) {
  return !s.empty() && leading_identifier(s).size() == s.size();
}

std::string_view without_colon(std::string_view s) {
  s = trim_right(s);
  if (s.ends_with(':')) s.remove_suffix(1);
  return trim_right(s);
}

std::string lower_case(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

HF_NAMESPACE_END
