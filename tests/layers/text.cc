// SPDX-License-Identifier: Apache-2.0
// Reading sources: comments and literals blanked out, files listed, form checked.
#include <algorithm>
#include <filesystem>

#include "checker.h"

namespace holdfast::layers {
namespace {

constexpr int max_lines = 600;

// Length of the literal or comment that starts at `at`, 0 if none does.
size_t token_length(std::string_view text, size_t at, bool& is_comment) {
  auto until = [&](std::string_view end, size_t from) {
    size_t found = text.find(end, from);
    return (found == std::string_view::npos ? text.size() : found + end.size()) - at;
  };
  is_comment = true;
  if (text.substr(at, 2) == "//") {
    size_t end = text.find('\n', at);
    return (end == std::string_view::npos ? text.size() : end) - at;
  }
  if (text.substr(at, 2) == "/*") return until("*/", at + 2);
  is_comment = false;
  if (text.substr(at, 2) == "R\"") {
    size_t open = text.find('(', at);
    if (open == std::string_view::npos) return 0;
    return until(")" + std::string(text.substr(at + 2, open - at - 2)) + "\"", open);
  }
  char quote = text[at];
  if (quote != '"' && quote != '\'') return 0;
  // 1'000 has a separator, not a literal.
  if (quote == '\'' && at > 0 && isalnum(static_cast<unsigned char>(text[at - 1])) != 0) return 0;
  size_t end = at + 1;
  while (end < text.size() && text[end] != quote && text[end] != '\n') {
    end += text[end] == '\\' ? 2 : 1;
  }
  return std::min(end + 1, text.size()) - at;
}

}  // namespace

std::string blank_out(std::string_view text, bool keep_strings) {
  std::string out(text);
  for (size_t at = 0; at < out.size();) {
    bool is_comment = false;
    size_t length = token_length(text, at, is_comment);
    if (length == 0) {
      ++at;
      continue;
    }
    if (is_comment || !keep_strings) {
      for (size_t i = at; i < at + length; ++i) {
        if (out[i] != '\n') out[i] = ' ';
      }
    }
    at += length;
  }
  return out;
}

std::vector<std::string> source_files(const std::string& root, const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  fs::path top = fs::path(root) / folder;
  if (!fs::is_directory(top)) return found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top)) {
    std::string suffix = entry.path().extension().string();
    if (entry.is_regular_file() && (suffix == ".h" || suffix == ".cc")) {
      found.push_back(fs::relative(entry.path(), root).generic_string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<finding> check_form(const std::string& path, std::string_view text) {
  std::vector<finding> found;
  if (!text.starts_with("// SPDX-License-Identifier: Apache-2.0\n")) {
    found.push_back({path, 1, "the first line is not the licence line"});
  }
  auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  if (lines > max_lines) {
    found.push_back({path, lines, "longer than " + std::to_string(max_lines) + " lines"});
  }
  return found;
}

}  // namespace holdfast::layers
