// SPDX-License-Identifier: Apache-2.0
//
// holdfast rules html DIR: all editions of the contract as one page, for people.
//
// 1. The page stands alone: one file, no network, readable without its script, which searches and
//    filters.
// 2. #6.6-inode-2 is a prose rule, #6.6.inode_operations.rename a method of an edition,
//    #inode_operations a table.
#pragma once

#include <string>

namespace holdfast::app {

std::string rules_page();

// Writes DIR/index.html, whole or not at all; DIR is made if it is missing. Returns 0; throws
// user_error.
int rules_html(const std::string& directory);

}  // namespace holdfast::app
