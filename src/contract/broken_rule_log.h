// SPDX-License-Identifier: Apache-2.0
//
// For tests: writes down which rule a test broke and saw reported, so that docs/rules-coverage.md
// is made from what ran and not from what somebody remembered.
//
// 1. Called only after the report was asserted. Nothing is written unless HOLDFAST_BROKEN_RULES_LOG
//    names a file; a line of it is "<rule>\t<suite>.<test>".
// 2. A prose rule is named by its id ("6.6-inode-2"), a cell as reports cite it
//    ("6.6 inode_operations.rename i_rwsem(inode)"), with the column as the table heads it.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

inline void log_broken_rule(std::string_view rule) {
  const char* path = std::getenv("HOLDFAST_BROKEN_RULES_LOG");
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (path == nullptr || test == nullptr || rule.empty()) return;
  const std::string line =
      std::string(rule) + '\t' + test->test_suite_name() + '.' + test->name() + '\n';
  if (FILE* out = std::fopen(path, "a")) {
    std::fwrite(line.data(), 1, line.size(), out);
    std::fclose(out);
  }
}

inline void log_broken_cell(std::string_view table, std::string_view method,
                            std::string_view column) {
  log_broken_rule("6.6 " + std::string(table) + '.' + std::string(method) + ' ' +
                  std::string(column));
}

HF_NAMESPACE_END
