// SPDX-License-Identifier: Apache-2.0
//
// Lock classes: what the validator, the contract and the contention statistics know about a lock.
//
// 1. A class is a constinit object with static storage; a lock names it as a template argument
//    without default, so that no lock is anonymous.
// 2. Order is checked between (class, nest, stacking depth), never between single locks. Two locks
//    that one thread holds together and that have one class differ in nest or depth.
// 3. Counters are written in slow paths, and by the checks, only.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

enum class lock_kind : uint8_t {
  mutex,
  rwsem,
  percpu_rwsem,
  spinlock,
  seqlock,
  folio,  // a bit in a folio's flags; may be released by another thread
  rcu,
  srcu,
  wait,  // not a lock: something a thread waits for
};
const char* to_string(lock_kind k);

// Which of several locks of one class this is. Names and use as in the kernel's directory locking:
// parent before child, first parent before second; nondirectories in address order.
enum class nest : uint8_t { normal, parent, child, parent2, nondirectory, nondirectory2, xattr };
inline constexpr unsigned nest_levels = 7;
const char* to_string(nest n);

struct lock_class {
  const char* const name;
  const lock_kind kind;

  constexpr lock_class(const char* class_name, lock_kind class_kind)
      : name(class_name), kind(class_kind) {}
  lock_class(const lock_class&) = delete;
  lock_class& operator=(const lock_class&) = delete;

  std::atomic<uint64_t> acquired{0};   // acquisitions while checking is on; 0 where it never was
  std::atomic<uint64_t> contended{0};  // slow paths entered
  std::atomic<uint64_t> slept{0};      // of these, how many went to sleep
  std::atomic<uint64_t> wait_ns{0};    // time slept
  std::atomic<uint32_t> id{0};         // 0: not used yet; else 1.. in order of first use
  std::atomic<lock_class*> next_used{nullptr};
};

// Enters `c` into the registry on its first call; returns its id (from 1).
uint32_t register_lock_class(lock_class& c);
// The registry: classes that were contended, or were used while checking was on. Newest first;
// entries never leave it. for (auto* c = first_lock_class(); c; c = c->next_used.load()) ...
lock_class* first_lock_class();

HF_NAMESPACE_END
