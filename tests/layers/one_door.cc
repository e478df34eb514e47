// SPDX-License-Identifier: Apache-2.0
// One door: a call through a function pointer loses the static lock annotations and passes no gate,
// so methods of operation tables are called by the dispatchers alone. Outside them a method may be
// compared (is it null, is it that function) and a whole table may be handed from object to object;
// a method that is called, copied into a variable or passed on is a finding, and so is a variable
// that stands for a table.
#include <algorithm>
#include <regex>

#include "checker.h"

namespace holdfast::layers {
namespace {

// Members that hold a table.
#define HOLDFAST_TABLE_MEMBERS \
  "(?:i_op|i_fop|d_op|s_op|s_d_op|f_op|a_ops|dq_op|s_qcop|s_export_op|fl_ops|fl_lmops|vm_ops)"

struct pattern {
  std::regex regex;
  const char* what;
};

const std::vector<pattern>& patterns() {
  static const std::vector<pattern> table = {
      // x.i_op->lookup followed by anything but a comparison. `!x.i_op->lookup` and
      // `if (x.i_op->lookup)` are comparisons with null as well; see is_null_test().
      {std::regex(R"(\b)" HOLDFAST_TABLE_MEMBERS
                  R"((?:\.load\([^)]*\)|\(\))?\s*(?:->|\.)\s*(?!load\b|store\b)\w+\b(?!\s*[!=]=))"),
       "uses a method of an operation table"},
      // = *inode.i_op, unless a table member is what is assigned to.
      {std::regex(R"([^=!<>]=\s*[^=;,{}()]*(?:->|\.)\s*)" HOLDFAST_TABLE_MEMBERS R"(\s*[;,)])"),
       "gives an operation table another name"},
      {std::regex(R"(\b\w*type\w*(?:\(\))?\s*(?:->|\.)\s*(?:mount|init_fs_context)\s*\()"),
       "calls a method of a file system type"},
      {std::regex(R"((?:->|\.)\s*kill_sb\s*\()"), "calls a method of a file system type"},
      {std::regex(
           R"(\b(?:\w*handlers?|xh)(?:\[[^\]]*\])?\s*(?:->|\.)\s*(?:get|set|list)\s*\(\s*[^)\s])"),
       "calls a method of an xattr handler"},
      {std::regex(R"(\b(?:fc|fsc|\w*context)\s*(?:->|\.)\s*ops\s*(?:->|\.)\s*\w+\s*\()"),
       "calls a method of a mount context"},
  };
  return table;
}

bool is_null_test(const std::string& code, size_t begin, size_t end) {
  size_t after = code.find_first_not_of(" \t\n", end);
  if (after == std::string::npos) return false;
  // Back over the object expression to what stands before it.
  size_t before = begin;
  while (before > 0) {
    auto c = static_cast<unsigned char>(code[before - 1]);
    if (isalnum(c) == 0 && c != '_' && c != '.' && c != '>' && c != '-') break;
    --before;
  }
  size_t last = before == 0 ? std::string::npos : code.find_last_not_of(" \t\n", before - 1);
  if (last == std::string::npos) return false;
  bool stands_alone =
      code[after] == ')' || code.compare(after, 2, "&&") == 0 || code.compare(after, 2, "||") == 0;
  if (!stands_alone) return false;
  if (code[last] == '!') return true;
  if (last > 0 && (code.compare(last - 1, 2, "&&") == 0 || code.compare(last - 1, 2, "||") == 0)) {
    return true;
  }
  if (code[last] != '(') return false;
  size_t word_end = code.find_last_not_of(" \t\n", last == 0 ? 0 : last - 1);
  return word_end != std::string::npos && word_end > 0 &&
         (code.compare(word_end - 1, 2, "if") == 0 ||
          (word_end >= 4 && code.compare(word_end - 4, 5, "while") == 0));
}

// Does the assignment at `at` store into a table member itself?
bool assigns_table(const std::string& code, size_t at) {
  static const std::regex target(HOLDFAST_TABLE_MEMBERS R"(\s*$)");
  size_t start = code.find_last_of(";{}", at);
  start = start == std::string::npos ? 0 : start + 1;
  return std::regex_search(code.substr(start, at + 1 - start), target);
}

}  // namespace

std::vector<finding> check_one_door(const std::string& path, std::string_view text) {
  std::vector<finding> found;
  if (path.starts_with("src/core/dispatch/")) return found;
  std::string code = blank_out(text, false);
  for (const pattern& wanted : patterns()) {
    bool reads_method = &wanted == &patterns()[0];
    bool renames_table = &wanted == &patterns()[1];
    for (std::sregex_iterator it(code.begin(), code.end(), wanted.regex), end; it != end; ++it) {
      auto begin = static_cast<size_t>(it->position());
      size_t stop = begin + static_cast<size_t>(it->length());
      if (reads_method && is_null_test(code, begin, stop)) continue;
      if (renames_table && assigns_table(code, begin)) continue;
      auto line = 1 + std::count(code.begin(), code.begin() + it->position(), '\n');
      found.push_back({path, static_cast<int>(line),
                       std::string(wanted.what) + " outside the dispatchers: " + it->str()});
    }
  }
  return found;
}

}  // namespace holdfast::layers
