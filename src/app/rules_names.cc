// SPDX-License-Identifier: Apache-2.0
//
// What TABLE[.METHOD] and a release name, and what was probably meant where they name nothing.
#include <algorithm>

#include "app/rules.h"
#include "contract/editions.h"

namespace holdfast::app {
namespace {

// Letters to insert, remove or exchange.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

std::string perhaps(const std::string& word, const std::vector<std::string>& known) {
  const std::vector<std::string> near = near_matches(word, known);
  return near.empty() ? std::string{} : "; did you mean " + listed(near) + "?";
}

const document_table* table_named(const edition_document& e, const std::string& name) {
  for (const document_table& t : e.tables)
    if (t.name == name || t.heading == name) return &t;
  return nullptr;
}

std::vector<std::string> methods_of(const document_table& t) {
  std::vector<std::string> out;
  for (const document_prototype& p : t.prototypes) out.push_back(p.method);
  for (const document_row& r : t.rows)
    if (std::find(out.begin(), out.end(), r.method) == out.end()) out.push_back(r.method);
  return out;
}

bool has_method(const document_table& t, const std::string& method) {
  const std::vector<std::string> all = methods_of(t);
  return std::find(all.begin(), all.end(), method) != all.end();
}

}  // namespace

std::vector<std::string> near_matches(const std::string& word,
                                      const std::vector<std::string>& known) {
  std::vector<std::pair<size_t, std::string>> found;
  for (const std::string& k : known) {
    size_t distance = edit_distance(word, k);
    // A part of the name is near, too.
    if (word.size() >= 3 && k.find(word) != std::string::npos)
      distance = std::min<size_t>(distance, 2);
    if (distance <= std::max<size_t>(2, word.size() / 4)) found.emplace_back(distance, k);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<std::string> out;
  for (const auto& [distance, name] : found)
    if (out.size() < 4) out.push_back(name);
  return out;
}

const edition_rules& edition_named(const std::string& release) {
  if (const edition_rules* e = find_edition(release)) return *e;
  std::vector<std::string> known;
  for (const edition_rules* e : editions()) known.emplace_back(e->release);
  throw unknown_name("no edition of release " + release + "; there are " + listed(known));
}

rules_selection select_rules(const edition_document& edition, const std::string& what) {
  if (what.empty()) return {};
  if (const document_table* t = table_named(edition, what)) return {t->name, {}};
  std::vector<std::string> tables;
  for (const document_table& t : edition.tables) tables.push_back(t.name);
  const std::string of = " in the edition of release " + edition.release;
  if (const size_t dot = what.rfind('.'); dot != std::string::npos) {
    const std::string name = what.substr(0, dot);
    const std::string method = what.substr(dot + 1);
    const document_table* t = table_named(edition, name);
    if (t == nullptr) throw unknown_name("no table " + name + of + perhaps(name, tables));
    if (!has_method(*t, method))
      throw unknown_name("no method " + method + " of " + t->name + of +
                         perhaps(method, methods_of(*t)));
    return {t->name, method};
  }
  std::vector<std::string> having;
  std::vector<std::string> known = tables;
  for (const document_table& t : edition.tables) {
    for (const std::string& m : methods_of(t)) known.push_back(m);
    if (has_method(t, what)) having.push_back(t.name + "." + what);
  }
  if (having.empty()) throw unknown_name("no table or method " + what + of + perhaps(what, known));
  if (having.size() > 1)
    throw unknown_name("more than one table has a method " + what + ": " + listed(having));
  return {having.front().substr(0, having.front().rfind('.')), what};
}

edition_document only(const edition_document& edition, const rules_selection& s) {
  if (s.table.empty()) return edition;
  edition_document out = edition;
  std::erase_if(out.tables, [&](const document_table& t) { return t.name != s.table; });
  if (s.method.empty()) return out;
  for (document_table& t : out.tables) {
    std::erase_if(t.rows, [&](const document_row& r) { return r.method != s.method; });
    std::erase_if(t.prototypes, [&](const document_prototype& p) { return p.method != s.method; });
  }
  return out;
}

}  // namespace holdfast::app
