// SPDX-License-Identifier: Apache-2.0
//
// What a cell asks, as a sentence for people who don't know the table's shorthand.
#pragma once

#include <string_view>

#include "contract/rule.h"

HF_NAMESPACE_BEGIN

constexpr std::string_view restate(const requirement& r) {
  switch (r.kind) {
    case requirement_kind::unstated:
      return "Nothing is said.";
    case requirement_kind::no_promise:
      return "The method may not rely on the lock, nor hand it over; its caller may hold it.";
    case requirement_kind::shared:
      return "The caller holds the lock, shared or exclusively.";
    case requirement_kind::exclusive:
      switch (r.of) {
        case subjects::both:
          return "The caller holds the lock exclusively, on both objects.";
        case subjects::parents_and_some_children:
          return "The caller holds the lock exclusively, on both parents and on those children "
                 "that "
                 "the sentences below the table name.";
        default:
          return "The caller holds the lock exclusively.";
      }
    case requirement_kind::maybe:
      return "The caller may hold the lock or not; the method relies on neither, and leaves it so.";
    case requirement_kind::none:
      return "No lock of this class is held by the caller.";
    case requirement_kind::read_section:
      return "The caller is inside an RCU section, or holds a lock that keeps names as they are.";
    case requirement_kind::none_or_shared:
      return "The caller does not hold the lock, or holds it shared.";
    case requirement_kind::none_or_exclusive:
      return "The caller does not hold the lock, or holds it exclusively.";
    case requirement_kind::exclusive_if_create:
      return "The caller holds the lock shared, and exclusively if O_CREAT is given.";
    case requirement_kind::releases:
      return "The caller holds the lock exclusively; the method releases it, or hands it to the "
             "completion of I/O.";
    case requirement_kind::acquires:
      return "A call that succeeds returns with the lock held exclusively.";
    case requirement_kind::may_acquire:
      return "A call may return with the lock held.";
    case requirement_kind::blocks:
      return "The method may block, so it is called only where blocking is allowed.";
    case requirement_kind::never_blocks:
      return "The method may not block.";
    case requirement_kind::blocks_in_ref_walk:
      return "The method may block, except when it is called in RCU-walk.";
    case requirement_kind::blocks_sometimes:
      return "Whether the method may block depends on the call.";
    case requirement_kind::never_in_rcu_walk:
      return "The method is not called in RCU-walk.";
    case requirement_kind::maybe_in_rcu_walk:
      return "The method may be called in RCU-walk.";
    case requirement_kind::rcu_callback:
      return "The method is called from an RCU callback, and may not block.";
    case requirement_kind::flag_yes:
      return "Yes.";
    case requirement_kind::flag_no:
      return "No.";
    case requirement_kind::remark:
      return "A remark for people.";
    case requirement_kind::unchecked:
      return "A promise that a program can't observe.";
  }
  return "";
}

HF_NAMESPACE_END
