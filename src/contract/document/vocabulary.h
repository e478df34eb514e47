// SPDX-License-Identifier: Apache-2.0
//
// What the parser knows of the documents' wording. It is needed only where a form lost the columns:
// tabs collapsed to one space, or blank cells dropped.
//
// 1. A placement that the wording alone does not decide is reported as a note; what a row's own
//    release settles (settled_rows) wins over it.
// 2. Knowledge is of headings, kinds of cells and settled rows; no cell of an edition is in here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contract/document/text.h"
#include "contract/rule.h"

HF_NAMESPACE_BEGIN

column_kind kind_of_heading(std::string_view heading);
// "rename_lock ->d_lock may block" parted into its headings: known ones of several words, else
// words.
std::vector<std::string> part_headings(const std::vector<std::string>& words);
// Whether a cell under that heading can say `value`.
bool can_hold(std::string_view heading, std::string_view value);
// More columns than any table has are no table.
inline constexpr size_t max_columns = 32;
// The tables that the documents of all releases have.
bool is_known_table(std::string_view name);

struct row_place {
  std::string_view table;
  std::string_view method;
  std::span<const std::string> columns;
  size_t line;
};

// Values whose columns got lost, in order, put under the columns. When there are fewer values than
// columns a note says by what they were placed.
std::vector<std::string> place_values(const row_place& row, std::span<const std::string> values,
                                      std::vector<document_note>& notes);
// The same where the borders between the values got lost too. Fails when the words are no values.
or_document_error<std::vector<std::string>> place_words(const row_place& row,
                                                        const std::vector<std::string>& words,
                                                        std::vector<document_note>& notes);

HF_NAMESPACE_END
