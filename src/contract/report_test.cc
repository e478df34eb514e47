// SPDX-License-Identifier: Apache-2.0
#include "contract/report.h"

#include <gmock/gmock.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "contract/test_locks.h"

namespace holdfast {
namespace {

using namespace contract_test;
using nlohmann::json;
using testing::HasSubstr;

using report_test = contract_fixture;

void break_create(const stand_in& dir) {
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
  EXPECT_THAT(text,
              HasSubstr("contract of 6.6 broken: inode_operations.create, column i_rwsem(inode)"));
  EXPECT_THAT(text, HasSubstr("cell      exclusive\n"));
  EXPECT_THAT(text, HasSubstr("found     held: shared, required: exclusive, on dir\n"));
  EXPECT_THAT(text, HasSubstr("doing     open /x\n"));
  EXPECT_THAT(text, HasSubstr("locks held: 1\n    test_i_rwsem, shared, of dir, at 0x"));
  EXPECT_THAT(text, HasSubstr("  here:\n      #0 "));
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
  ASSERT_EQ(lines.size(), 2u);
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

TEST_F(report_test, names_of_addresses) {
  char name[512];
  const char* inside = reinterpret_cast<const char*>(&describe_address) + 4;
  const std::string s(name, describe_address(inside, name, sizeof name));
  EXPECT_THAT(s, HasSubstr("describe_address"));
  EXPECT_EQ(std::string(name, describe_address(nullptr, name, sizeof name)), "0x0");
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
      "contract of 6.6 broken: inode_operations.create");
}

}  // namespace
}  // namespace holdfast
