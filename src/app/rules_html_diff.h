// SPDX-License-Identifier: Apache-2.0
//
// The editions of the contract side by side: for each method, and for each sentence, what every
// edition says and what is new in it. Made for the page that `holdfast rules html` writes.
//
// 1. Vectors named `in` have one entry for each of editions(), in their order.
// 2. "New" and "changed" compare an edition with the one before it.
// 3. A lock that got another name is the same column: successors of columns are followed.
#pragma once

#include <string_view>
#include <vector>

#include "contract/rule.h"

namespace holdfast::app {

enum class change {
  none,
  reworded,  // another text, but what it asks for is the same
  changed,
};

struct method_in_edition {
  const rule_row* row = nullptr;
  const rule_prototype* prototype = nullptr;
  bool added = false;
  bool removed = false;                         // the edition before had it
  bool prototype_changed = false;               // or came, or went, while the method stayed
  std::vector<change> cells;                    // as many as the row has
  const method_successor* successor = nullptr;  // of a method that the native edition lacks

  bool present() const { return row != nullptr || prototype != nullptr; }
  bool differs() const;
};

struct method_history {
  table_id table;
  std::string_view method;
  std::vector<method_in_edition> in;
};

// Every method that some edition has in that table, in the order of the newest one that has it.
std::vector<method_history> methods_of(table_id t);

// One sentence, which editions may word, number and check differently.
struct sentence_history {
  std::vector<const prose_rule*> in;  // null where the edition lacks it

  const prose_rule& newest() const;
  bool differs(size_t edition) const;  // from the edition before
};

std::vector<sentence_history> sentences_of(section s);

}  // namespace holdfast::app
