// SPDX-License-Identifier: Apache-2.0
//
// One edition of the locking document as data: what is printed in it, and nothing that is read into
// it. The parser makes it from a file, from_rules.h from a compiled edition; the comparison and the
// writers know no other model.
//
// 1. Order is the document's: of tables, columns, rows, prototypes.
// 2. A row has one cell for each column of its table; a blank cell is an empty string.
// 3. Texts are the document's with white space collapsed; method names have no colon.
// 4. What the document leaves open, and the parser had to place by what it knows, is in `notes`.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

struct document_row {
  std::string method;
  std::vector<std::string> cells;
  size_t line = 0;  // 0: not from a file
};

struct document_prototype {
  std::string method;
  std::string text;
  size_t line = 0;
};

struct document_table {
  std::string name;     // "xattr_handler"
  std::string heading;  // "xattr_handler operations"
  std::vector<std::string> columns;
  std::vector<document_row> rows;
  std::vector<document_prototype> prototypes;
  size_t line = 0;
};

struct document_note {
  size_t line = 0;
  std::string says;
};

struct edition_document {
  std::string release;  // "6.6" of a compiled edition; no published form says it, so else empty
  std::string form;     // how the text was wrapped: "a diff", "a rendered page"; or empty
  std::vector<document_table> tables;
  std::vector<document_note> notes;
};

// Why a document is no edition of the contract. The line is counted in the file as it is, but in
// the form that is one line: there it is the number printed before the source line.
struct document_error {
  size_t line = 0;
  std::string what;
};

template <class T>
using or_document_error = std::expected<T, document_error>;

inline std::unexpected<document_error> document_failure(size_t line, std::string what) {
  return std::unexpected(document_error{line, std::move(what)});
}

// The column that super_operations has in every edition, and that the older ones do not head.
inline constexpr const char* unheaded_column = "note";

HF_NAMESPACE_END
