// SPDX-License-Identifier: Apache-2.0
//
// How the text of a cell is read.
//
// 1. Only the forms listed here have a reading; everything else is refused, so that a new edition's
//    new wording is noticed by a person. A remark in parentheses that only points elsewhere changes
//    nothing.
// 2. A "yes" under a lock means exclusive, which is all that a mutex or a spinlock has; where the
// lock
//    has readers the rules give the cell another reading.
// 3. "shared" and "read" mean at least shared: a caller that holds more breaks nobody's assumption.
#pragma once

#include <optional>
#include <string_view>

#include "contract/rule.h"

HF_NAMESPACE_BEGIN

struct cell_form {
  column_kind kind;
  std::string_view text;
  requirement asks;
};

inline constexpr cell_form cell_forms[] = {
    {column_kind::lock, "", {requirement_kind::unstated}},
    {column_kind::lock, "no", {requirement_kind::no_promise}},
    {column_kind::lock,
     "no (may not block if called in rcu-walk mode)",
     {requirement_kind::no_promise}},
    {column_kind::lock, "yes", {requirement_kind::exclusive}},
    {column_kind::lock, "yes (both)", {requirement_kind::exclusive, subjects::both}},
    {column_kind::lock, "shared", {requirement_kind::shared}},
    {column_kind::lock, "read", {requirement_kind::shared}},
    {column_kind::lock, "read/write", {requirement_kind::shared}},
    {column_kind::lock, "exclusive", {requirement_kind::exclusive}},
    {column_kind::lock, "write", {requirement_kind::exclusive}},
    {column_kind::lock, "yes (all)", {requirement_kind::exclusive, subjects::all}},
    {column_kind::lock, "yes[1]", {requirement_kind::exclusive, subjects::any}},
    {column_kind::lock, "exclusive (both)", {requirement_kind::exclusive, subjects::both}},
    {column_kind::lock, "exclusive (all)", {requirement_kind::exclusive, subjects::all}},
    {column_kind::lock,
     "exclusive (both parents, some children)",
     {requirement_kind::exclusive, subjects::parents_and_some_children}},
    {column_kind::lock,
     "shared (exclusive if O_CREAT is set in open flags)",
     {requirement_kind::exclusive_if_create}},
    {column_kind::lock, "no or exclusive", {requirement_kind::none_or_exclusive}},
    {column_kind::lock, "maybe", {requirement_kind::maybe}},
    {column_kind::lock, "maybe(read)", {requirement_kind::none_or_shared}},
    {column_kind::lock, "maybe-read", {requirement_kind::none_or_shared}},
    {column_kind::lock, "yes, unlocks", {requirement_kind::releases}},
    {column_kind::lock, "locks the page", {requirement_kind::acquires}},
    {column_kind::lock, "can return with page locked", {requirement_kind::may_acquire}},
    {column_kind::may_block, "yes", {requirement_kind::blocks}},
    {column_kind::may_block, "no", {requirement_kind::never_blocks}},
    {column_kind::may_block, "yes (ref-walk)", {requirement_kind::blocks_in_ref_walk}},
    {column_kind::may_block, "maybe[1]", {requirement_kind::blocks_sometimes}},
    {column_kind::may_block, "maybe[1]_", {requirement_kind::blocks_sometimes}},
    {column_kind::rcu_walk, "no", {requirement_kind::never_in_rcu_walk}},
    {column_kind::rcu_walk, "maybe", {requirement_kind::maybe_in_rcu_walk}},
    {column_kind::note, "", {requirement_kind::unstated}},
    {column_kind::note, "called from RCU callback", {requirement_kind::rcu_callback}},
    {column_kind::note, "!!!inode->i_lock!!!", {requirement_kind::exclusive}},
    {column_kind::note, "(namespace_sem)", {requirement_kind::shared}},
    {column_kind::flag, "yes", {requirement_kind::flag_yes}},
    {column_kind::flag, "no", {requirement_kind::flag_no}},
    {column_kind::names, "", {requirement_kind::unstated}},
    {column_kind::names, "-", {requirement_kind::no_promise}},
    {column_kind::names, "dqonoff_sem", {requirement_kind::remark}},
    {column_kind::names, "dqonoff_sem or dqptr_sem", {requirement_kind::remark}},
};

// The text without a trailing "(see below)" and the blanks before it.
constexpr std::string_view without_pointer(std::string_view text) {
  constexpr std::string_view pointer = "(see below)";
  if (text.ends_with(pointer)) text.remove_suffix(pointer.size());
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Nothing when the text has no reading in a column of that kind.
constexpr std::optional<requirement> read_cell(column_kind kind, std::string_view text) {
  const std::string_view bare = without_pointer(text);
  if (kind == column_kind::note && bare.empty() && !text.empty())
    return requirement{requirement_kind::remark};
  for (const cell_form& form : cell_forms)
    if (form.kind == kind && form.text == bare) return form.asks;
  return std::nullopt;
}

inline constexpr std::string_view requirement_names[] = {
    "unstated",
    "no_promise",
    "shared",
    "exclusive",
    "maybe",
    "none",
    "read_section",
    "none_or_shared",
    "none_or_exclusive",
    "exclusive_if_create",
    "releases",
    "acquires",
    "may_acquire",
    "blocks",
    "never_blocks",
    "blocks_in_ref_walk",
    "blocks_sometimes",
    "never_in_rcu_walk",
    "maybe_in_rcu_walk",
    "rcu_callback",
    "flag_yes",
    "flag_no",
    "remark",
    "unchecked",
};
constexpr std::string_view name_of(requirement_kind k) {
  return requirement_names[static_cast<size_t>(k)];
}
static_assert(name_of(requirement_kind::unchecked) == "unchecked");
static_assert(name_of(requirement_kind::releases) == "releases");

// What a requirement asks, for people: "held exclusively".
constexpr std::string_view describe(requirement_kind k) {
  switch (k) {
    case requirement_kind::shared:
      return "shared or exclusive";
    case requirement_kind::exclusive:
      return "exclusive";
    case requirement_kind::no_promise:
      return "nothing promised, and nothing handed over";
    case requirement_kind::maybe:
      return "in any state, and left so";
    case requirement_kind::none:
      return "not held";
    case requirement_kind::read_section:
      return "an RCU section, or a lock that keeps names";
    case requirement_kind::blocks:
      return "may block";
    case requirement_kind::never_blocks:
      return "may not block";
    case requirement_kind::blocks_in_ref_walk:
      return "may block in REF-walk only";
    case requirement_kind::never_in_rcu_walk:
      return "not called in RCU-walk";
    case requirement_kind::maybe_in_rcu_walk:
      return "may be called in RCU-walk, whose section it leaves as it was";
    case requirement_kind::rcu_callback:
      return "called from an RCU callback, may not block";
    case requirement_kind::none_or_shared:
      return "none or shared";
    case requirement_kind::none_or_exclusive:
      return "none or exclusive";
    case requirement_kind::exclusive_if_create:
      return "shared, or exclusive with O_CREAT";
    case requirement_kind::releases:
      return "exclusive on entry, released by the method";
    case requirement_kind::acquires:
      return "taken by the method";
    case requirement_kind::may_acquire:
      return "possibly taken by the method";
    default:
      return name_of(k);
  }
}

HF_NAMESPACE_END
