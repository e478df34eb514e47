// SPDX-License-Identifier: Apache-2.0
//
// Names for the prose rules of the native edition, for dispatchers: prose::inode(2) is 6.6-inode-2.
//
// 1. A number that the edition lacks does not compile: the counts below are checked against the
//    compiled rules in table_check.cc.
#pragma once

#include "contract/rule.h"

HF_NAMESPACE_BEGIN

// Rules in each section, in the order of enum section.
inline constexpr uint8_t native_prose_counts[section_count] = {3, 1, 9, 1, 7,  2, 38,
                                                               1, 1, 3, 1, 14, 3, 13};

// Position of a rule in the native edition's list.
struct prose_id {
  uint16_t index;
  friend constexpr bool operator==(prose_id, prose_id) = default;
};

namespace prose {
consteval prose_id rule(section s, unsigned number) {
  unsigned first = 0;
  for (size_t i = 0; i < static_cast<size_t>(s); ++i) first += native_prose_counts[i];
  // Reading past the end is what stops a wrong number: it is no constant expression.
  const unsigned count = native_prose_counts[static_cast<size_t>(s)];
  const unsigned ok = 1 / static_cast<unsigned>(number >= 1 && number <= count);
  return prose_id{static_cast<uint16_t>(first + (number - 1) * ok)};
}
consteval prose_id dentry(unsigned n) {
  return rule(section::dentry, n);
}
consteval prose_id inode(unsigned n) {
  return rule(section::inode, n);
}
consteval prose_id xattr(unsigned n) {
  return rule(section::xattr, n);
}
consteval prose_id super(unsigned n) {
  return rule(section::super, n);
}
consteval prose_id fstype(unsigned n) {
  return rule(section::fstype, n);
}
consteval prose_id aops(unsigned n) {
  return rule(section::aops, n);
}
consteval prose_id flock(unsigned n) {
  return rule(section::flock, n);
}
consteval prose_id lockmgr(unsigned n) {
  return rule(section::lockmgr, n);
}
consteval prose_id bh(unsigned n) {
  return rule(section::bh, n);
}
consteval prose_id bdev(unsigned n) {
  return rule(section::bdev, n);
}
consteval prose_id file(unsigned n) {
  return rule(section::file, n);
}
consteval prose_id dquot(unsigned n) {
  return rule(section::dquot, n);
}
consteval prose_id vm(unsigned n) {
  return rule(section::vm, n);
}
}  // namespace prose

HF_NAMESPACE_END
