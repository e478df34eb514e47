// SPDX-License-Identifier: Apache-2.0
//
// Lines and words of a document.
//
// 1. Blank is space, tab, carriage return, form feed, vertical tab, and the no-break space in
// UTF-8.
// 2. A text_line keeps the number of the line it came from, whatever was taken off around it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "contract/document/model.h"

HF_NAMESPACE_BEGIN

struct text_line {
  size_t number = 0;
  std::string text;
};
using text_lines = std::vector<text_line>;

// A part of a line, and the position at which it starts once tabs are expanded.
struct placed_text {
  size_t start = 0;
  std::string text;
};

// Runs of blanks become one space, none at the ends.
std::string collapse_blanks(std::string_view s);
std::string_view trim_right(std::string_view s);
bool is_blank(std::string_view s);
bool starts_blank(std::string_view s);
// Tabs to the next multiple of eight.
std::string expand_tabs(std::string_view s);
// The parts between runs of two blanks and more, or a tab. `from` is where the line's text begins.
std::vector<placed_text> aligned_parts(std::string_view line, size_t from = 0);
std::vector<std::string> words_of(std::string_view s);
// The C identifier at the start of s; empty when there is none.
std::string_view leading_identifier(std::string_view s);
bool is_identifier(std::string_view s);
// "d_hash" of "d_hash" and of "d_hash:".
std::string_view without_colon(std::string_view s);
std::string lower_case(std::string_view s);

HF_NAMESPACE_END
