// SPDX-License-Identifier: Apache-2.0
//
// The forms in which the document survives, and the way back to its source lines.
//
// 1. unwrap() finds the form by what only that form has, takes it off, and keeps each line's
// number.
// 2. Each form states how many lines there are, or marks every line; a text that contradicts its
// own
//    form is an error, so a document that was cut off is not taken for a shorter one.
// 3. A rendered page is left as it is: its lines are not the source's, and it has a layout of its
// own.
#pragma once

#include <string_view>

#include "contract/document/text.h"

HF_NAMESPACE_BEGIN

enum class document_form : uint8_t {
  source,       // plain text or reStructuredText, as in a kernel tree
  bars,         // each line between bars
  diff,         // a diff that adds the whole file
  page_header,  // a title, a line of all line numbers, then the text
  one_line,     // a single line, each source line behind its number
  rendered,     // a rendered page
};

// "a diff", for people; "the source" for source.
std::string_view name_of(document_form f);

struct unwrapped_text {
  document_form form = document_form::source;
  text_lines lines;
  std::vector<document_note> notes;
};

// A document is never larger than this; more is refused, so that time stays bounded.
inline constexpr size_t max_document_size = size_t{1} << 20;
inline constexpr size_t max_line_length = 8192;

or_document_error<unwrapped_text> unwrap(std::string_view text);

// The unwrappers, each for a text of its form.
or_document_error<text_lines> unwrap_bars(const text_lines& lines);
or_document_error<text_lines> unwrap_diff(const text_lines& lines);
or_document_error<text_lines> unwrap_page_header(const text_lines& lines);
or_document_error<text_lines> unwrap_one_line(std::string_view text,
                                              std::vector<document_note>& notes);

HF_NAMESPACE_END
