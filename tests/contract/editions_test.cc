// SPDX-License-Identifier: Apache-2.0
//
// All editions hang together: the numbers are those of the documents, and what one list of an
// edition says of another is there.
#include "contract/editions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "contract/native.h"

namespace holdfast {
namespace {

using table_counts = std::array<size_t, table_count>;
using section_counts = std::array<size_t, section_count>;

// Counted in the documents, table by table.
struct published_counts {
  const char* release;
  table_counts columns, rows, prototypes;
  section_counts prose;
};
constexpr published_counts published[] = {
    {"3.5",
     {4, 1, 0, 2, 1, 2, 2, 2, 0, 1, 0, 2, 2},
     {10, 22, 0, 18, 2, 18, 2, 6, 0, 10, 0, 5, 5},
     {9, 22, 0, 18, 3, 18, 2, 6, 1, 10, 28, 5, 5},
     {3, 1, 7, 0, 7, 2, 33, 0, 1, 3, 2, 10, 3, 5}},
    {"4.1",
     {4, 1, 0, 2, 1, 2, 2, 3, 0, 1, 0, 2, 2},
     {11, 26, 0, 17, 2, 19, 2, 6, 0, 10, 0, 5, 7},
     {10, 27, 0, 17, 2, 19, 2, 6, 1, 10, 28, 5, 6},
     {3, 1, 5, 0, 7, 2, 36, 2, 4, 3, 2, 9, 3, 10}},
    {"4.4",
     {4, 1, 0, 2, 1, 2, 2, 3, 0, 1, 0, 2, 2},
     {11, 26, 0, 17, 2, 19, 2, 6, 0, 10, 0, 5, 7},
     {10, 27, 0, 17, 2, 19, 2, 6, 1, 10, 28, 5, 6},
     {3, 1, 5, 0, 7, 2, 36, 2, 4, 3, 2, 9, 3, 10}},
    {"5.6",
     {4, 1, 1, 2, 1, 2, 2, 3, 0, 1, 0, 2, 2},
     {13, 20, 3, 18, 2, 20, 2, 4, 0, 10, 0, 5, 7},
     {12, 21, 3, 18, 2, 20, 2, 4, 1, 10, 28, 5, 6},
     {3, 1, 6, 1, 8, 2, 35, 2, 1, 3, 2, 11, 3, 10}},
    {"6.6",
     {4, 1, 1, 2, 1, 3, 2, 3, 0, 1, 0, 2, 2},
     {13, 24, 3, 17, 2, 19, 2, 7, 0, 8, 0, 5, 8},
     {12, 25, 3, 17, 2, 19, 2, 7, 1, 8, 29, 5, 8},
     {3, 1, 9, 1, 7, 2, 38, 1, 1, 3, 1, 14, 3, 13}},
};

template <class List>
table_counts per_table(const List& list) {
  table_counts n{};
  for (const auto& x : list) ++n[static_cast<size_t>(x.table)];
  return n;
}

bool has_method(const edition_rules& e, table_id t, std::string_view method) {
  const auto same = [&](const auto& x) { return x.table == t && x.method == method; };
  return std::any_of(e.rows.begin(), e.rows.end(), same) ||
         std::any_of(e.prototypes.begin(), e.prototypes.end(), same);
}

bool has_column(const edition_rules& e, table_id t, column id) {
  return std::any_of(e.columns.begin(), e.columns.end(),
                     [&](const rule_column& c) { return c.table == t && c.id == id; });
}

const prose_rule* find_rule(const edition_rules& e, std::string_view id) {
  for (const prose_rule& p : e.prose)
    if (p.id == id) return &p;
  return nullptr;
}

// "yes | no | ..." or nothing when there is no such row.
std::string row_text(const char* release, table_id t, std::string_view method) {
  const edition_rules& e = *find_edition(release);
  std::string text;
  for (const rule_row& r : e.rows)
    if (r.table == t && r.method == method)
      for (const rule_cell& c : e.cells.subspan(r.first_cell, r.cell_count))
        text += (text.empty() ? "|" : "") + std::string(c.text) + "|";
  return text;
}

TEST(editions_test, are_five_oldest_first) {
  std::vector<std::string> releases;
  for (const edition_rules* e : editions()) releases.emplace_back(e->release);
  EXPECT_EQ(releases, (std::vector<std::string>{"3.5", "4.1", "4.4", "5.6", "6.6"}));
  for (const edition_rules* e : editions()) {
    EXPECT_EQ(find_edition(e->release), e);
    EXPECT_FALSE(e->document.empty());
  }
  EXPECT_EQ(find_edition("6.7"), nullptr);
  EXPECT_EQ(find_edition(""), nullptr);
}

TEST(editions_test, the_newest_is_the_one_that_gates_check) {
  EXPECT_EQ(editions().back()->release, native.release);
  EXPECT_EQ(editions().back()->cells.data(), native.cells.data());
}

TEST(editions_test, have_what_the_documents_have) {
  ASSERT_EQ(editions().size(), std::size(published));
  for (size_t i = 0; i < editions().size(); ++i) {
    const edition_rules& e = *editions()[i];
    SCOPED_TRACE(e.release);
    ASSERT_EQ(e.release, published[i].release);
    EXPECT_EQ(per_table(e.columns), published[i].columns);
    EXPECT_EQ(per_table(e.rows), published[i].rows);
    EXPECT_EQ(per_table(e.prototypes), published[i].prototypes);
    section_counts prose{};
    for (const prose_rule& p : e.prose) ++prose[static_cast<size_t>(p.in)];
    EXPECT_EQ(prose, published[i].prose);
  }
}

TEST(editions_test, prose_rules_add_up) {
  std::vector<size_t> n;
  for (const edition_rules* e : editions()) n.push_back(e->prose.size());
  EXPECT_EQ(n, (std::vector<size_t>{77, 87, 87, 88, 97}));
}

TEST(editions_test, all_methods_of_all_editions_are_175) {
  std::set<std::pair<table_id, std::string_view>> methods;
  for (const edition_rules* e : editions()) {
    for (const rule_row& r : e->rows) methods.emplace(r.table, r.method);
    for (const rule_prototype& p : e->prototypes) methods.emplace(p.table, p.method);
  }
  EXPECT_EQ(methods.size(), 175u);
}

TEST(editions_test, tables_are_listed_in_order) {
  for (const edition_rules* e : editions()) {
    SCOPED_TRACE(e->release);
    const bool has_xattr = e->release == "5.6" || e->release == "6.6";
    EXPECT_EQ(e->tables.size(), has_xattr ? table_count : table_count - 1);
    for (size_t i = 0; i < e->tables.size(); ++i) {
      const rule_table& t = e->tables[i];
      if (i > 0) EXPECT_LT(e->tables[i - 1].id, t.id);
      EXPECT_EQ(t.heading,
                t.id == table_id::xattr_handler ? "xattr_handler operations" : name_of(t.id));
    }
  }
}

TEST(editions_test, a_row_has_a_cell_for_each_column) {
  for (const edition_rules* e : editions()) {
    size_t next = 0;
    for (const rule_row& r : e->rows) {
      SCOPED_TRACE(std::string(e->release) + " " + std::string(r.method));
      ASSERT_EQ(r.first_cell, next);
      next += r.cell_count;
      ASSERT_LE(next, e->cells.size());
      std::vector<column> cells, columns;
      for (const rule_cell& c : e->cells.subspan(r.first_cell, r.cell_count)) {
        EXPECT_EQ(c.table, r.table);
        EXPECT_EQ(c.method, r.method);
        cells.push_back(c.id);
      }
      for (const rule_column& c : e->columns)
        if (c.table == r.table) columns.push_back(c.id);
      EXPECT_EQ(cells, columns);
    }
    EXPECT_EQ(next, e->cells.size());
  }
}

TEST(editions_test, a_prose_rule_is_checked_or_says_why_not) {
  for (const edition_rules* e : editions()) {
    const bool older = e != editions().back();
    for (const prose_rule& p : e->prose) {
      SCOPED_TRACE(p.id);
      EXPECT_TRUE(p.id.starts_with(std::string(e->release) + "-" + std::string(name_of(p.in))));
      EXPECT_FALSE(p.says.empty());
      const bool by_others = p.check == checked_by::adapter || p.check == checked_by::same;
      EXPECT_TRUE(p.check == checked_by::not_checkable || by_others == older);
      EXPECT_EQ(p.how.empty(), p.check == checked_by::same);
      EXPECT_EQ(p.same.empty(), p.check != checked_by::same);
      if (p.check != checked_by::same) continue;
      const prose_rule* other = find_rule(native, p.same);
      ASSERT_NE(other, nullptr);
      EXPECT_EQ(other->in, p.in);
      EXPECT_NE(other->check, checked_by::not_checkable);
    }
  }
}

TEST(editions_test, prose_and_blocking_are_about_methods_that_are_there) {
  for (const edition_rules* e : editions()) {
    SCOPED_TRACE(e->release);
    for (const prose_target& t : e->targets) {
      ASSERT_LT(t.prose, e->prose.size());
      if (!t.method.empty()) EXPECT_TRUE(has_method(*e, t.table, t.method)) << t.method;
    }
    for (const blocking_rule& b : e->blocking) {
      ASSERT_LT(b.prose, e->prose.size());
      if (!b.method.empty()) EXPECT_TRUE(has_method(*e, b.table, b.method)) << b.method;
    }
  }
}

TEST(editions_test, every_method_and_lock_of_an_older_edition_has_a_fate) {
  EXPECT_TRUE(native.successors.empty());
  EXPECT_TRUE(native.column_successors.empty());
  for (const edition_rules* e : editions()) {
    SCOPED_TRACE(e->release);
    const auto successor_of = [&](table_id t, std::string_view method) {
      return std::find_if(
          e->successors.begin(), e->successors.end(),
          [&](const method_successor& s) { return s.table == t && s.method == method; });
    };
    const auto check = [&](table_id t, std::string_view method) {
      const auto s = successor_of(t, method);
      if (s == e->successors.end())
        EXPECT_TRUE(has_method(native, t, method)) << method;
      else if (s->native_method.empty())
        EXPECT_FALSE(s->why.empty()) << method;
      else
        EXPECT_TRUE(has_method(native, s->native_table, s->native_method)) << method;
    };
    for (const rule_row& r : e->rows) check(r.table, r.method);
    for (const rule_prototype& p : e->prototypes) check(p.table, p.method);
    for (const method_successor& s : e->successors)
      EXPECT_TRUE(has_method(*e, s.table, s.method)) << s.method;
    for (const rule_column& c : e->columns) {
      column to = c.id;
      for (const column_successor& s : e->column_successors)
        if (s.table == c.table && s.id == c.id) to = s.native;
      EXPECT_TRUE(has_column(native, c.table, to)) << name_of(c.table) << ' ' << name_of(c.id);
    }
  }
}

TEST(editions_test, successors_that_people_look_for) {
  const edition_rules& old = *find_edition("4.4");
  const auto native_name = [&](table_id t, std::string_view method) {
    for (const method_successor& s : old.successors)
      if (s.table == t && s.method == method)
        return std::string(name_of(s.native_table)) + "." + std::string(s.native_method);
    return std::string();
  };
  EXPECT_EQ(native_name(table_id::address_space_operations, "readpage"),
            "address_space_operations.read_folio");
  EXPECT_EQ(native_name(table_id::inode_operations, "rename2"), "inode_operations.rename");
  EXPECT_EQ(native_name(table_id::inode_operations, "setxattr"), "xattr_handler.set");
  EXPECT_EQ(native_name(table_id::inode_operations, "get_acl"), "inode_operations.get_inode_acl");
  EXPECT_EQ(native_name(table_id::inode_operations, "put_link"), "inode_operations.");
}

// 4.4 differs from 4.1 in three prototypes; no row changed.
TEST(editions_test, the_rows_of_4_4_are_those_of_4_1) {
  const edition_rules& a = *find_edition("4.1");
  const edition_rules& b = *find_edition("4.4");
  ASSERT_EQ(a.cells.size(), b.cells.size());
  for (size_t i = 0; i < a.cells.size(); ++i) {
    EXPECT_EQ(a.cells[i].method, b.cells[i].method);
    EXPECT_EQ(a.cells[i].id, b.cells[i].id);
    EXPECT_EQ(a.cells[i].text, b.cells[i].text);
  }
  std::set<std::string> changed;
  for (size_t i = 0; i < a.prototypes.size(); ++i)
    if (a.prototypes[i].text != b.prototypes[i].text) changed.emplace(a.prototypes[i].method);
  EXPECT_EQ(changed, (std::set<std::string>{"follow_link", "put_link", "direct_access"}));
}

// Cells whose column the form in which a document survives does not tell.
TEST(editions_test, cells_whose_column_a_copy_lost) {
  for (const char* release : {"3.5", "4.1", "4.4", "5.6"}) {
    SCOPED_TRACE(release);
    EXPECT_EQ(row_text(release, table_id::super_operations, "drop_inode"),
              "||!!!inode->i_lock!!!|");
    EXPECT_EQ(row_text(release, table_id::super_operations, "statfs"), "|maybe(read)|(see below)|");
    EXPECT_EQ(row_text(release, table_id::vm_operations_struct, "access"), "|yes||");
  }
  EXPECT_EQ(row_text("5.6", table_id::super_operations, "free_inode"),
            "||called from RCU callback|");
  EXPECT_EQ(row_text("5.6", table_id::address_space_operations, "write_begin"),
            "|locks the page|exclusive|");
  EXPECT_EQ(row_text("5.6", table_id::address_space_operations, "isolate_page"), "|yes||");
  EXPECT_EQ(row_text("5.6", table_id::address_space_operations, "readpages"), "|||");
  EXPECT_EQ(row_text("3.5", table_id::address_space_operations, "get_xip_mem"), "||maybe|");
  EXPECT_EQ(row_text("5.6", table_id::dquot_operations, "mark_dirty"), "|no|-|");
}

TEST(editions_test, a_held_rwsem_without_a_mode_is_read_as_shared) {
  for (const edition_rules* e : editions())
    for (const rule_cell& c : e->cells)
      if (c.id == column::mmap_sem) {
        EXPECT_EQ(c.text, "yes");
        EXPECT_EQ(c.asks.kind, requirement_kind::shared);
        EXPECT_FALSE(c.reading.empty());
      }
}

// "6.6-inode-2" and "6.6-inode-4 and -5" alike: only the whole ids are looked at.
TEST(editions_test, readings_speak_about_rules_that_are_there) {
  std::ifstream in(std::string(HOLDFAST_SOURCE_DIR) + "/rules/readings.md");
  std::ostringstream text;
  text << in.rdbuf();
  const std::string readings = text.str();
  const std::regex id(R"((\d+\.\d+)-[a-z]+-\d+)");
  size_t n = 0;
  for (std::sregex_iterator i(readings.begin(), readings.end(), id), end; i != end; ++i, ++n) {
    const edition_rules* e = find_edition((*i)[1].str());
    ASSERT_NE(e, nullptr) << i->str();
    EXPECT_NE(find_rule(*e, i->str()), nullptr) << i->str();
  }
  EXPECT_GT(n, 20u);
  // A cell that is not read as its words say is explained there too.
  for (const edition_rules* e : editions())
    for (const rule_cell& c : e->cells)
      if (!c.reading.empty())
        EXPECT_NE(readings.find(name_of(c.id)), std::string::npos) << name_of(c.id);
}

}  // namespace
}  // namespace holdfast
