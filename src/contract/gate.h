// SPDX-License-Identifier: Apache-2.0
//
// The gate: what a dispatcher runs around the one call of a method, so that the call is checked
// against the contract of the native edition.
//
//   gate g(method_id::inode_lookup);
//   if (g.on()) [[unlikely]] {
//     g.lock(column::i_rwsem, dir.i_rwsem, "dir");
//     g.enter();
//   }
//   auto r = dir.i_op->lookup(dir, d, flags);
//   g.leave(!r.ok());
//
// The order inside is: given(), then lock() and require(), then enter(), the call, then
// returns_locked() and keeps(), then leave().
//
// 1. With checking off a gate is one predictable test at each end; it allocates nothing, and
//    touches nothing but itself. With checking compiled out it is nothing.
// 2. enter() compares what is held with what the rules ask, reports what differs, remembers the
//    held set, and puts the thread in a no-block scope when the method may not block. leave()
//    undoes the scope and compares the held set again: it must be the same, but for the rules that
//    say otherwise.
// 3. A gate goes on after a report (or the process ends, in mode abort): it never changes what the
//    method returns.
// 4. Gates of one execution context nest; a gate is opened and left by the same context.
// 5. A lock is known by its address. A gate never dereferences it after the call: a method may free
//    it.
// 6. When no memory is left for a gate's record the call goes unchecked, and is counted as such.
#pragma once

#include <utility>

#include "contract/method.h"
#include "contract/prose_id.h"
#include "holdfast/sync/context.h"

HF_NAMESPACE_BEGIN

// Facts about a call's arguments that some rules depend on; a condition that is not given is false.
enum class condition : uint8_t {
  o_creat,   // atomic_open: O_CREAT is in the open flags
  rcu_walk,  // the call is made in RCU-walk
  ustat,     // statfs: the caller is ustat(2), which has no path that pins the superblock
};

struct gate_record;  // gate.cc

namespace contract_detail {
// Null when memory is out.
gate_record* gate_open(method_id m) noexcept;
void gate_given(gate_record& r, condition c, bool value) noexcept;
void gate_lock(gate_record& r, column c, const void* lock, const char* role) noexcept;
void gate_lock(gate_record& r, prose_id p, const void* lock, const char* role,
               requirement_kind kind) noexcept;
void gate_lock(gate_record& r, column c, prose_id p, const void* lock, const char* role) noexcept;
void gate_require(gate_record& r, bool holds, prose_id p, const char* found) noexcept;
void gate_require(gate_record& r, bool holds, column c, prose_id p, const char* found) noexcept;
void gate_absent(gate_record& r, column c) noexcept;
void gate_forbid_blocking(gate_record& r) noexcept;
void gate_enter(gate_record& r) noexcept;
void gate_returns_locked(gate_record& r, const void* lock, const char* role) noexcept;
void gate_returns_locked(gate_record& r, prose_id p, const void* lock, const char* role) noexcept;
void gate_keeps(gate_record& r, const void* lock) noexcept;
void gate_leave(gate_record& r, bool failed) noexcept;  // gives the record back
}  // namespace contract_detail

class [[nodiscard]] gate {
 public:
  explicit gate(method_id m) noexcept
      : record_(checking_on() ? contract_detail::gate_open(m) : nullptr) {}
  ~gate() { leave(true); }
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  // The other members may only be called when this is true; leave() always.
  bool on() const noexcept { return record_ != nullptr; }

  // States a fact about the arguments. Before lock() and enter().
  void given(condition c, bool value) noexcept { contract_detail::gate_given(*record_, c, value); }

  // Binds a lock to a column of the method's row, under the name of the argument it belongs to
  // ("dir", "victim": a string literal). Once for each argument that the column speaks about.
  template <class Lock>
  void lock(column c, const Lock& l, const char* role) noexcept {
    contract_detail::gate_lock(*record_, c, static_cast<const void*>(&l), role);
  }
  // The same where several locks' types may stand for the column's.
  void lock_at(column c, const void* l, const char* role) noexcept {
    contract_detail::gate_lock(*record_, c, l, role);
  }
  // Binds a lock to a prose rule that asks for it.
  template <class Lock>
  void lock(prose_id p, const Lock& l, const char* role,
            requirement_kind kind = requirement_kind::exclusive) noexcept {
    contract_detail::gate_lock(*record_, p, static_cast<const void*>(&l), role, kind);
  }
  // The same for a cell that a sentence repeats: a report names both.
  template <class Lock>
  void lock(column c, prose_id p, const Lock& l, const char* role) noexcept {
    contract_detail::gate_lock(*record_, c, p, static_cast<const void*>(&l), role);
  }
  // The rule p demands `holds`; `found` says what is there instead (a literal).
  void require(bool holds, prose_id p, const char* found) noexcept {
    contract_detail::gate_require(*record_, holds, p, found);
  }
  // The same for a cell that p explains: a report names both.
  void require(bool holds, column c, prose_id p, const char* found) noexcept {
    contract_detail::gate_require(*record_, holds, c, p, found);
  }

  // The column's subject does not exist in this call (a batch without folios, a mapping that is
  // being torn down): nothing is compared, and nobody complains that nothing was bound.
  void absent(column c) noexcept { contract_detail::gate_absent(*record_, c); }
  // This call may not block, though not every call of the method is so.
  void forbid_blocking() noexcept { contract_detail::gate_forbid_blocking(*record_); }

  void enter() noexcept { contract_detail::gate_enter(*record_); }

  // After a successful call: the method returned with this lock held exclusively, as a column
  // ("locks the page", "can return with page locked") allows or demands.
  template <class Lock>
  void returns_locked(const Lock& l, const char* role) noexcept {
    contract_detail::gate_returns_locked(*record_, static_cast<const void*>(&l), role);
  }
  // The same, demanded by a prose rule.
  template <class Lock>
  void returns_locked(prose_id p, const Lock& l, const char* role) noexcept {
    contract_detail::gate_returns_locked(*record_, p, static_cast<const void*>(&l), role);
  }
  // After the call: this lock, which the method releases by its column, is still held by exception
  // (->writepage that returned AOP_WRITEPAGE_ACTIVATE).
  template <class Lock>
  void keeps(const Lock& l) noexcept {
    contract_detail::gate_keeps(*record_, static_cast<const void*>(&l));
  }

  // Ends the call; `failed` excuses the locks that are taken only on success. Idempotent.
  void leave(bool failed) noexcept {
    if (record_ != nullptr) [[unlikely]]
      contract_detail::gate_leave(*std::exchange(record_, nullptr), failed);
  }

 private:
  gate_record* record_;
};

HF_NAMESPACE_END
