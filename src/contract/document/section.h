// SPDX-License-Identifier: Apache-2.0
//
// The parts of a document between two headings, and what every layout has alike: prototypes.
#pragma once

#include <span>

#include "contract/document/text.h"

HF_NAMESPACE_BEGIN

struct document_section {
  std::string heading;
  size_t line = 0;                   // of the heading
  std::span<const text_line> lines;  // behind the heading
};

// Reads the prototypes of a section into the table. `rest` is what follows them.
struct prototypes_read {
  std::vector<document_prototype> prototypes;
  std::span<const text_line> rest;
  bool headed = false;  // the section has a line "prototypes:"
};
or_document_error<prototypes_read> read_prototypes(const document_section& section,
                                                   std::vector<document_note>& notes);

// "int (*lookup)(" at the start of the text.
bool looks_like_prototype(std::string_view text);

// The tables' layouts. Each fills columns and rows of a table from what follows the prototypes; a
// section without rows leaves both empty.
using rules_status = std::expected<void, document_error>;
rules_status read_plain_rules(std::span<const text_line> lines, bool collapsed,
                              document_table& table, std::vector<document_note>& notes);
rules_status read_rst_rules(std::span<const text_line> lines, bool collapsed, document_table& table,
                            std::vector<document_note>& notes);
rules_status read_rendered_rules(std::span<const text_line> lines, bool last_section,
                                 document_table& table, std::vector<document_note>& notes);

HF_NAMESPACE_END
