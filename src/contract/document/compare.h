// SPDX-License-Identifier: Apache-2.0
//
// What differs between two editions.
//
// 1. Methods are the same by name, or by what the compiled editions say became of them: a method
// that
//    has a successor is not its namesake in the newer edition. Columns likewise.
// 2. A table that only one edition has is reported with its methods, not cell by cell.
// 3. Order is that of the newer edition; what only the older has comes where its table does, last.
#pragma once

#include "contract/document/model.h"

HF_NAMESPACE_BEGIN

enum class change_kind : uint8_t {
  table_added,
  table_removed,
  column_added,
  column_removed,
  column_renamed,
  method_added,
  method_removed,  // `to` is what took its place, if anything did
  method_renamed,
  prototype_added,
  prototype_removed,
  prototype_changed,
  row_added,
  row_removed,
  cell_changed,
};
std::string_view name_of(change_kind k);  // "method renamed"

struct edition_change {
  change_kind kind;
  std::string table;   // its name
  std::string method;  // as the newer edition calls it; the older one's where it is gone
  std::string column;  // the heading, likewise
  std::string from;
  std::string to;
};

std::vector<edition_change> compare_editions(const edition_document& older,
                                             const edition_document& newer);

// For programs that ask which names came and went: in front of each renamed method also that its
// old name was removed and its new one added, where the other edition hasn't that name.
std::vector<edition_change> with_names_that_went(std::vector<edition_change> changes,
                                                 const edition_document& older,
                                                 const edition_document& newer);

// change,table,method,column,old,new
std::string changes_csv(const std::vector<edition_change>& changes);

HF_NAMESPACE_END
