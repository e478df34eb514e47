// SPDX-License-Identifier: Apache-2.0
//
// For the contract's own tests: locks that only exist in the held-lock set, and captured reports.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/gate.h"
#include "holdfast/contract.h"
#include "holdfast/sync/hooks.h"
#include "holdfast/sync/violation.h"

HF_NAMESPACE_BEGIN
namespace contract_test {

inline constinit lock_class test_rwsem_class{"test_i_rwsem", lock_kind::rwsem};
inline constinit lock_class test_other_class{"test_s_umount", lock_kind::rwsem};
inline constinit lock_class test_folio_class{"test_folio_lock", lock_kind::folio};
inline constinit lock_class test_spin_class{"test_i_lock", lock_kind::spinlock};

// Excludes nobody: it is recorded as held and that is all. Single-threaded use.
class stand_in {
 public:
  explicit stand_in(lock_class& c, nest n = nest::normal) : class_(c), level_(n) {}
  ~stand_in() { drop(); }
  stand_in(const stand_in&) = delete;
  stand_in& operator=(const stand_in&) = delete;

  void take(held mode) {
    before_acquire(this, class_, level_, 0, mode);
    after_acquire(this, class_, level_, 0, mode);
    mode_ = mode;
  }
  // As if it had been tried: held, and in no order.
  void hold(held mode) {
    after_acquire(this, class_, level_, 0, mode);
    mode_ = mode;
  }
  void drop() {
    if (mode_ != held::none) before_release(this, class_, mode_);
    mode_ = held::none;
  }

 private:
  lock_class& class_;
  nest level_;
  held mode_ = held::none;
};

// The parts of a violation that tests look at, copied.
struct captured {
  std::string edition, kind, table, method, column, cell, rule, sentence, finding, operation,
      advice;
  std::vector<std::string> held;  // "class mode role"
  unsigned frames = 0;
};

class contract_fixture : public testing::Test {
 protected:
  void SetUp() override {
    reset_validator();
    reset_contract_counters();
    set_check_mode(check_mode::report);
    set_violation_callback(&contract_fixture::capture, this);
    set_violation_text(&contract_fixture::capture_text, this);
  }
  void TearDown() override {
    set_check_mode(check_mode::off);
    set_violation_callback(nullptr, nullptr);
    set_violation_text(nullptr, nullptr);
    reset_validator();
    reset_contract_counters();
  }

  static void capture(const violation& v, void* self) {
    captured c;
    c.edition = v.edition;
    c.kind = v.kind;
    c.table = v.table;
    c.method = v.method;
    c.column = v.column;
    c.cell = v.cell;
    c.rule = v.rule;
    c.sentence = v.sentence;
    c.finding = v.finding;
    c.operation = v.operation;
    c.advice = v.advice;
    for (unsigned i = 0; i < v.held_count; ++i)
      c.held.push_back(std::string(v.held[i].lock_class) + " " + v.held[i].mode + " " +
                       v.held[i].role);
    c.frames = v.frame_count;
    static_cast<contract_fixture*>(self)->reports.push_back(c);
  }
  static void capture_text(std::string_view text, void* self) {
    static_cast<contract_fixture*>(self)->text += text;
  }

  std::vector<captured> reports;
  std::string text;
};

}  // namespace contract_test
HF_NAMESPACE_END
