// SPDX-License-Identifier: Apache-2.0
//
// A rules file as read: the lines of one edition, and the error that stops the reading.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/requirement.h"
#include "contract/rule.h"

namespace rulec {

using namespace holdfast;

struct syntax_error {
  size_t line;
  std::string message;
};

struct cell {
  column id;
  std::string text;
  requirement asks;
  std::string reading;
};
struct table_line {
  table_id id;
  std::string heading;
};
struct column_line {
  size_t line;
  table_id table;
  column id;
  column_kind kind;
  std::string heading;
};
struct row_line {
  size_t line;
  table_id table;
  std::string method;
  std::vector<cell> cells;
};
struct proto_line {
  size_t line;
  table_id table;
  std::string method, text;
};
struct blocking_line {
  size_t line;
  table_id table;
  std::string method, rule;
  requirement_kind kind;
};
struct target {
  std::optional<table_id> table;  // nothing: the document itself
  std::string method;             // empty: all
};
struct prose_line {
  size_t line;
  section in;
  unsigned number;
  std::string id, says, how;
  std::string same;  // the native edition's rule
  std::optional<checked_by> check;
  std::vector<target> targets;
};

// What became of a method, or of a column, in the native edition.
struct successor_line {
  size_t line;
  table_id table;
  std::string method;
  table_id native_table;
  std::string native_method;  // empty: nothing, and `why` says the reason
  std::string why;
};
struct column_successor_line {
  size_t line;
  table_id table;
  column id, native;
};

struct edition {
  std::string release, document;
  std::vector<table_line> tables;
  std::vector<column_line> columns;
  std::vector<row_line> rows;
  std::vector<proto_line> protos;
  std::vector<blocking_line> blocking;
  std::vector<prose_line> prose;
  std::vector<successor_line> successors;
  std::vector<column_successor_line> column_successors;

  // Has the table a row or a prototype of that name?
  bool has_method(table_id t, std::string_view method) const {
    const auto same = [&](const auto& x) { return x.table == t && x.method == method; };
    return std::any_of(rows.begin(), rows.end(), same) ||
           std::any_of(protos.begin(), protos.end(), same);
  }
  const column_line* find_column(table_id t, column id) const {
    for (const column_line& c : columns)
      if (c.table == t && c.id == id) return &c;
    return nullptr;
  }
  const prose_line* find_rule(std::string_view id) const {
    for (const prose_line& p : prose)
      if (p.id == id) return &p;
    return nullptr;
  }
};

inline std::string quoted(std::string_view s) {
  return "'" + std::string(s) + "'";
}

}  // namespace rulec
