// SPDX-License-Identifier: Apache-2.0
//
// Every call against the tables of cases_*.cc, on a fresh tmpfs each.
#include <gtest/gtest.h>

#include <cstdio>

#include "holdfast/contract.h"
#include "holdfast/sync/context.h"
#include "tests/conformance/script.h"

namespace conformance {
namespace {

// Every test of this binary runs with the contract checked, and none of them may break it.
class checked : public testing::Environment {
 public:
  void SetUp() override {
    if (holdfast::get_check_mode() == holdfast::check_mode::off)
      holdfast::set_check_mode(holdfast::check_mode::report);
    on_ = holdfast::checking_compiled_in;
  }
  void TearDown() override {
    const holdfast::contract_counters c = holdfast::read_contract_counters();
    printf("checked operations: %llu, violations: %llu\n",
           static_cast<unsigned long long>(c.operations),
           static_cast<unsigned long long>(c.violations));
    EXPECT_EQ(c.violations, 0u);
    if (on_) {
      EXPECT_GT(c.operations, 0u);
    }
  }

 private:
  bool on_ = false;
};
[[maybe_unused]] const auto* const environment = testing::AddGlobalTestEnvironment(new checked);

class conformance_cases : public testing::TestWithParam<script_case> {};

TEST_P(conformance_cases, holdfast_says_what_the_table_says) {
  auto w = make_holdfast_world();
  runner r(*w);
  for (const std::string& l : split_lines(GetParam().script)) {
    const line s = split_line(l);
    const std::string got = r.run(s.text);
    if (s.expected.empty()) {
      EXPECT_TRUE(got.starts_with("ok")) << s.text << ": " << got;
    } else {
      EXPECT_EQ(got, s.expected) << s.text;
    }
  }
}

std::string test_name(const testing::TestParamInfo<script_case>& info) {
  std::string n = info.param.name;
  for (char& c : n) {
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return n;
}

INSTANTIATE_TEST_SUITE_P(names, conformance_cases, testing::ValuesIn(name_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(files, conformance_cases, testing::ValuesIn(file_cases()), test_name);

}  // namespace
}  // namespace conformance
