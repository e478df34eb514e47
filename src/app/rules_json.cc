// SPDX-License-Identifier: Apache-2.0
//
// Editions and changes as JSON. Headings and cells are as published, also with a leading "->".
#include "app/rules.h"

namespace holdfast::app {

using nlohmann::ordered_json;

ordered_json to_json(const edition_document& edition) {
  ordered_json out;
  if (!edition.release.empty()) out["release"] = edition.release;
  if (!edition.form.empty()) out["form"] = edition.form;
  out["tables"] = ordered_json::array();
  for (const document_table& t : edition.tables) {
    ordered_json table = {{"name", t.name}, {"heading", t.heading}, {"columns", t.columns}};
    table["rows"] = ordered_json::array();
    for (const document_row& r : t.rows) {
      ordered_json cells = ordered_json::object();
      for (size_t c = 0; c < r.cells.size(); ++c) cells[t.columns[c]] = r.cells[c];
      table["rows"].push_back({{"method", r.method}, {"cells", std::move(cells)}});
    }
    table["prototypes"] = ordered_json::array();
    for (const document_prototype& p : t.prototypes)
      table["prototypes"].push_back({{"method", p.method}, {"prototype", p.text}});
    out["tables"].push_back(std::move(table));
  }
  if (edition.release.empty()) {
    out["notes"] = ordered_json::array();
    for (const document_note& n : edition.notes)
      out["notes"].push_back({{"line", n.line}, {"says", n.says}});
  }
  return out;
}

ordered_json to_json(const std::vector<edition_change>& changes) {
  ordered_json out = ordered_json::array();
  for (const edition_change& c : changes) {
    ordered_json j = {{"change", std::string(name_of(c.kind))}, {"table", c.table}};
    if (!c.method.empty()) j["method"] = c.method;
    if (!c.column.empty()) j["column"] = c.column;
    j["old"] = c.from;
    j["new"] = c.to;
    out.push_back(std::move(j));
  }
  return out;
}

}  // namespace holdfast::app
