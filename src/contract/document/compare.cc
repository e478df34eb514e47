// SPDX-License-Identifier: Apache-2.0
//
// What differs between two editions; see compare.h.
#include "contract/document/compare.h"

#include <algorithm>
#include <optional>

#include "contract/document/csv.h"
#include "contract/editions.h"

HF_NAMESPACE_BEGIN
namespace {

const document_table* find_table(const edition_document& e, std::string_view name) {
  for (const document_table& t : e.tables)
    if (t.name == name) return &t;
  return nullptr;
}
const document_row* find_row(const document_table& t, std::string_view method) {
  for (const document_row& r : t.rows)
    if (r.method == method) return &r;
  return nullptr;
}
const document_prototype* find_prototype(const document_table& t, std::string_view method) {
  for (const document_prototype& p : t.prototypes)
    if (p.method == method) return &p;
  return nullptr;
}
bool has_method(const document_table& t, std::string_view method) {
  return find_row(t, method) != nullptr || find_prototype(t, method) != nullptr;
}
// Prototypes first, as in the document; then the rows that have none.
std::vector<std::string_view> methods_of(const document_table& t) {
  std::vector<std::string_view> out;
  for (const document_prototype& p : t.prototypes) out.push_back(p.method);
  for (const document_row& r : t.rows)
    if (find_prototype(t, r.method) == nullptr) out.push_back(r.method);
  return out;
}

struct method_name {
  std::string_view table;
  std::string_view method;
  friend bool operator==(const method_name&, const method_name&) = default;
};

// What a method became in the native edition: itself where no edition says otherwise, nothing where
// one says that it is gone. An edition counts only if it has the method.
std::optional<method_name> native_name(std::string_view table, std::string_view method,
                                       std::string_view release) {
  for (const edition_rules* e : editions()) {
    if (!release.empty() && e->release != release) continue;
    for (const method_successor& s : e->successors)
      if (name_of(s.table) == table && s.method == method) {
        if (s.native_method.empty()) return std::nullopt;
        return method_name{name_of(s.native_table), s.native_method};
      }
  }
  return method_name{table, method};
}

// The id of a column is the same in all editions; its successor is in the older ones.
std::string_view native_column(std::string_view table, std::string_view heading) {
  for (const edition_rules* e : editions())
    for (const rule_column& c : e->columns) {
      if (name_of(c.table) != table || c.heading != heading) continue;
      for (const column_successor& s : e->column_successors)
        if (s.table == c.table && s.id == c.id) return name_of(s.native);
      return name_of(c.id);
    }
  return heading;
}

class comparison {
 public:
  comparison(const edition_document& older, const edition_document& newer)
      : older_(older), newer_(newer) {}

  std::vector<edition_change> run() {
    for (const document_table& t : newer_.tables) {
      if (const document_table* old = find_table(older_, t.name)) {
        compare(*old, t);
      } else {
        add({change_kind::table_added, t.name, {}, {}, {}, t.heading});
        for (const std::string_view m : methods_of(t))
          add({change_kind::method_added, t.name, std::string(m), {}, {}, {}});
      }
    }
    for (const document_table& t : older_.tables) {
      if (find_table(newer_, t.name) != nullptr) continue;
      add({change_kind::table_removed, t.name, {}, {}, t.heading, {}});
      for (const std::string_view m : methods_of(t)) add_removed(t, m);
    }
    return std::move(out_);
  }

 private:
  void add(edition_change c) { out_.push_back(std::move(c)); }

  // The release whose list of successors speaks for a document: its own, or any for a file.
  static bool replaces(const method_name& native, std::string_view table, std::string_view method,
                       std::string_view release) {
    const auto name = native_name(table, method, release);
    return name && *name == native;
  }

  // What the newer edition has in place of an older one's method, under another name.
  std::optional<method_name> successor(std::string_view table, std::string_view method) const {
    const auto native = native_name(table, method, older_.release);
    if (!native) return std::nullopt;
    const document_table* same = find_table(newer_, table);
    // A method of that name is the same one, unless the older edition says otherwise.
    if (same != nullptr && has_method(*same, method) &&
        replaces(*native, table, method, newer_.release))
      return method_name{table, method};
    for (const document_table& t : newer_.tables)
      for (const std::string_view m : methods_of(t))
        if (replaces(*native, t.name, m, newer_.release)) return method_name{t.name, m};
    return std::nullopt;
  }

  void add_removed(const document_table& old, std::string_view method) {
    std::string to;
    if (const auto next = successor(old.name, method))
      to = next->table == old.name ? std::string(next->method)
                                   : std::string(next->table) + "." + std::string(next->method);
    add({change_kind::method_removed, old.name, std::string(method), {}, std::string(method), to});
  }

  struct heir {
    std::string_view method;
    std::optional<method_name> next;
  };

  // The older edition's method that is a newer one's, in the same table; empty when it is new.
  static std::string_view origin(const std::vector<heir>& heirs, std::string_view table,
                                 std::string_view method) {
    const auto is_it = [&](const heir& h) {
      return h.next && h.next->table == table && h.next->method == method;
    };
    for (const heir& h : heirs)
      // Without a known successor in the newer edition a namesake is the same method.
      if (h.method == method && (is_it(h) || !h.next)) return method;
    for (const heir& h : heirs)
      if (is_it(h)) return h.method;
    return {};
  }

  void compare(const document_table& old, const document_table& now) {
    const std::vector<size_t> columns = compare_columns(old, now);
    std::vector<std::string_view> kept;
    std::vector<heir> heirs;
    for (const std::string_view m : methods_of(old)) heirs.push_back({m, successor(old.name, m)});
    for (const std::string_view m : methods_of(now)) {
      const std::string_view from = origin(heirs, now.name, m);
      if (from.empty()) {
        add({change_kind::method_added, now.name, std::string(m), {}, {}, std::string(m)});
        continue;
      }
      kept.push_back(from);
      if (from != m)
        add({change_kind::method_renamed,
             now.name,
             std::string(m),
             {},
             std::string(from),
             std::string(m)});
      compare_prototypes(old, from, now, m);
      compare_rows(old, from, now, m, columns);
    }
    for (const std::string_view m : methods_of(old))
      if (std::find(kept.begin(), kept.end(), m) == kept.end()) add_removed(old, m);
  }

  // For each column of `now` the one of `old` that it is, or columns.size().
  std::vector<size_t> compare_columns(const document_table& old, const document_table& now) {
    std::vector<size_t> out(now.columns.size(), old.columns.size());
    std::vector<bool> used(old.columns.size());
    for (const bool by_name : {true, false})
      for (size_t n = 0; n < now.columns.size(); ++n)
        for (size_t o = 0; o < old.columns.size() && out[n] == old.columns.size(); ++o) {
          const bool same = by_name ? old.columns[o] == now.columns[n]
                                    : native_column(old.name, old.columns[o]) ==
                                          native_column(now.name, now.columns[n]);
          if (!same || used[o]) continue;
          used[o] = true;
          out[n] = o;
        }
    for (size_t n = 0; n < now.columns.size(); ++n)
      if (out[n] == old.columns.size())
        add({change_kind::column_added, now.name, {}, now.columns[n], {}, now.columns[n]});
      else if (old.columns[out[n]] != now.columns[n])
        add({change_kind::column_renamed,
             now.name,
             {},
             now.columns[n],
             old.columns[out[n]],
             now.columns[n]});
    for (size_t o = 0; o < old.columns.size(); ++o)
      if (!used[o])
        add({change_kind::column_removed, now.name, {}, old.columns[o], old.columns[o], {}});
    return out;
  }

  void compare_prototypes(const document_table& old, std::string_view from,
                          const document_table& now, std::string_view method) {
    const document_prototype* a = find_prototype(old, from);
    const document_prototype* b = find_prototype(now, method);
    if (a == nullptr && b == nullptr) return;
    if (a != nullptr && b != nullptr && a->text == b->text) return;
    add({a == nullptr   ? change_kind::prototype_added
         : b == nullptr ? change_kind::prototype_removed
                        : change_kind::prototype_changed,
         now.name,
         std::string(method),
         {},
         a == nullptr ? "" : a->text,
         b == nullptr ? "" : b->text});
  }

  void compare_rows(const document_table& old, std::string_view from, const document_table& now,
                    std::string_view method, const std::vector<size_t>& columns) {
    const document_row* a = find_row(old, from);
    const document_row* b = find_row(now, method);
    if (a == nullptr && b == nullptr) return;
    if (a == nullptr || b == nullptr) {
      add({a == nullptr ? change_kind::row_added : change_kind::row_removed,
           now.name,
           std::string(method),
           {},
           {},
           {}});
      return;
    }
    for (size_t n = 0; n < columns.size(); ++n) {
      const std::string before = columns[n] < a->cells.size() ? a->cells[columns[n]] : "";
      if (before != b->cells[n])
        add({change_kind::cell_changed, now.name, std::string(method), now.columns[n], before,
             b->cells[n]});
    }
    // What stood under a column that is gone.
    for (size_t o = 0; o < a->cells.size(); ++o)
      if (!a->cells[o].empty() && std::find(columns.begin(), columns.end(), o) == columns.end())
        add({change_kind::cell_changed, now.name, std::string(method), old.columns[o], a->cells[o],
             ""});
  }

  const edition_document& older_;
  const edition_document& newer_;
  std::vector<edition_change> out_;
};

}  // namespace

std::string_view name_of(change_kind k) {
  constexpr std::string_view names[] = {
      "table added",     "table removed",     "column added",      "column removed",
      "column renamed",  "method added",      "method removed",    "method renamed",
      "prototype added", "prototype removed", "prototype changed", "row added",
      "row removed",     "cell changed",
  };
  return names[static_cast<size_t>(k)];
}

std::vector<edition_change> compare_editions(const edition_document& older,
                                             const edition_document& newer) {
  return comparison(older, newer).run();
}

namespace {

bool has_method(const edition_document& e, std::string_view table, std::string_view method) {
  for (const document_table& t : e.tables) {
    if (t.name != table) continue;
    for (const document_row& r : t.rows)
      if (r.method == method) return true;
    for (const document_prototype& p : t.prototypes)
      if (p.method == method) return true;
  }
  return false;
}

}  // namespace

std::vector<edition_change> with_names_that_went(std::vector<edition_change> changes,
                                                 const edition_document& older,
                                                 const edition_document& newer) {
  std::vector<edition_change> out;
  for (edition_change& c : changes) {
    if (c.kind == change_kind::method_renamed) {
      if (!has_method(newer, c.table, c.from))
        out.push_back({change_kind::method_removed, c.table, c.from, {}, c.from, c.to});
      if (!has_method(older, c.table, c.to))
        out.push_back({change_kind::method_added, c.table, c.to, {}, {}, c.to});
    }
    out.push_back(std::move(c));
  }
  return out;
}

std::string changes_csv(const std::vector<edition_change>& changes) {
  std::string out = "change,table,method,column,old,new\n";
  for (const edition_change& c : changes)
    out += csv_record({name_of(c.kind), c.table, c.method, csv_column(c.column), c.from, c.to});
  return out;
}

HF_NAMESPACE_END
