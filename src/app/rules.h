// SPDX-License-Identifier: Apache-2.0
//
// holdfast rules: the contract of each release, published documents, and what differs.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/errors.h"
#include "contract/document/compare.h"
#include "contract/document/model.h"
#include "contract/rule.h"

namespace holdfast::app {

// Adds `rules` and its subcommands; the one that was called leaves its exit status in `status`.
void add_rules_command(CLI::App& app, int& status);

// A name that is not known: exit status 2, like every mistake in what was typed.
class unknown_name : public user_error {
 public:
  using user_error::user_error;
};

// --- names (rules_names.cc) ---

// What TABLE[.METHOD] names; empty strings mean all.
struct rules_selection {
  std::string table;
  std::string method;
};
// Throws unknown_name with near matches.
const edition_rules& edition_named(const std::string& release);
rules_selection select_rules(const edition_document& edition, const std::string& what);
// The document with nothing but what was selected.
edition_document only(const edition_document& edition, const rules_selection& s);
// Up to four of `known` that are written much like `word`, nearest first.
std::vector<std::string> near_matches(const std::string& word,
                                      const std::vector<std::string>& known);

// --- for people (rules_text.cc) ---

std::string describe_edition(const edition_rules& rules);
std::string describe_table(const edition_rules& rules, const std::string& table);
std::string describe_method(const edition_rules& rules, const std::string& table,
                            const std::string& method);
std::string describe_import(const std::string& file, const edition_document& edition);
std::string describe_changes(const std::string& older, const std::string& newer,
                             const std::vector<edition_change>& changes);

// --- for programs (rules_json.cc) ---

nlohmann::ordered_json to_json(const edition_document& edition);
nlohmann::ordered_json to_json(const std::vector<edition_change>& changes);

}  // namespace holdfast::app
