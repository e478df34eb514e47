// SPDX-License-Identifier: Apache-2.0
//
// The script of `holdfast explain`: words, tasks, barriers.
#include <cctype>

#include "app/errors.h"
#include "app/explain.h"

namespace holdfast::app {
namespace {

// Words and the separators ';' '|' of one line; separators are tokens of their own.
struct token {
  std::string text;
  bool separator = false;
};

std::vector<token> tokens_of(const std::string& line) {
  std::vector<token> out;
  std::string word;
  bool open = false;  // a word has begun, maybe an empty quoted one
  char quote = 0;
  auto end_word = [&] {
    if (open) out.push_back({word, false});
    word.clear();
    open = false;
  };
  for (char c : line) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c == '#' && !open) {
      break;
    } else if (c == ';' || c == '|') {
      end_word();
      out.push_back({std::string(1, c), true});
    } else if (isspace(static_cast<unsigned char>(c)) != 0) {
      end_word();
    } else {
      word += c;
      open = true;
    }
  }
  if (quote != 0) throw user_error("a quotation mark is not closed in: " + line);
  end_word();
  return out;
}

bool is_task_name(const std::string& word) {
  if (word.size() < 2 || word.back() != ':') return false;
  for (char c : word.substr(0, word.size() - 1))
    if (isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-') return false;
  return true;
}

}  // namespace

std::vector<script_stage> parse_script(const std::string& text) {
  std::vector<script_stage> stages(1);
  size_t at = 0;
  while (at <= text.size()) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    std::string task = "t1";
    script_operation op;
    auto end_operation = [&] {
      if (op.words.empty()) return;
      if (op.words.size() == 1 && op.words[0] == "wait") {
        if (!stages.back().empty()) stages.emplace_back();
      } else {
        op.task = task;
        for (const std::string& w : op.words) op.text += (op.text.empty() ? "" : " ") + w;
        stages.back().push_back(op);
      }
      op = {};
    };
    for (const token& t : tokens_of(line)) {
      if (t.separator) {
        end_operation();
        if (t.text == "|" && !stages.back().empty()) stages.emplace_back();
      } else if (op.words.empty() && is_task_name(t.text)) {
        task = t.text.substr(0, t.text.size() - 1);
      } else {
        op.words.push_back(t.text);
      }
    }
    end_operation();
  }
  if (stages.back().empty()) stages.pop_back();
  if (stages.empty()) throw user_error("the script holds no operation");
  return stages;
}

}  // namespace holdfast::app
