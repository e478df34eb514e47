// SPDX-License-Identifier: Apache-2.0
//
// An edition as comma-separated values; see csv.h.
#include "contract/document/csv.h"

HF_NAMESPACE_BEGIN

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv_record(std::initializer_list<std::string_view> fields) {
  std::string out;
  bool first = true;
  for (const std::string_view f : fields) {
    if (!first) out += ',';
    first = false;
    out += csv_field(f);
  }
  return out + '\n';
}

std::string_view csv_column(std::string_view heading) {
  if (heading.starts_with("->")) heading.remove_prefix(2);
  return heading;
}

std::string rules_csv(const edition_document& edition) {
  std::string out = "table,method,column,value\n";
  for (const document_table& t : edition.tables)
    for (const document_row& row : t.rows)
      for (size_t c = 0; c < row.cells.size(); ++c)
        out += csv_record({t.heading, row.method, csv_column(t.columns[c]), row.cells[c]});
  return out;
}

std::string prototypes_csv(const edition_document& edition) {
  std::string out = "table,method,prototype\n";
  for (const document_table& t : edition.tables)
    for (const document_prototype& p : t.prototypes)
      out += csv_record({t.heading, p.method, p.text});
  return out;
}

HF_NAMESPACE_END
