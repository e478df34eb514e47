// SPDX-License-Identifier: Apache-2.0
#include "app/rules_html.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "app/errors.h"
#include "app/rules_html_diff.h"
#include "contract/editions.h"

namespace holdfast::app {
namespace {

namespace fs = std::filesystem;

const std::string& page() {
  static const std::string text = rules_page();
  return text;
}

size_t count(const std::string& needle) {
  size_t n = 0;
  for (size_t at = page().find(needle); at != std::string::npos; at = page().find(needle, at + 1))
    ++n;
  return n;
}

std::string slurp(const fs::path& p) {
  std::ostringstream text;
  text << std::ifstream(p, std::ios::binary).rdbuf();
  return text.str();
}

const method_history* find(const std::vector<method_history>& all, std::string_view method) {
  for (const method_history& h : all)
    if (h.method == method) return &h;
  return nullptr;
}

// "..nc.": for each edition . nothing, a added, g gone, c a changed cell, r a reworded one, p only
// the prototype changed.
std::string story(table_id t, std::string_view method) {
  const auto all = methods_of(t);
  const method_history* h = find(all, method);
  std::string out;
  if (h == nullptr) return out;
  for (const method_in_edition& m : h->in) {
    const auto has = [&](change c) {
      return std::find(m.cells.begin(), m.cells.end(), c) != m.cells.end();
    };
    out += m.added                 ? 'a'
           : m.removed             ? 'g'
           : has(change::changed)  ? 'c'
           : has(change::reworded) ? 'r'
           : m.prototype_changed   ? 'p'
                                   : '.';
  }
  return out;
}

TEST(rules_html_diff_test, tells_what_became_of_a_method) {
  constexpr auto inode = table_id::inode_operations;
  EXPECT_EQ(story(inode, "lookup"), ".p.c.");  // i_mutex became a shared i_rwsem
  EXPECT_EQ(story(inode, "create"), ".p.rp");  // and an exclusive one here
  EXPECT_EQ(story(inode, "rename"), "...rc");
  EXPECT_EQ(story(inode, "rename2"), ".a.g.");
  EXPECT_EQ(story(inode, "follow_link"), "..pg.");
  EXPECT_EQ(story(inode, "get_link"), "...a.");
  EXPECT_EQ(story(inode, "get_offset_ctx"), "....a");
  EXPECT_EQ(story(table_id::super_operations, "freeze_fs"), ".c...");
  EXPECT_EQ(story(table_id::address_space_operations, "readpage"), "....g");
  EXPECT_EQ(story(table_id::lock_manager_operations, "lm_notify"), ".c..c");
  EXPECT_EQ(story(table_id::vm_operations_struct, "open"), "....c");
  EXPECT_EQ(story(table_id::vm_operations_struct, "access"), "....r");
}

TEST(rules_html_diff_test, white_space_changes_no_prototype) {
  const auto all = methods_of(table_id::vm_operations_struct);
  const method_history* h = find(all, "close");
  ASSERT_NE(h, nullptr);
  EXPECT_NE(h->in[3].prototype->text, h->in[4].prototype->text);
  EXPECT_FALSE(h->in[4].prototype_changed);
  EXPECT_FALSE(h->in[4].differs());
  EXPECT_TRUE(find(all, "fault")->in[4].prototype_changed);
}

TEST(rules_html_diff_test, has_every_method_once) {
  size_t n = 0;
  for (size_t t = 0; t < table_count; ++t) {
    std::set<std::string_view> names;
    for (const method_history& h : methods_of(static_cast<table_id>(t))) names.insert(h.method);
    EXPECT_EQ(names.size(), methods_of(static_cast<table_id>(t)).size());
    n += names.size();
  }
  EXPECT_EQ(n, 175u);
}

TEST(rules_html_diff_test, has_every_sentence_once) {
  std::set<const prose_rule*> seen;
  size_t n = 0;
  for (size_t s = 0; s < section_count; ++s)
    for (const sentence_history& h : sentences_of(static_cast<section>(s)))
      for (size_t e = 0; e < h.in.size(); ++e) {
        const prose_rule* p = h.in[e];
        if (p == nullptr) continue;
        ++n;
        seen.insert(p);
        EXPECT_TRUE(p->id.starts_with(editions()[e]->release)) << p->id;
        EXPECT_EQ(p->in, static_cast<section>(s));
      }
  EXPECT_EQ(seen.size(), n);
  EXPECT_EQ(n, 77u + 87u + 87u + 88u + 97u);
}

TEST(rules_html_diff_test, the_same_rule_is_one_sentence) {
  for (const sentence_history& h : sentences_of(section::inode))
    if (h.newest().id == "6.6-inode-9") {
      ASSERT_NE(h.in[0], nullptr);
      EXPECT_EQ(h.in[0]->id, "3.5-inode-7");
      EXPECT_EQ(h.in[3]->id, "5.6-inode-6");
      EXPECT_FALSE(h.differs(4));
      return;
    }
  FAIL() << "6.6-inode-9 is in no sentence";
}

TEST(rules_html_test, every_rule_and_every_method_has_its_anchor) {
  for (const edition_rules* e : editions()) {
    for (const prose_rule& p : e->prose)
      EXPECT_EQ(count(" id=\"" + std::string(p.id) + "\""), 1u) << p.id;
    std::set<std::string> methods;
    const auto add = [&](const auto& x) {
      methods.insert(std::string(e->release) + "." + std::string(name_of(x.table)) + "." +
                     std::string(x.method));
    };
    for (const rule_row& r : e->rows) add(r);
    for (const rule_prototype& p : e->prototypes) add(p);
    for (const std::string& m : methods) EXPECT_EQ(count(" id=\"" + m + "\""), 1u) << m;
  }
}

TEST(rules_html_test, every_link_leads_somewhere) {
  size_t links = 0;
  const std::string start = "href=\"#";
  for (size_t at = page().find(start); at != std::string::npos; at = page().find(start, at + 1)) {
    const size_t from = at + start.size();
    const std::string to = page().substr(from, page().find('"', from) - from);
    EXPECT_NE(page().find(" id=\"" + to + "\""), std::string::npos) << to;
    ++links;
  }
  EXPECT_GT(links, 800u);
}

TEST(rules_html_test, text_is_escaped) {
  EXPECT_EQ(count("inode->i_lock"), 0u);
  EXPECT_GE(count("!!!inode-&gt;i_lock!!!"), 5u);
  EXPECT_EQ(count("victim's"), 0u);
  EXPECT_GE(count("victim&#39;s"), 1u);
}

TEST(rules_html_test, nothing_is_fetched) {
  EXPECT_EQ(count("http:"), 0u);
  EXPECT_EQ(count("https:"), 0u);
  EXPECT_EQ(count(" src="), 0u);
  EXPECT_EQ(count("@import"), 0u);
  EXPECT_EQ(count("url("), 0u);
}

class rules_html_file_test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "holdfast_page_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }

  fs::path dir_;
};

TEST_F(rules_html_file_test, makes_the_directory_and_one_file) {
  const fs::path target = dir_ / "a" / "b";
  EXPECT_EQ(rules_html(target.string()), 0);
  EXPECT_EQ(rules_html(target.string()), 0);  // over the old one
  EXPECT_EQ(slurp(target / "index.html"), page());
  EXPECT_EQ(std::distance(fs::directory_iterator(target), fs::directory_iterator()), 1);
}

TEST_F(rules_html_file_test, says_what_it_can_not_write) {
  std::ofstream(dir_ / "file") << "x";
  EXPECT_THROW(rules_html((dir_ / "file").string()), user_error);
  fs::create_directories(dir_ / "index.html");
  try {
    rules_html(dir_.string());
    ADD_FAILURE() << "a directory was replaced by a file";
  } catch (const user_error& e) {
    EXPECT_NE(std::string(e.what()).find("index.html"), std::string::npos) << e.what();
  }
  EXPECT_FALSE(fs::exists(dir_ / "index.html.new"));
}

}  // namespace
}  // namespace holdfast::app
