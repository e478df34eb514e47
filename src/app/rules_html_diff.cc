// SPDX-License-Identifier: Apache-2.0
//
// Oldest first where editions are compared, newest first where their lists are merged: the newest
// order wins, and what is gone stays behind its old neighbour.
#include "app/rules_html_diff.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "contract/editions.h"

namespace holdfast::app {

namespace {

// Merges lists that are alike: what `order` lacks goes behind its neighbour in the other list.
template <class T>
void merge_into(std::vector<T>& order, const std::vector<T>& other) {
  size_t at = 0;
  for (const T& x : other) {
    const auto found = std::find(order.begin(), order.end(), x);
    if (found == order.end())
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(at++), x);
    else
      at = static_cast<size_t>(found - order.begin()) + 1;
  }
}

std::vector<std::string_view> method_order(table_id t) {
  std::vector<std::string_view> order;
  for (size_t i = editions().size(); i-- > 0;) {
    const edition_rules& e = *editions()[i];
    std::vector<std::string_view> rows, prototypes;
    for (const rule_row& r : e.rows)
      if (r.table == t) rows.push_back(r.method);
    for (const rule_prototype& p : e.prototypes)
      if (p.table == t) prototypes.push_back(p.method);
    merge_into(order, rows);
    merge_into(order, prototypes);
  }
  return order;
}

column native_column(const edition_rules& e, table_id t, column id) {
  for (const column_successor& s : e.column_successors)
    if (s.table == t && s.id == id) return s.native;
  return id;
}

const rule_cell* cell_of(const edition_rules& e, const rule_row& row, column native_id) {
  for (const rule_cell& c : e.cells.subspan(row.first_cell, row.cell_count))
    if (native_column(e, row.table, c.id) == native_id) return &c;
  return nullptr;
}

change compare(const rule_cell* before, const rule_cell& now) {
  if (before == nullptr)
    return now.asks.kind == requirement_kind::unstated ? change::none : change::changed;
  if (before->asks != now.asks) return change::changed;
  return before->text == now.text ? change::none : change::reworded;
}

// White space is no difference: the editions set "struct x*" and "struct x *".
bool same_prototype(std::string_view a, std::string_view b) {
  const auto without_blanks = [](std::string_view s) {
    std::string out(s);
    std::erase(out, ' ');
    return out;
  };
  return without_blanks(a) == without_blanks(b);
}

void look_up(method_in_edition& m, const edition_rules& e, table_id t, std::string_view method) {
  for (const rule_row& r : e.rows)
    if (r.table == t && r.method == method) m.row = &r;
  for (const rule_prototype& p : e.prototypes)
    if (p.table == t && p.method == method) m.prototype = &p;
  for (const method_successor& s : e.successors)
    if (s.table == t && s.method == method) m.successor = &s;
}

void compare(const method_in_edition& before, const edition_rules& before_in,
             method_in_edition& now, const edition_rules& now_in) {
  now.added = now.present() && !before.present();
  now.removed = !now.present() && before.present();
  if (!now.present() || !before.present()) return;
  const bool both = now.prototype != nullptr && before.prototype != nullptr;
  now.prototype_changed = both ? !same_prototype(now.prototype->text, before.prototype->text)
                               : now.prototype != before.prototype;
  if (now.row == nullptr) return;
  size_t i = 0;
  for (const rule_cell& c : now_in.cells.subspan(now.row->first_cell, now.row->cell_count)) {
    const column id = native_column(now_in, c.table, c.id);
    now.cells[i++] =
        compare(before.row == nullptr ? nullptr : cell_of(before_in, *before.row, id), c);
  }
}

// Sentences are one when they say the same, or when they are the same native rule.
bool is_one(const prose_rule& a, const prose_rule& b) {
  if (a.in != b.in) return false;
  return a.says == b.says || a.same == b.id || b.same == a.id ||
         (!a.same.empty() && a.same == b.same);
}

bool takes(const sentence_history& h, const prose_rule& p, size_t edition) {
  if (h.in[edition] != nullptr) return false;
  return std::any_of(h.in.begin(), h.in.end(),
                     [&](const prose_rule* q) { return q != nullptr && is_one(*q, p); });
}

}  // namespace

bool method_in_edition::differs() const {
  return added || removed || prototype_changed ||
         std::find(cells.begin(), cells.end(), change::changed) != cells.end();
}

std::vector<method_history> methods_of(table_id t) {
  std::vector<method_history> out;
  for (const std::string_view method : method_order(t)) {
    method_history h{t, method, std::vector<method_in_edition>(editions().size())};
    for (size_t i = 0; i < h.in.size(); ++i) {
      method_in_edition& m = h.in[i];
      look_up(m, *editions()[i], t, method);
      if (m.row != nullptr) m.cells.assign(m.row->cell_count, change::none);
      if (i > 0) compare(h.in[i - 1], *editions()[i - 1], m, *editions()[i]);
    }
    out.push_back(std::move(h));
  }
  return out;
}

const prose_rule& sentence_history::newest() const {
  size_t i = in.size() - 1;
  while (in[i] == nullptr) --i;
  return *in[i];
}

bool sentence_history::differs(size_t edition) const {
  if (edition == 0) return false;
  const prose_rule* before = in[edition - 1];
  const prose_rule* now = in[edition];
  if (before == nullptr || now == nullptr) return before != now;
  return before->says != now->says;
}

std::vector<sentence_history> sentences_of(section s) {
  std::vector<sentence_history> out;
  for (size_t e = editions().size(); e-- > 0;) {
    size_t at = 0;
    for (const prose_rule& p : editions()[e]->prose) {
      if (p.in != s) continue;
      const auto found = std::find_if(out.begin(), out.end(),
                                      [&](const sentence_history& h) { return takes(h, p, e); });
      if (found == out.end()) {
        sentence_history h{std::vector<const prose_rule*>(editions().size())};
        h.in[e] = &p;
        out.insert(out.begin() + static_cast<std::ptrdiff_t>(at++), std::move(h));
      } else {
        found->in[e] = &p;
        at = static_cast<size_t>(found - out.begin()) + 1;
      }
    }
  }
  return out;
}

}  // namespace holdfast::app
