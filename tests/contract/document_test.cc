// SPDX-License-Identifier: Apache-2.0
//
// The rules of every edition against its published document, where the documents lie beside the
// checkout: tables, headings, rows, every cell and every prototype, verbatim but for white space.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "contract/document/compare.h"
#include "contract/document/csv.h"
#include "contract/document/from_rules.h"
#include "contract/document/parse.h"
#include "contract/editions.h"
#include "contract/native.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

struct published {
  const char* release;
  const char* file;
  const char* form;
  size_t records;  // method times column, counted in the document
  size_t prototypes;
};
constexpr published documents[] = {
    {"3.5", "003_36e925ecf3e04486.txt", "lines between bars", 182, 127},
    {"4.1", "002_97a8aa1eb4226f7e.txt", "a diff", 200, 133},
    {"4.4", "000_d77172fe4d096982.txt", "text behind a page header", 200, 133},
    {"5.6", "004_b933b54f55cbfbdc.txt", "one line with line numbers", 203, 132},
    {"6.6", "001_b3f8c31e868b09b0.txt", "a rendered page", 231, 138},
};

class document_test : public testing::TestWithParam<published> {
 protected:
  void SetUp() override {
    const fs::path seeds = fs::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "seeds";
    std::ifstream in(seeds / GetParam().file, std::ios::binary);
    if (!in)
      GTEST_SKIP() << "the document of release " << GetParam().release << " does not lie in "
                   << seeds.string();
    std::ostringstream text;
    text << in.rdbuf();
    auto parsed = parse_document(text.str());
    ASSERT_TRUE(parsed) << parsed.error().line << ": " << parsed.error().what;
    document = std::move(*parsed);
    const edition_rules* rules = find_edition(GetParam().release);
    ASSERT_NE(rules, nullptr);
    ours = document_of(*rules);
  }

  const document_table& table(const std::string& name) const {
    const auto at = std::find_if(document.tables.begin(), document.tables.end(),
                                 [&](const document_table& t) { return t.name == name; });
    EXPECT_NE(at, document.tables.end()) << name;
    return *at;
  }

  edition_document document;
  edition_document ours;
};

// One record a line, so that a difference is shown as one.
std::vector<std::string> records(const std::string& csv) {
  std::vector<std::string> out;
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST_P(document_test, every_cell_is_the_documents) {
  EXPECT_EQ(records(rules_csv(ours)), records(rules_csv(document)));
  EXPECT_EQ(records(rules_csv(document)).size(), GetParam().records + 1);
}

TEST_P(document_test, every_prototype_is_the_documents) {
  EXPECT_EQ(records(prototypes_csv(ours)), records(prototypes_csv(document)));
  EXPECT_EQ(records(prototypes_csv(document)).size(), GetParam().prototypes + 1);
}

TEST_P(document_test, tables_and_headings_are_the_documents) {
  EXPECT_EQ(document.form, GetParam().form);
  ASSERT_EQ(ours.tables.size(), document.tables.size());
  for (size_t t = 0; t < ours.tables.size(); ++t) {
    EXPECT_EQ(ours.tables[t].heading, document.tables[t].heading);
    EXPECT_EQ(ours.tables[t].columns, document.tables[t].columns) << ours.tables[t].name;
  }
  EXPECT_EQ(changes_csv(compare_editions(ours, document)), "change,table,method,column,old,new\n");
}

// Slips that a tidier parser would mend.
TEST_P(document_test, slips_are_kept) {
  const std::string release = GetParam().release;
  const std::string prototypes = prototypes_csv(document);
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(
      has(prototypes, "char *(*d_dname)((struct dentry *dentry, char *buffer, int buflen);"));
  EXPECT_EQ(has(prototypes, "struct nameid ata *);"), release == "3.5");
  EXPECT_EQ(has(prototypes, "sector_t *span)\""), release == "6.6");
  EXPECT_EQ(has(rules_csv(document), "maybe[1]_"), release == "5.6" || release == "6.6");
  EXPECT_FALSE(has(prototypes, "callback"));  // comments are no part of a prototype
  EXPECT_EQ(table("super_operations").columns.back(), "note");
  EXPECT_TRUE(table("buffer_head").rows.empty());
  EXPECT_TRUE(table("file_operations").rows.empty());
  const bool bars_say_nothing_lost = release == "3.5" || release == "4.4";
  EXPECT_EQ(document.notes.empty(), bars_say_nothing_lost);
}

INSTANTIATE_TEST_SUITE_P(editions, document_test, testing::ValuesIn(documents),
                         [](const testing::TestParamInfo<published>& p) {
                           std::string name = p.param.release;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return "release_" + name;
                         });

// The order of blank cells is lost in the page; which columns these stand under was settled
// elsewhere.
TEST(native_rules_test, cells_whose_column_the_page_lost) {
  const auto text = [](method_id m, column c) { return native.cells[cell_of(m, c)].text; };
  EXPECT_EQ(text(method_id::super_free_inode, column::note), "called from RCU callback");
  EXPECT_EQ(text(method_id::super_free_inode, column::s_umount), "");
  EXPECT_EQ(text(method_id::super_drop_inode, column::note), "!!!inode->i_lock!!!");
  EXPECT_EQ(text(method_id::aops_read_folio, column::invalidate_lock), "shared");
  EXPECT_EQ(text(method_id::aops_readahead, column::invalidate_lock), "shared");
  EXPECT_EQ(text(method_id::aops_invalidate_folio, column::invalidate_lock), "exclusive");
  EXPECT_EQ(text(method_id::aops_write_begin, column::i_rwsem), "exclusive");
  EXPECT_EQ(text(method_id::aops_write_end, column::i_rwsem), "exclusive");
}

TEST(native_rules_test, every_prose_rule_says_how_or_why_not) {
  EXPECT_EQ(native.prose.size(), 97u);
  for (const prose_rule& p : native.prose) {
    EXPECT_FALSE(p.says.empty()) << p.id;
    EXPECT_FALSE(p.how.empty()) << p.id;
  }
}

// --- what differs between editions ---

bool has_change(const std::vector<edition_change>& changes, change_kind kind,
                const std::string& table, const std::string& method, const std::string& from,
                const std::string& to) {
  return std::any_of(changes.begin(), changes.end(), [&](const edition_change& c) {
    return c.kind == kind && c.table == table && c.method == method && c.from == from && c.to == to;
  });
}

// What programs get says of every name whether it came or went, renamed or not.
TEST(edition_comparison, spells_out_which_names_came_and_went) {
  const auto names = [](const edition_document& e) {
    std::set<std::string> out;
    for (const document_table& t : e.tables) {
      for (const document_row& r : t.rows) out.insert(t.name + '.' + r.method);
      for (const document_prototype& p : t.prototypes) out.insert(t.name + '.' + p.method);
    }
    return out;
  };
  for (const edition_rules* a : editions())
    for (const edition_rules* b : editions()) {
      SCOPED_TRACE(std::string(a->release) + " to " + std::string(b->release));
      const edition_document older = document_of(*a);
      const edition_document newer = document_of(*b);
      std::set<std::string> came;
      std::set<std::string> went;
      for (const edition_change& c :
           with_names_that_went(compare_editions(older, newer), older, newer)) {
        if (c.kind == change_kind::method_added) came.insert(c.table + '.' + c.method);
        if (c.kind == change_kind::method_removed) went.insert(c.table + '.' + c.method);
      }
      const std::set<std::string> before = names(older);
      const std::set<std::string> after = names(newer);
      for (const std::string& n : after)
        EXPECT_TRUE(before.contains(n) || came.contains(n)) << n << " came";
      for (const std::string& n : before)
        EXPECT_TRUE(after.contains(n) || went.contains(n)) << n << " went";
      for (const std::string& n : went) EXPECT_TRUE(before.contains(n)) << n;
      for (const std::string& n : came) EXPECT_TRUE(after.contains(n)) << n;
    }
}

TEST(edition_comparison, follows_methods_to_their_new_names) {
  const auto changes =
      compare_editions(document_of(*find_edition("4.1")), document_of(*find_edition("6.6")));
  const std::string aops = "address_space_operations";
  EXPECT_TRUE(has_change(changes, change_kind::method_renamed, aops, "read_folio", "readpage",
                         "read_folio"));
  EXPECT_TRUE(has_change(changes, change_kind::cell_changed, aops, "dirty_folio", "no", "maybe"));
  EXPECT_TRUE(has_change(changes, change_kind::column_renamed, aops, "", "i_mutex", "i_rwsem"));
  EXPECT_TRUE(has_change(changes, change_kind::column_added, aops, "", "", "invalidate_lock"));
  // get_acl of 4.1 is get_inode_acl; the get_acl of 6.6 is another method.
  EXPECT_TRUE(has_change(changes, change_kind::method_renamed, "inode_operations", "get_inode_acl",
                         "get_acl", "get_inode_acl"));
  EXPECT_TRUE(
      has_change(changes, change_kind::method_added, "inode_operations", "get_acl", "", "get_acl"));
  EXPECT_TRUE(has_change(changes, change_kind::method_removed, "inode_operations", "setxattr",
                         "setxattr", "xattr_handler.set"));
  EXPECT_TRUE(has_change(changes, change_kind::method_removed, aops, "sync_page", "sync_page", ""));
  EXPECT_TRUE(has_change(changes, change_kind::cell_changed, "inode_operations", "create", "yes",
                         "exclusive"));
  EXPECT_TRUE(has_change(changes, change_kind::table_added, "xattr_handler", "", "",
                         "xattr_handler operations"));
}

TEST(edition_comparison, rows_of_4_1_and_4_4_are_equal) {
  for (const edition_change& c :
       compare_editions(document_of(*find_edition("4.1")), document_of(*find_edition("4.4"))))
    EXPECT_EQ(c.kind, change_kind::prototype_changed) << c.table << "." << c.method;
}

TEST(edition_comparison, an_edition_is_equal_to_itself) {
  for (const edition_rules* e : editions())
    EXPECT_TRUE(compare_editions(document_of(*e), document_of(*e)).empty()) << e->release;
}

}  // namespace
}  // namespace holdfast
