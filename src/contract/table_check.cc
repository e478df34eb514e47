// SPDX-License-Identifier: Apache-2.0
//
// Proof, while compiling, that the native tables and the native rules have the same methods. It
// makes no code: a difference is a compile error that names what is missing in its condition.
#include "contract/native.h"
#include "contract/prose_id.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr size_t rows_named(table_id t, std::string_view method) {
  size_t n = 0;
  for (const rule_row& r : native.rows) n += r.table == t && r.method == method;
  return n;
}
constexpr size_t prototypes_named(table_id t, std::string_view method) {
  size_t n = 0;
  for (const rule_prototype& p : native.prototypes) n += p.table == t && p.method == method;
  return n;
}
constexpr size_t methods_named(table_id t, std::string_view method) {
  size_t n = 0;
  for (const method_entry& m : methods) n += m.table == t && m.name == method;
  return n;
}

// One assertion a list entry, so that the compiler's message names it.
template <method_id M>
constexpr bool is_ruled() {
  constexpr const method_entry& m = entry_of(M);
  constexpr size_t rows = rows_named(m.table, m.name);
  constexpr size_t prototypes = prototypes_named(m.table, m.name);
  static_assert(rows <= 1, "two rows for one method");
  static_assert(rows + prototypes >= 1, "a method of the tables without row and prototype");
  return true;
}
template <size_t... I>
constexpr bool all_ruled(std::index_sequence<I...>) {
  return (is_ruled<static_cast<method_id>(I)>() && ...);
}
static_assert(all_ruled(std::make_index_sequence<method_count>{}));

template <size_t I>
constexpr bool row_has_entry() {
  static_assert(methods_named(native.rows[I].table, native.rows[I].method) == 1,
                "a row of the rules without its entry in the tables");
  return true;
}
template <size_t... I>
constexpr bool all_rows(std::index_sequence<I...>) {
  return (row_has_entry<I>() && ...);
}
static_assert(all_rows(std::make_index_sequence<native.rows.size()>{}));

template <size_t I>
constexpr bool prototype_has_entry() {
  static_assert(methods_named(native.prototypes[I].table, native.prototypes[I].method) == 1,
                "a prototype of the rules without its entry in the tables");
  return true;
}
template <size_t... I>
constexpr bool all_prototypes(std::index_sequence<I...>) {
  return (prototype_has_entry<I>() && ...);
}
static_assert(all_prototypes(std::make_index_sequence<native.prototypes.size()>{}));

// The counts that prose::inode(2) and its like rely on.
constexpr bool counts_agree() {
  size_t n[section_count] = {};
  for (const prose_rule& p : native.prose) ++n[static_cast<size_t>(p.in)];
  for (size_t i = 0; i < section_count; ++i)
    if (n[i] != native_prose_counts[i]) return false;
  return true;
}
static_assert(counts_agree(), "native_prose_counts in prose_id.h is not what the rules have");
static_assert(native.prose[prose::inode(2).index].id == "6.6-inode-2");
static_assert(native.prose[prose::vm(13).index].id == "6.6-vm-13");

}  // namespace
HF_NAMESPACE_END
