// SPDX-License-Identifier: Apache-2.0
//
// The native edition's rules joined with the native tables' methods, at compile time. Internal to
// src/contract: nothing else sees the generated header.
//
// 1. row_of[m] is the row of method m, or no_index for a method that has a prototype only.
// 2. blocking_of[m] comes from the row's own column where the table has one, else from the line
//    that names the method, else from the table's default.
#pragma once

#include <array>

#include "contract/method.h"
#include "contract/requirement.h"
#include "holdfast/lock_classes.h"
#include "holdfast_rules_6_6.h"

HF_NAMESPACE_BEGIN

inline constexpr const edition_rules& native = rules_6_6::edition;
inline constexpr size_t native_cell_count = rules_6_6::edition.cells.size();
inline constexpr size_t native_prose_count = rules_6_6::edition.prose.size();
inline constexpr uint16_t no_index = 0xffff;

struct method_blocking {
  requirement_kind kind = requirement_kind::unstated;
  uint16_t cell = no_index;   // where it is stated: a cell
  uint16_t prose = no_index;  // or a prose rule
};

namespace native_detail {
constexpr std::array<uint16_t, method_count> find_rows() {
  std::array<uint16_t, method_count> out{};
  for (size_t m = 0; m < method_count; ++m) {
    out[m] = no_index;
    for (size_t r = 0; r < native.rows.size(); ++r)
      if (native.rows[r].table == methods[m].table && native.rows[r].method == methods[m].name)
        out[m] = static_cast<uint16_t>(r);
  }
  return out;
}
}  // namespace native_detail

inline constexpr std::array<uint16_t, method_count> row_of = native_detail::find_rows();

namespace native_detail {
constexpr bool is_blocking_column(column c) {
  for (const rule_column& col : native.columns)
    if (col.id == c) return col.kind == column_kind::may_block;
  return false;
}

constexpr std::array<method_blocking, method_count> find_blocking() {
  std::array<method_blocking, method_count> out{};
  for (size_t m = 0; m < method_count; ++m) {
    for (const blocking_rule& b : native.blocking)
      if (b.table == methods[m].table &&
          (b.method == methods[m].name ||
           (b.method.empty() && out[m].kind == requirement_kind::unstated)))
        out[m] = {b.kind, no_index, b.prose};
    if (row_of[m] == no_index) continue;
    const rule_row& row = native.rows[row_of[m]];
    for (uint16_t i = row.first_cell; i < row.first_cell + row.cell_count; ++i)
      if (is_blocking_column(native.cells[i].id)) out[m] = {native.cells[i].asks.kind, i, no_index};
  }
  return out;
}
}  // namespace native_detail

inline constexpr std::array<method_blocking, method_count> blocking_of =
    native_detail::find_blocking();

// Sentences that the gate checks by itself whenever a method is entered, beyond what blocking_of
// says.
inline constexpr size_t max_gate_prose = 2;
using gate_prose = std::array<uint16_t, max_gate_prose>;

namespace native_detail {
constexpr std::array<gate_prose, method_count> find_gate_prose() {
  std::array<gate_prose, method_count> out{};
  for (size_t m = 0; m < method_count; ++m) {
    size_t n = 0;
    out[m].fill(no_index);
    for (const prose_target& t : native.targets)
      if (t.table == methods[m].table && t.method == methods[m].name &&
          t.prose != blocking_of[m].prose && native.prose[t.prose].check == checked_by::gate)
        out[m].at(n++) = t.prose;  // too many for a method: no constant expression
  }
  return out;
}
}  // namespace native_detail

inline constexpr std::array<gate_prose, method_count> gate_prose_of =
    native_detail::find_gate_prose();

// What the document prints above the column in that table; empty when the table has no such column.
constexpr std::string_view heading_of(table_id t, column c) {
  for (const rule_column& col : native.columns)
    if (col.table == t && col.id == c) return col.heading;
  return {};
}

// The cell of a method in a column, or no_index.
constexpr uint16_t cell_of(method_id m, column c) {
  const uint16_t row = row_of[static_cast<size_t>(m)];
  if (row == no_index) return no_index;
  for (uint16_t i = native.rows[row].first_cell;
       i < native.rows[row].first_cell + native.rows[row].cell_count; ++i)
    if (native.cells[i].id == c) return i;
  return no_index;
}

// Which lock class a column speaks about. One class may have several headings; the first whose
// column the table has is meant.
struct class_column {
  const lock_class* cls;
  column id;
};
inline constexpr class_column class_columns[] = {
    {&rename_lock_class, column::rename_lock}, {&d_lock_class, column::d_lock},
    {&i_rwsem_class, column::i_rwsem},         {&s_umount_class, column::s_umount},
    {&i_lock_class, column::i_lock},           {&i_lock_class, column::note},
    {&namespace_sem_class, column::note},      {&folio_lock_class, column::folio_locked},
    {&folio_lock_class, column::page_locked},  {&invalidate_lock_class, column::invalidate_lock},
    {&flc_lock_class, column::flc_lock},       {&blocked_lock_class, column::blocked_lock_lock},
    {&open_mutex_class, column::open_mutex},   {&mmap_lock_class, column::mmap_lock},
    {&s_umount_class, column::held_locks},
};

constexpr const lock_class* class_of_column(column id) {
  for (const class_column& c : class_columns)
    if (c.id == id) return c.cls;
  return nullptr;
}

// The cell of a method that speaks about locks of that class, or no_index. A note speaks about one
// only if it names a lock.
constexpr uint16_t cell_of_class(method_id m, const lock_class* cls) {
  for (const class_column& c : class_columns) {
    if (c.cls != cls) continue;
    const uint16_t cell = cell_of(m, c.id);
    if (cell == no_index) continue;
    const requirement_kind asks = native.cells[cell].asks.kind;
    if (c.id != column::note || asks == requirement_kind::exclusive ||
        asks == requirement_kind::shared)
      return cell;
  }
  return no_index;
}

// Cells that the gate compares on entry by the class of what is held, without a lock being bound.
struct class_cell {
  uint16_t cell = no_index;
  const lock_class* cls = nullptr;
};
inline constexpr size_t max_class_cells = 2;
using class_cells = std::array<class_cell, max_class_cells>;

namespace native_detail {
constexpr std::array<class_cells, method_count> find_class_cells() {
  std::array<class_cells, method_count> out{};
  for (size_t m = 0; m < method_count; ++m) {
    if (row_of[m] == no_index) continue;
    const rule_row& row = native.rows[row_of[m]];
    size_t n = 0;
    for (uint16_t i = row.first_cell; i < row.first_cell + row.cell_count; ++i) {
      const requirement_kind asks = native.cells[i].asks.kind;
      if (asks != requirement_kind::none && asks != requirement_kind::read_section) continue;
      out[m].at(n++) = {i, class_of_column(native.cells[i].id)};
    }
  }
  return out;
}

// Lock cells that demand something of a lock that only the dispatcher can name.
constexpr bool must_be_bound(requirement_kind k) {
  return k == requirement_kind::shared || k == requirement_kind::exclusive ||
         k == requirement_kind::none_or_shared || k == requirement_kind::none_or_exclusive ||
         k == requirement_kind::exclusive_if_create || k == requirement_kind::releases;
}
}  // namespace native_detail

inline constexpr std::array<class_cells, method_count> class_cells_of =
    native_detail::find_class_cells();

// Cells that are met by the call itself; lock columns with a demand count where they are bound.
constexpr bool counts_on_entry(requirement_kind kind) {
  switch (kind) {
    case requirement_kind::unstated:
    case requirement_kind::shared:
    case requirement_kind::exclusive:
    case requirement_kind::none_or_shared:
    case requirement_kind::none_or_exclusive:
    case requirement_kind::exclusive_if_create:
    case requirement_kind::releases:
    case requirement_kind::acquires:
    case requirement_kind::may_acquire:
      return false;
    default:
      return true;
  }
}

HF_NAMESPACE_END
