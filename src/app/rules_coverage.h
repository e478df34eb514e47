// SPDX-License-Identifier: Apache-2.0
//
// docs/rules-coverage.md, from the compiled rules and from what the tests said they broke.
#pragma once

#include <string>

namespace holdfast::app {

// Reads the file that tests wrote (lines "<rule>\t<suite>.<test>", see
// contract/broken_rule_log.h) and prints the list to stdout. Returns 0; 1 if the file can't be
// read, or if a rule of the native edition is neither broken by a test nor not checkable.
int rules_coverage(const std::string& broken_log);

}  // namespace holdfast::app
