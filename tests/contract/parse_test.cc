// SPDX-License-Identifier: Apache-2.0
//
// The document parser on documents of our own: every layout in every form, what it refuses and at
// which line, and what it says of what it had to place. The published documents are in
// document_test.cc.
#include "contract/document/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/document/csv.h"
#include "tests/contract/synthetic_document.h"

namespace holdfast {
namespace {

using testing::HasSubstr;

void expect_whole(const std::string& text, const std::string& form) {
  const auto parsed = parse_document(text);
  ASSERT_TRUE(parsed) << form << ":" << parsed.error().line << ": " << parsed.error().what;
  EXPECT_EQ(rules_csv(*parsed), synthetic::rules_csv) << form;
  EXPECT_EQ(prototypes_csv(*parsed), synthetic::prototypes_csv) << form;
  EXPECT_EQ(parsed->form, form);
}

// The same with another text in place of one part.
std::string with(std::string text, const std::string& part, const std::string& other) {
  const size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return at == std::string::npos ? text : text.replace(at, part.size(), other);
}

void expect_error(const std::string& text, size_t line, const std::string& what) {
  const auto parsed = parse_document(text);
  ASSERT_FALSE(parsed) << "taken for a document, not refused with: " << what;
  EXPECT_EQ(parsed.error().line, line) << parsed.error().what;
  EXPECT_THAT(parsed.error().what, HasSubstr(what));
}

size_t line_with(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (const std::string& line : synthetic::lines_of(text)) {
    ++n;
    if (line.find(part) != std::string::npos) return n;
  }
  return 0;
}

TEST(document_parser, reads_every_layout_in_every_form) {
  using namespace synthetic;
  for (const std::string& text : {plain, rst}) {
    expect_whole(text, "the source");
    expect_whole(in_bars(text), "lines between bars");
    expect_whole(as_diff(text), "a diff");
    expect_whole(as_diff(collapsed(text)), "a diff");
    expect_whole(behind_page_header(text), "text behind a page header");
  }
  expect_whole(in_one_line(rst), "one line with line numbers");
  expect_whole(rendered, "a rendered page");
}

TEST(document_parser, takes_other_line_ends_and_a_byte_order_mark) {
  std::string text = "\xef\xbb\xbf";
  for (const std::string& line : synthetic::lines_of(synthetic::plain)) text += line + "\r\n";
  expect_whole(text, "the source");
  expect_whole(synthetic::plain.substr(0, synthetic::plain.size() - 1), "the source");
}

TEST(document_parser, keeps_the_lines_of_the_file) {
  const auto in_diff = parse_document(synthetic::as_diff(synthetic::plain));
  ASSERT_TRUE(in_diff);
  EXPECT_EQ(in_diff->tables[0].line, 5u + 3u);
  const auto numbered = parse_document(synthetic::in_one_line(synthetic::rst));
  ASSERT_TRUE(numbered);
  EXPECT_EQ(numbered->tables[0].line, line_with(synthetic::rst, "toy_operations"));
}

TEST(document_parser, says_what_it_placed_without_seeing_it) {
  const auto open = parse_document(synthetic::plain);
  ASSERT_TRUE(open);
  ASSERT_EQ(open->notes.size(), 1u);
  EXPECT_THAT(open->notes[0].says, HasSubstr("stop has no semicolon"));

  // One of two locks is held, and nothing tells which.
  const std::string two_locks =
      "toy_operations\xc2\xb6\nprototypes:\nint (*wind)(void);\nint (*turn)(void);\n"
      "ops |\na_lock |\nb_lock |\n---|---|---|\nwind: |\nyes |\n|\nturn: |\n|\nyes |\nend\n";
  const auto lost = parse_document(two_locks);
  ASSERT_TRUE(lost);
  EXPECT_EQ(rules_csv(*lost),
            "table,method,column,value\ntoy_operations,wind,a_lock,yes\n"
            "toy_operations,wind,b_lock,\ntoy_operations,turn,a_lock,\n"
            "toy_operations,turn,b_lock,yes\n");
  ASSERT_EQ(lost->notes.size(), 1u);
  EXPECT_EQ(lost->notes[0].line, 9u);
  EXPECT_THAT(lost->notes[0].says, HasSubstr("placed leftmost: \"yes\" under a_lock"));
}

TEST(document_parser, settled_rows_win_over_the_leftmost_place) {
  const std::string page =
      "address_space_operations\xc2\xb6\nprototypes:\nint (*readahead)(void);\n"
      "int (*write_end)(void);\nops |\nfolio locked |\ni_rwsem |\ninvalidate_lock |\n"
      "---|---|---|---|\nreadahead: |\nyes, unlocks |\nshared |\n|\n"
      "write_end: |\nyes, unlocks |\nexclusive |\nend\n";
  const auto parsed = parse_document(page);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_THAT(rules_csv(*parsed), HasSubstr("readahead,invalidate_lock,shared\n"));
  EXPECT_THAT(rules_csv(*parsed), HasSubstr("write_end,i_rwsem,exclusive\n"));
  EXPECT_EQ(parsed->notes.size(), 2u);
}

TEST(document_parser, headings_of_two_lines) {
  const std::string text =
      "---- toy_operations ----\nprototypes:\n\tint (*wind)(void);\nlocking rules:\n"
      "\tall may block\n\t\ttoy\t\tother\n\t\tlock\t\tlock\nwind:\t\tyes\t\tno\n";
  const auto parsed = parse_document(text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(parsed->tables[0].columns, (std::vector<std::string>{"toy lock", "other lock"}));
  const std::string table =
      "toy_operations\n==============\nprototypes::\n\n\tint (*wind)(void);\n\n"
      "=====  =====  =====\nops    toy    other\n       lock   lock\n=====  =====  =====\n"
      "wind:  yes    no\n              or so\n=====  =====  =====\n";
  const auto borders = parse_document(table);
  ASSERT_TRUE(borders) << borders.error().what;
  EXPECT_EQ(borders->tables[0].columns, (std::vector<std::string>{"toy lock", "other lock"}));
  EXPECT_EQ(borders->tables[0].rows[0].cells, (std::vector<std::string>{"yes", "no or so"}));
}

TEST(document_parser, collapsed_headings_that_fit_their_border_by_accident) {
  const std::string text =
      "1toy_operations 2============== 3prototypes:: 4 5 int (*mount) (int); 6 7======= ========= "
      "8ops may block 9======= ========= 10mount yes 11======= =========";
  const auto parsed = parse_document(text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(rules_csv(*parsed), "table,method,column,value\ntoy_operations,mount,may block,yes\n");
}

TEST(document_parser, a_row_that_does_not_keep_to_its_columns) {
  const std::string text =
      "toy_operations\n==============\nprototypes::\n\n\tint (*get_offset_toy)(void);\n\n"
      "==============\t======\nops\t\ttoy_lock\n==============\t======\n"
      "get_offset_toy: no\n==============\t======\n";
  const auto parsed = parse_document(text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_THAT(rules_csv(*parsed), HasSubstr("get_offset_toy,toy_lock,no\n"));
  ASSERT_EQ(parsed->notes.size(), 1u);
  EXPECT_EQ(parsed->notes[0].line, 10u);
}

TEST(document_parser, refuses_what_is_no_document) {
  expect_error("", 1, "empty");
  expect_error("\n \n\t\n", 1, "empty");
  expect_error("Some text.\nAnother line.\n", 1, "no table of operations");
  expect_error(std::string("one\ntwo\0three\n", 14), 2, "zero byte");
  expect_error(std::string((size_t{1} << 20) + 1, 'x'), 1, "too much");
}

TEST(document_parser, refuses_half_a_table) {
  using namespace synthetic;
  expect_error(with(plain, "unsigned int);\n", "unsigned int,\n\n"), line_with(plain, "(*wind)"),
               "prototype of wind is not finished");
  expect_error(with(plain, "\"mostly\" */", "mostly"), line_with(plain, "super_operations") - 1,
               "comment among prototypes has no end");
  expect_error(with(plain, "\t\ttoy_lock\t->t_lock\tmay block\trcu-walk\n", ""),
               line_with(plain, "wind:\t") - 1, "without headings");
  expect_error(with(plain, "turn\t\t", "wind\t\t"), line_with(plain, "turn\t"),
               "second row of wind");
  expect_error(with(plain, "(*stop)", "(*wind)"), line_with(plain, "(*stop)"),
               "second prototype of wind");
  expect_error(with(plain, "bin_operations", "super_operations"),
               line_with(plain, "bin_operations"), "second table super_operations");
  const std::string border = "==========  ========  ================\n";
  expect_error(with(rst, "(see below)\n" + border, "(see below)\n"),
               line_with(rst, border.substr(0, 30)), "has no end");
  expect_error(with(rst, "ops         s_umount  note\n", "ops         s_umount\n"),
               line_with(rst, border.substr(0, 30)), "2 headings over 3 columns");
  expect_error(with(rendered, "write |\n|\n", "write |\n"), line_with(rendered, "sync_toys: |") - 1,
               "a cell of put_toys is due here");
  expect_error(with(rendered, "---|---|---|\nmake", "---|---|\nmake"),
               line_with(rendered, "make_toys") - 1, "3 headings over 2 columns");
  // Found by mutation: a border without its last bar was read without end.
  expect_error(with(rendered, "---|---|---|\nmake", "---|---|---\nmake"),
               line_with(rendered, "s_umount |") - 1, "without a line between");
  // Found by fuzzing: headings and no row were an empty table.
  expect_error(with(rendered, "make_toys: |\n||\n", "\nmake_toys: |\n||\n"),
               line_with(rendered, "s_umount |") - 1, "a table without rows");
}

// Found by mutation: the first row's words fit no headings, and the table was left without rows.
TEST(document_parser, refuses_a_first_row_that_fits_no_headings) {
  expect_error(
      "---- toy_operations ----\nprototypes:\n int (*wind)(int);\nlocking rules:\n"
      " toy_lock may block\nwind is a word of some sentence\n",
      6, "can't be told apart");
}

TEST(document_parser, a_form_that_contradicts_itself_is_cut_off) {
  using namespace synthetic;
  const auto cut = [](const std::string& text, size_t lines) {
    const std::vector<std::string> all = lines_of(text);
    std::string out;
    for (size_t i = 0; i < lines && i < all.size(); ++i) out += all[i] + "\n";
    return out;
  };
  for (const std::string& text : {as_diff(plain), behind_page_header(plain)}) {
    const size_t all = lines_of(text).size();
    for (size_t n = 5; n + 1 < all; ++n) {
      const auto parsed = parse_document(cut(text, n));
      ASSERT_FALSE(parsed) << n << " of " << all << " lines are taken for the whole";
      EXPECT_GE(parsed.error().line, 1u);
      EXPECT_LE(parsed.error().line, n);
    }
  }
  expect_error(with(as_diff(plain), "+turn", " turn"), 5 + line_with(plain, "turn\t"), "ends here");
  expect_error(with(as_diff(plain), "@@ -0,0 +1,", "@@ -1,2 +1,"), 5, "adds the whole file");
  expect_error(with(in_bars(plain), "| wind:", "wind:"), line_with(plain, "wind:"), "between bars");
  expect_error(with(in_one_line(rst), " 20", " "), 19, "line 20 is not numbered");
}

TEST(document_csv, quotes_only_where_needed) {
  EXPECT_EQ(csv_field("plain (text)"), "plain (text)");
  EXPECT_EQ(csv_field("yes, unlocks"), "\"yes, unlocks\"");
  EXPECT_EQ(csv_field("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(csv_record({"a", "", "c"}), "a,,c\n");
  EXPECT_EQ(csv_record({"", "b"}), ",b\n");
}

}  // namespace
}  // namespace holdfast
