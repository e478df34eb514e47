// SPDX-License-Identifier: Apache-2.0
//
// For tests that break a rule on purpose: checking on, violations collected instead of printed.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "holdfast/sync/violation.h"

namespace holdfast {

struct seen_violation {
  violation_kind kind;
  std::string summary;
  size_t chain_length;
  size_t frames;
  uint32_t locks_held;
  std::string operation;
};

// Set up with no locks held anywhere, as set_check_mode() demands.
class checked_test : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!checking_compiled_in) GTEST_SKIP() << "checking is compiled out";
    before_ = get_check_mode();
    reset_validator();
    found().clear();
    sink_before_ = set_violation_sink(collect);
    set_check_mode(check_mode::report);
  }
  void TearDown() override {
    if (!checking_compiled_in) return;
    set_check_mode(before_);
    set_violation_sink(sink_before_);
    reset_validator();
  }

  static std::vector<seen_violation>& found() {
    static std::vector<seen_violation> v;
    return v;
  }
  static size_t count(violation_kind k) {
    size_t n = 0;
    for (const seen_violation& v : found()) n += v.kind == k ? 1 : 0;
    return n;
  }

 private:
  static void collect(const sync_violation& v) {
    static std::mutex m;
    std::lock_guard g(m);
    found().push_back({v.kind, v.summary, v.chain_length, v.frames, v.context->held_count,
                       v.context->operation != nullptr ? v.context->operation : ""});
  }
  check_mode before_ = check_mode::off;
  violation_sink sink_before_ = nullptr;
};

}  // namespace holdfast
