// SPDX-License-Identifier: Apache-2.0
#include "contract/report.h"

#include <gmock/gmock.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "contract/symbol.h"
#include "contract/test_locks.h"
#include "holdfast/lock_classes.h"

namespace holdfast {
namespace {

using namespace contract_test;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using report_test = contract_fixture;

[[gnu::noinline]] void break_create(const stand_in& dir) {
  gate g(method_id::inode_create);
  g.lock(column::i_rwsem, dir, "dir");
  g.enter();
  g.leave(false);
}

TEST_F(report_test, text_says_what_a_person_needs) {
  const operation_scope operation("open", "/x");
  stand_in dir(test_rwsem_class);
  dir.take(held::shared);
  break_create(dir);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "holdfast: contract broken: 6.6 inode_operations.create, column i_rwsem(inode): "
            "`exclusive`");
  EXPECT_THAT(text, HasSubstr("  the rule    The caller holds the lock exclusively.\n"));
  EXPECT_THAT(text, HasSubstr("  found       held: shared, required: exclusive, on dir\n"));
  EXPECT_THAT(text, HasSubstr("  during      open /x\n"));
  EXPECT_THAT(text, HasSubstr("in the order taken:\n    1. test_i_rwsem of dir, shared (0x"));
  EXPECT_THAT(text, HasSubstr("       taken in "));
  EXPECT_THAT(text, HasSubstr("  found in "));
  EXPECT_THAT(text, HasSubstr("break_create"));
  EXPECT_THAT(text, HasSubstr("  Reported once; further ones like it are counted.\n"));
  // Nothing that doesn't help a reader: the machinery's frames, our own namespaces.
  EXPECT_THAT(text, Not(HasSubstr("gate_lock")));
  EXPECT_THAT(text, Not(HasSubstr("abi_checked")));
  EXPECT_THAT(text, Not(HasSubstr("<")));
}

TEST_F(report_test, json_lines_are_appended_one_per_distinct_violation) {
  char path[] = "/tmp/holdfast_report_XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  close(fd);
  ASSERT_TRUE(set_contract_log(path).ok());
  {
    const operation_scope operation("rename", "a\"\\\n\x01\xc3\xa9", "b");
    stand_in dir(test_rwsem_class, nest::parent);
    dir.take(held::shared);
    break_create(dir);
    break_create(dir);
  }
  stand_in other(test_other_class);
  break_create(other);  // another finding: "held: none"
  ASSERT_TRUE(set_contract_log(nullptr).ok());
  std::ifstream in(path);
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  unlink(path);
  ASSERT_EQ(lines.size(), 4u) << "two violations, two totals";
  EXPECT_FALSE(lines[0].contains("total"));
  for (const json& total : {lines[2], lines[3]}) {
    EXPECT_EQ(total["total"], true);
    const json& first = total["id"] == lines[0]["id"] ? lines[0] : lines[1];
    EXPECT_EQ(total["id"], first["id"]);
    EXPECT_EQ(total["count"], &first == &lines[0] ? 2 : 1);
    for (const char* member : {"edition", "kind", "table", "method", "column", "rule", "finding"})
      EXPECT_EQ(total[member], first[member]) << member;
  }
  EXPECT_NE(lines[2]["id"], lines[3]["id"]);
  EXPECT_EQ(lines[0]["edition"], "6.6");
  EXPECT_EQ(lines[0]["table"], "inode_operations");
  EXPECT_EQ(lines[0]["method"], "create");
  EXPECT_EQ(lines[0]["column"], "i_rwsem(inode)");
  EXPECT_EQ(lines[0]["cell"], "exclusive");
  EXPECT_EQ(lines[0]["finding"], "held: shared, required: exclusive, on dir");
  EXPECT_THAT(lines[0]["operation"].get<std::string>(), HasSubstr("a\"\\\n\x01"));
  ASSERT_EQ(lines[0]["held"].size(), 1u);
  EXPECT_EQ(lines[0]["held"][0]["class"], "test_i_rwsem");
  EXPECT_EQ(lines[0]["held"][0]["mode"], "shared");
  EXPECT_EQ(lines[0]["held"][0]["role"], "dir");
  EXPECT_EQ(lines[0]["held"][0]["nest"], "parent");
  EXPECT_GT(lines[0]["stack"].size(), 0u);
  EXPECT_EQ(lines[1]["held"].size(), 0u);
}

TEST_F(report_test, json_stays_well_formed_when_it_does_not_fit) {
  violation v;
  v.finding = "x";
  v.held_count = violation::max_held;
  for (held_lock_report& h : v.held) {
    h.lock_class = "some_lock_class_with_a_long_name";
    h.frame_count = held_lock_report::max_frames;
    for (void*& f : h.frames) f = reinterpret_cast<void*>(&format_json);
  }
  v.frame_count = 1;
  v.frames[0] = reinterpret_cast<void*>(&format_json);
  char small[8192];
  const json j = json::parse(std::string(small, format_json(v, small, sizeof small)));
  EXPECT_EQ(j["held"].size(), violation::max_held);
  EXPECT_EQ(j["stack"].size(), 0u);
  std::string large(size_t{1} << 20, '\0');
  const json k = json::parse(large.substr(0, format_json(v, large.data(), large.size())));
  EXPECT_EQ(k["stack"].size(), 1u);
}

TEST_F(report_test, a_log_that_cannot_be_opened_is_an_error) {
  const Status s = set_contract_log("/nonexistent/dir/log");
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.code(), ENOENT);
}

TEST_F(report_test, the_validators_violations_take_the_same_form) {
  stand_in a(test_rwsem_class);
  stand_in b(test_other_class);
  a.take(held::exclusive);
  b.take(held::exclusive);
  b.drop();
  a.drop();
  EXPECT_TRUE(reports.empty());
  b.take(held::exclusive);
  a.take(held::exclusive);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].edition, "");
  EXPECT_EQ(reports[0].kind, to_string(violation_kind::order));
  EXPECT_THAT(reports[0].sentence, HasSubstr("test_i_rwsem before test_s_umount"));
  EXPECT_EQ(reports[0].held.size(), 1u);
  EXPECT_EQ(read_contract_counters().distinct, 1u);
  EXPECT_EQ(read_contract_counters().violations, 1u);
}

TEST_F(report_test, the_validators_violations_name_the_method_that_runs) {
  stand_in dir(i_rwsem_class, nest::child);
  stand_in parent(i_rwsem_class, nest::parent);
  gate outer(method_id::file_fsync);
  outer.enter();
  {
    gate inner(method_id::inode_permission);  // came and went: it is not the one
    inner.enter();
    inner.leave(false);
  }
  dir.take(held::exclusive);
  parent.take(held::exclusive);
  parent.drop();
  dir.drop();
  outer.leave(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].table, "file_operations");
  EXPECT_EQ(reports[0].method, "fsync");
  EXPECT_EQ(reports[0].sentence,
            "i_rwsem/parent before i_rwsem/child (published with 6.6: directory-locking.rst, which "
            "6.6-inode-9 refers to)");
  EXPECT_THAT(reports[0].advice, HasSubstr("parent first"));
  EXPECT_THAT(text, HasSubstr("  in method   file_operations.fsync\n"));
  // Outside of a method nobody is named.
  reports.clear();
  reset_validator();
  reset_contract_counters();
  dir.take(held::exclusive);
  parent.take(held::exclusive);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].method, "");
}

// The validator tells repetitions apart, and the rule is the document's: the total has them all.
TEST_F(report_test, repeated_blocking_in_a_method_is_counted) {
  char path[] = "/tmp/holdfast_report_XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  close(fd);
  ASSERT_TRUE(set_contract_log(path).ok());
  for (int i = 0; i < 3; ++i) {
    gate g(method_id::inode_permission);
    g.given(condition::rcu_walk, true);
    g.enter();
    might_block("sleeping");
    g.leave(false);
  }
  ASSERT_TRUE(set_contract_log(nullptr).ok());
  std::ifstream in(path);
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  unlink(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["rule"], "6.6-inode-6");
  EXPECT_THAT(lines[0]["advice"].get<std::string>(), HasSubstr("ECHILD"));
  EXPECT_EQ(lines[1]["total"], true);
  EXPECT_EQ(lines[1]["count"], 3);
}

TEST_F(report_test, long_lines_go_on_in_their_column) {
  violation v;
  v.edition = "6.6";
  v.table = "t";
  v.method = "m";
  std::string sentence;
  for (int i = 0; i < 40; ++i) sentence += "word" + std::to_string(i) + ' ';
  sentence += std::string(200, 'x');  // cannot be broken, and is not cut
  v.sentence = sentence;
  char room[8192];
  const std::string s(room, format_text(v, room, sizeof room));
  std::istringstream in(s);
  std::string joined;
  for (std::string line; std::getline(in, line);) {
    if (line.find('x') == line.npos) EXPECT_LE(line.size(), 100u) << line;
    if (line.starts_with("  the rule    ") || line.starts_with("              "))
      joined += (joined.empty() ? "" : " ") + line.substr(14);
  }
  EXPECT_EQ(joined, sentence);
}

TEST_F(report_test, the_log_has_both_chains_of_an_inversion) {
  char path[] = "/tmp/holdfast_report_XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  close(fd);
  ASSERT_TRUE(set_contract_log(path).ok());
  stand_in a(test_rwsem_class);
  stand_in b(test_other_class);
  for (stand_in* first : {&a, &b, &b, &b}) {
    stand_in* second = first == &a ? &b : &a;
    const operation_scope operation(first == &a ? "forward" : "backward");
    first->take(held::exclusive);
    second->take(held::exclusive);
    second->drop();
    first->drop();
  }
  ASSERT_TRUE(set_contract_log(nullptr).ok());
  std::ifstream in(path);
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  unlink(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["kind"], "order");
  const json& now = lines[0]["order_now"];
  EXPECT_EQ(now["outer"], "test_s_umount");
  EXPECT_EQ(now["inner"], "test_i_rwsem");
  EXPECT_EQ(now["operation"], "backward");
  EXPECT_GT(now["outer_stack"].size(), 0u);
  EXPECT_GT(now["inner_stack"].size(), 0u);
  ASSERT_EQ(lines[0]["order_known"].size(), 1u);
  const json& known = lines[0]["order_known"][0];
  EXPECT_EQ(known["outer"], "test_i_rwsem");
  EXPECT_EQ(known["inner"], "test_s_umount");
  EXPECT_EQ(known["operation"], "forward");
  EXPECT_FALSE(known["declared"]);
  EXPECT_GT(known["inner_stack"].size(), 0u);
  EXPECT_EQ(lines[1]["total"], true);
  EXPECT_EQ(lines[1]["id"], lines[0]["id"]);
  EXPECT_EQ(lines[1]["count"], 3);
  // The same for people.
  EXPECT_THAT(text, HasSubstr("  now         test_s_umount, then test_i_rwsem, in backward\n"));
  EXPECT_THAT(text, HasSubstr("  known       test_i_rwsem, then test_s_umount, in forward\n"));
  EXPECT_THAT(text, HasSubstr("       the first in "));
}

TEST_F(report_test, names_of_addresses) {
  char name[512];
  const char* inside = reinterpret_cast<const char*>(&describe_address) + 4;
  const std::string s(name, describe_address(inside, name, sizeof name));
  EXPECT_THAT(s, HasSubstr("describe_address"));
  EXPECT_EQ(std::string(name, describe_address(nullptr, name, sizeof name)), "0x0");
}

TEST_F(report_test, frames_have_lines_and_those_of_primitives_are_passed_over) {
  frame_text f;
  describe_frame(reinterpret_cast<const char*>(&describe_frame) + 4, f);
  if (f.place_view().starts_with('(')) GTEST_SKIP() << "built without libdw, or without lines";
  EXPECT_EQ(f.name_view(), "describe_frame");
  EXPECT_THAT(std::string(f.place_view()), testing::StartsWith("src/contract/symbol.cc:"));
  stand_in dir(test_rwsem_class);
  dir.take(held::shared);  // inlined from include/holdfast/sync/hooks.h and test_locks.h
  break_create(dir);
  EXPECT_THAT(text, Not(HasSubstr("include/holdfast/sync/")));
  EXPECT_THAT(text, HasSubstr("src/contract/"));
}

TEST_F(report_test, names_are_shortened) {
  const auto shortened = [](const char* s) {
    text_buffer<256> out;
    put_short_name(out, s);
    return std::string(out.view());
  };
  EXPECT_EQ(shortened("holdfast::abi_checked::(anonymous namespace)::do_rename(holdfast::"
                      "abi_checked::parent_path const&, unsigned int)"),
            "do_rename");
  EXPECT_EQ(shortened("auto holdfast::abi_checked::door::through<foo(bar)::{lambda()#1}, x<int> >"
                      "(method_id, foo(bar)::{lambda()#1}&&)"),
            "door::through");
  EXPECT_EQ(shortened("holdfast::app::run(int)::{lambda(int)#1}::operator()(int) const"),
            "app::run::{lambda}");
  EXPECT_EQ(shortened("holdfast::app::take_rules[abi:cxx11]() [clone .cold]"), "app::take_rules");
  EXPECT_EQ(shortened("bool holdfast::operator<(a const&, a const&)"), "operator<");
  EXPECT_EQ(shortened("std::vector<int, std::allocator<int> >::size() const"), "std::vector::size");
  EXPECT_EQ(shortened("holdfast::abi_checked::rwsem<(holdfast::abi_checked::lock_class&)"
                      "(&i_rwsem_class)>::lock(holdfast::abi_checked::nest)"),
            "rwsem::lock");
  EXPECT_EQ(shortened("main"), "main");
}

using report_death_test = contract_fixture;

TEST_F(report_death_test, mode_abort_prints_and_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // other tests may have left threads running
  EXPECT_DEATH(
      {
        set_violation_text(nullptr, nullptr);
        set_violation_callback(nullptr, nullptr);
        set_check_mode(check_mode::abort);
        stand_in dir(test_rwsem_class);
        break_create(dir);
      },
      "contract broken: 6.6 inode_operations.create");
}

}  // namespace
}  // namespace holdfast
