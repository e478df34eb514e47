// SPDX-License-Identifier: Apache-2.0
//
// --check-log from end to end: a file system that breaks rules, the command, the file.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/explain.h"
#include "broken_fs.h"

namespace holdfast::app_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct outcome {
  int status = 0;
  std::string out, err;
  std::vector<json> found, totals;
};

outcome explain_broken(const std::string& script) {
  outcome o;
  EXPECT_TRUE(register_broken_fs().ok());
  reset_validator();
  reset_contract_counters();
  char log[] = "/tmp/holdfast_check_log_XXXXXX";
  const int fd = mkstemp(log);
  EXPECT_GE(fd, 0);
  close(fd);
  app::explain_request r;
  r.script = {script};
  r.type = "broken";
  r.check_log = log;
  r.width = 110;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  o.status = app::explain_command(r);
  o.out = testing::internal::GetCapturedStdout();
  o.err = testing::internal::GetCapturedStderr();
  set_check_mode(check_mode::off);
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    json j = json::parse(line);
    (j.contains("total") ? o.totals : o.found).push_back(j);
  }
  unlink(log);
  return o;
}

TEST(check_log, a_broken_rule_is_written_once_and_counted_at_the_end) {
  const outcome twice = explain_broken("prepare: mkdir d\nrename d e; rename e f");
  EXPECT_NE(twice.status, 0);
  std::vector<json> leaks;
  for (const json& j : twice.found)
    if (j["kind"] == "exit") leaks.push_back(j);
  ASSERT_EQ(leaks.size(), 1u) << twice.err;
  EXPECT_EQ(leaks[0]["table"], "inode_operations");
  EXPECT_EQ(leaks[0]["method"], "rename");
  EXPECT_EQ(leaks[0]["finding"], "taken and not released: broken_leak");
  EXPECT_THAT(leaks[0]["operation"].get<std::string>(), HasSubstr("rename d -> e"));
  bool held = false;
  for (const json& h : leaks[0]["held"])
    if (h["class"] == "broken_leak") {
      held = true;
      EXPECT_THAT(h["stack"].dump(), HasSubstr("broken_rename"));
    }
  EXPECT_TRUE(held);
  size_t totals = 0;
  for (const json& t : twice.totals)
    if (t["id"] == leaks[0]["id"]) {
      ++totals;
      EXPECT_EQ(t["count"], 2);
      EXPECT_EQ(t["finding"], leaks[0]["finding"]);
    }
  EXPECT_EQ(totals, 1u);
  EXPECT_EQ(twice.totals.size(), twice.found.size());
  // The timeline shows where, the report follows it.
  EXPECT_THAT(twice.out, HasSubstr("! BROKEN 6.6 inode_operations.rename: taken and not released"));
  EXPECT_THAT(twice.err, HasSubstr("holdfast: contract broken: 6.6 inode_operations.rename\n"));
  EXPECT_THAT(twice.err, HasSubstr("broken_leak, exclusive"));
}

TEST(check_log, an_inversion_comes_with_both_chains) {
  const outcome o = explain_broken("mkdir d; create f");
  ASSERT_EQ(o.found.size(), 1u) << o.err;
  const json& j = o.found[0];
  EXPECT_EQ(j["kind"], "order");
  EXPECT_EQ(j["order_now"]["outer"], "broken_second");
  EXPECT_EQ(j["order_now"]["inner"], "broken_first");
  EXPECT_THAT(j["order_now"]["inner_stack"].dump(), HasSubstr("broken_create"));
  ASSERT_EQ(j["order_known"].size(), 1u);
  EXPECT_EQ(j["order_known"][0]["outer"], "broken_first");
  EXPECT_THAT(j["order_known"][0]["inner_stack"].dump(), HasSubstr("broken_mkdir"));
  EXPECT_EQ(j["order_known"][0]["operation"], "mkdir");
  ASSERT_EQ(o.totals.size(), 1u);
  EXPECT_EQ(o.totals[0]["count"], 1);
  EXPECT_THAT(o.err, HasSubstr("holdfast: locking broken (order): "));
  EXPECT_THAT(o.out, HasSubstr("! BROKEN locking, order: "));
}

TEST(check_log, a_clean_run_leaves_an_empty_log) {
  const outcome o = explain_broken("stat /; mkdir d; rmdir d");
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(o.found.empty());
  EXPECT_TRUE(o.totals.empty());
  EXPECT_THAT(o.out, HasSubstr("< rmdir failed\n"));
  EXPECT_THAT(o.out, HasSubstr("= -1 EBUSY ("));
}

}  // namespace
}  // namespace holdfast::app_test
