// SPDX-License-Identifier: Apache-2.0
//
// Headings and the cells that can stand under them; see vocabulary.h.
#include "contract/document/vocabulary.h"

#include <algorithm>

HF_NAMESPACE_BEGIN
namespace {

struct known_heading {
  std::string_view text;
  column_kind kind;
};
// Those of several words, and those that are no locks. Everything else is a word and a lock.
constexpr known_heading known_headings[] = {
    {"may block", column_kind::may_block}, {"rcu-walk", column_kind::rcu_walk},
    {"FS recursion", column_kind::flag},   {"Held locks when called", column_kind::names},
    {"folio locked", column_kind::lock},   {"page locked", column_kind::lock},
    {unheaded_column, column_kind::note},
};

constexpr std::string_view lock_states[] = {
    "yes",   "no",         "maybe",      "shared", "exclusive",       "read",
    "write", "read/write", "maybe-read", "?",      "no or exclusive", "shared or exclusive",
};
// Only of the lock of a page or folio.
constexpr std::string_view page_states[] = {
    "yes, unlocks",
    "locks the page",
    "locks the folio",
    "can return with page locked",
    "can return with folio locked",
};
constexpr std::string_view answers[] = {"yes", "no", "maybe"};

template <size_t N>
bool is_one_of(std::string_view s, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), s) != std::end(list);
}

// The value without footnote marks and remarks in parentheses at its end.
std::string_view without_remarks(std::string_view s) {
  for (;;) {
    s = trim_right(s);
    std::string_view bare = s;
    if (bare.ends_with("]_")) bare.remove_suffix(1);
    const char close = bare.empty() ? ' ' : bare.back();
    if (close != ')' && close != ']') return s;
    const size_t open = bare.rfind(close == ')' ? '(' : '[');
    if (open == std::string_view::npos) return s;
    s = s.substr(0, open);
  }
}

// "a_sem or b_sem", "-"
bool names_locks(std::string_view value) {
  if (value == "-") return true;
  bool name_is_next = true;
  for (const std::string& word : words_of(value)) {
    if (name_is_next != (word != "or")) return false;
    if (name_is_next && (!is_identifier(word) || word.find('_') == std::string::npos)) return false;
    name_is_next = !name_is_next;
  }
  return !name_is_next;
}

bool is_remark(std::string_view value) {
  return (value.starts_with('(') && value.ends_with(')')) ||
         (value.size() > 6 && value.starts_with("!!!") && value.ends_with("!!!")) ||
         value.starts_with("called from ");
}

bool is_page_heading(std::string_view heading) {
  const std::string low = lower_case(heading);
  return low.find("page") != std::string::npos || low.find("folio") != std::string::npos;
}

}  // namespace

column_kind kind_of_heading(std::string_view heading) {
  for (const known_heading& h : known_headings)
    if (h.text == heading) return h.kind;
  return column_kind::lock;
}

std::vector<std::string> part_headings(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (size_t i = 0; i < words.size();) {
    size_t taken = 1;
    std::string heading = words[i];
    for (const known_heading& h : known_headings) {
      const std::vector<std::string> parts = words_of(h.text);
      if (parts.size() > 1 && parts.size() <= words.size() - i &&
          std::equal(parts.begin(), parts.end(), words.begin() + static_cast<std::ptrdiff_t>(i))) {
        taken = parts.size();
        heading = h.text;
      }
    }
    out.push_back(std::move(heading));
    i += taken;
  }
  return out;
}

bool can_hold(std::string_view heading, std::string_view value) {
  const column_kind kind = kind_of_heading(heading);
  if (kind == column_kind::note) return is_remark(value);
  if (kind == column_kind::names) return names_locks(value);
  const std::string_view bare = without_remarks(value);
  if (kind == column_kind::lock)
    return is_one_of(bare, lock_states) ||
           (is_page_heading(heading) && is_one_of(bare, page_states));
  return is_one_of(bare, answers);
}

bool is_known_table(std::string_view name) {
  return std::find(std::begin(table_names), std::end(table_names), name) != std::end(table_names);
}

HF_NAMESPACE_END
