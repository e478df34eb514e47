// SPDX-License-Identifier: Apache-2.0
//
// For tests of prose rules: the stand-ins, and one assertion that compares the whole report.
#pragma once

#include <string_view>
#include <thread>

#include "core/dispatch/stand_ins.h"
#include "holdfast/sync/violation.h"

HF_NAMESPACE_BEGIN

class prose_test : public dispatch_test {
 protected:
  // `obeyed` reports nothing; `broken` reports once, and exactly this.
  template <class Obey, class Break>
  void expect_report(const caught& report, Obey&& obeyed, Break&& broken) {
    SCOPED_TRACE(report.rule + " " + report.finding);
    reset_validator();
    for (const caught& c : during(obeyed)) ADD_FAILURE() << "obeyed, but reported: " << c;
    reset_validator();
    const std::vector<caught> reports = during(broken);
    stand_in::inside = nullptr;
    ASSERT_EQ(reports.size(), 1u) << [&] {
      std::string all;
      for (const caught& c : reports) all += c.rule + ' ' + c.column + ' ' + c.finding + '\n';
      return all;
    }();
    const caught& c = reports[0];
    EXPECT_EQ(c.kind, report.kind) << c;
    EXPECT_EQ(c.table, report.table) << c;
    EXPECT_EQ(c.method, report.method) << c;
    EXPECT_EQ(c.column, report.column) << c;
    EXPECT_EQ(c.rule, report.rule) << c;
    EXPECT_EQ(c.finding, report.finding) << c;
    if (c.rule == report.rule && !c.rule.empty()) log_broken_rule(c.rule);
    if (c.column == report.column && !c.column.empty())
      log_broken_cell(c.table, c.method, c.column);
  }
};

// Runs on another thread, in another context, to its end.
template <class F>
void elsewhere(F&& f) {
  std::thread(std::forward<F>(f)).join();
}

HF_NAMESPACE_END
