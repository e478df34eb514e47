// SPDX-License-Identifier: Apache-2.0
//
// C prototypes of one table.
//
// 1. A prototype begins with "type (*method)(" and ends with a semicolon. One that lacks it ends
//    where the next begins, if its parentheses are closed; a note says so.
// 2. Comments are no part of it. Lines are joined with one space, nothing else is mended.
// 3. A prototype that is not finished, or stands outside of the list, is an error.
#include <fmt/format.h>

#include "contract/document/section.h"

HF_NAMESPACE_BEGIN
namespace {

// The name in the first "(*name)" of the text; empty when there is none.
std::string_view pointer_name(std::string_view text) {
  const size_t star = text.find("(*");
  if (star == std::string_view::npos) return {};
  std::string_view s = text.substr(star + 2);
  while (starts_blank(s)) s.remove_prefix(1);
  const std::string_view name = leading_identifier(s);
  s.remove_prefix(name.size());
  while (starts_blank(s)) s.remove_prefix(1);
  return s.starts_with(')') ? name : std::string_view{};
}

int open_parentheses(std::string_view text) {
  int depth = 0;
  for (const char c : text) depth += c == '(' ? 1 : c == ')' ? -1 : 0;
  return depth;
}

class prototype_reader {
 public:
  prototype_reader(std::vector<document_prototype>& out, std::vector<document_note>& notes)
      : out_(out), notes_(notes) {}

  // False: the line is no part of the list.
  std::expected<bool, document_error> take(const text_line& line) {
    bool commented = in_comment_;
    const std::string kept = without_comments(line.text, commented);
    std::string_view text = kept;
    if (is_blank(text) && commented) return true;
    if (const auto ended = end_unfinished(text, line.number); !ended)
      return std::unexpected(ended.error());
    while (!is_blank(text)) {
      if (pending_.empty()) {
        const std::string bare = collapse_blanks(text);
        if (bare == "};" || bare == "}") return true;  // the end of a struct that never began
        if (!looks_like_prototype(bare)) return false;
        line_ = line.number;
      }
      const size_t end = text.find(';');
      pending_ += ' ';
      pending_ += text.substr(0, end);
      if (end == std::string::npos) return true;
      pending_ += ';';
      finish();
      text.remove_prefix(end + 1);
    }
    return true;
  }

  std::expected<void, document_error> end(size_t line) { return end_unfinished({}, line); }
  bool in_comment() const { return in_comment_; }

 private:
  std::string without_comments(std::string_view s, bool& commented) {
    std::string out;
    while (!s.empty()) {
      const size_t at = s.find(in_comment_ ? "*/" : "/*");
      commented = commented || at != std::string_view::npos;
      if (!in_comment_) out += s.substr(0, at);
      if (at == std::string_view::npos) break;
      if (!in_comment_) out += ' ';
      in_comment_ = !in_comment_;
      s.remove_prefix(at + 2);
    }
    return out;
  }

  // A prototype without semicolon, when `text` can't continue it.
  std::expected<void, document_error> end_unfinished(std::string_view text, size_t) {
    if (pending_.empty()) return {};
    const bool next = looks_like_prototype(collapse_blanks(text)) && !trimmed_ends_with(',');
    const bool over = is_blank(text) || lower_case(collapse_blanks(text)).ends_with("rules:");
    if (!next && !over) return {};
    if (open_parentheses(pending_) != 0)
      return document_failure(
          line_, fmt::format("the prototype of {} is not finished", pointer_name(pending_)));
    notes_.push_back(
        {line_, fmt::format("the prototype of {} has no semicolon", pointer_name(pending_))});
    finish();
    return {};
  }
  bool trimmed_ends_with(char c) const { return trim_right(pending_).ends_with(c); }

  void finish() {
    std::string text = collapse_blanks(pending_);
    pending_.clear();
    std::string name(pointer_name(text));
    out_.push_back({std::move(name), std::move(text), line_});
  }

  std::vector<document_prototype>& out_;
  std::vector<document_note>& notes_;
  std::string pending_;
  size_t line_ = 0;
  bool in_comment_ = false;
};

bool is_prototypes_head(std::string_view line) {
  const std::string low = lower_case(collapse_blanks(line));
  return low == "prototypes:" || low == "prototypes::" || low == "prototypes";
}

}  // namespace

bool looks_like_prototype(std::string_view text) {
  return !leading_identifier(text).empty() && !pointer_name(text).empty() &&
         text.find(')', text.find("(*")) + 1 < text.size() &&
         text.substr(0, text.find("(*")).find_first_of(".;:,\"") == std::string_view::npos;
}

or_document_error<prototypes_read> read_prototypes(const document_section& section,
                                                   std::vector<document_note>& notes) {
  prototypes_read out;
  size_t i = 0;
  while (i < section.lines.size() && !is_prototypes_head(section.lines[i].text)) ++i;
  out.headed = i < section.lines.size();
  out.rest = section.lines;
  if (!out.headed) return out;
  const size_t head = section.lines[i].number;
  ++i;
  prototype_reader reader(out.prototypes, notes);
  size_t last = head;
  for (; i < section.lines.size(); ++i) {
    last = section.lines[i].number;
    const auto taken = reader.take(section.lines[i]);
    if (!taken) return std::unexpected(taken.error());
    if (!*taken && !is_blank(section.lines[i].text)) break;
  }
  if (const auto ended = reader.end(last); !ended) return std::unexpected(ended.error());
  if (reader.in_comment()) return document_failure(last, "a comment among prototypes has no end");
  if (out.prototypes.empty())
    return document_failure(head, fmt::format("{} has no prototype", section.heading));
  // The layouts look for each row's method among them.
  constexpr size_t max_prototypes = 400;
  if (out.prototypes.size() > max_prototypes)
    return document_failure(
        head, fmt::format("{} has more than {} prototypes", section.heading, max_prototypes));
  out.rest = section.lines.subspan(i);
  for (const text_line& line : out.rest) {
    const std::string text = collapse_blanks(line.text);
    if (looks_like_prototype(text) && (text.ends_with(';') || text.ends_with(',')))
      return document_failure(line.number, "a prototype outside of the list of prototypes");
  }
  return out;
}

HF_NAMESPACE_END
