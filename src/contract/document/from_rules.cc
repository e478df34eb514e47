// SPDX-License-Identifier: Apache-2.0
//
// A compiled edition in the model of the published one; see from_rules.h.
#include "contract/document/from_rules.h"

HF_NAMESPACE_BEGIN

edition_document document_of(const edition_rules& rules) {
  edition_document out;
  out.release = rules.release;
  for (const rule_table& t : rules.tables) {
    document_table table;
    table.name = name_of(t.id);
    table.heading = t.heading;
    for (const rule_column& c : rules.columns)
      if (c.table == t.id)
        table.columns.emplace_back(c.heading.empty() ? unheaded_column : c.heading);
    for (const rule_row& r : rules.rows) {
      if (r.table != t.id) continue;
      document_row row{std::string(r.method), {}, 0};
      for (const rule_cell& cell : rules.cells.subspan(r.first_cell, r.cell_count))
        row.cells.emplace_back(cell.text);
      table.rows.push_back(std::move(row));
    }
    for (const rule_prototype& p : rules.prototypes)
      if (p.table == t.id)
        table.prototypes.push_back({std::string(p.method), std::string(p.text), 0});
    out.tables.push_back(std::move(table));
  }
  return out;
}

HF_NAMESPACE_END
