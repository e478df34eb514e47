// SPDX-License-Identifier: Apache-2.0
//
// Every cell of the native edition's tables, broken once: the call obeys the whole row but for that
// one cell, and the one report that follows names it. Driven by the rules themselves, so that no
// cell is left out; the dispatchers' own tests show that they bind what is bound here.
//
// 1. Locks exist in the held-lock set only, in the class that the column speaks about.
// 2. Each case first runs obeyed, which must be silent.
// 3. What a cell of kind flag, names or remark asks is checked with its sentence, by the tests of
//    its dispatcher: `spoken_for_elsewhere` lists those kinds, nothing else is skipped.
#include <functional>
#include <list>
#include <ostream>

#include "contract/broken_rule_log.h"
#include "contract/native.h"
#include "contract/test_locks.h"

HF_NAMESPACE_BEGIN
namespace {

using namespace contract_test;

lock_class& class_of(column c) {
  if (const lock_class* cls = class_of_column(c)) return const_cast<lock_class&>(*cls);
  ADD_FAILURE() << "no lock class for column " << name_of(c);
  return test_other_class;
}
lock_class& class_of(const rule_cell& c) {
  if (c.id != column::note) return class_of(c.id);
  return c.asks.kind == requirement_kind::shared ? namespace_sem_class : i_lock_class;
}

bool spoken_for_elsewhere(requirement_kind k) {
  return k == requirement_kind::unstated || k == requirement_kind::remark ||
         k == requirement_kind::flag_yes || k == requirement_kind::flag_no ||
         k == requirement_kind::blocks_sometimes;
}

// How one call differs from one that obeys its row.
struct deviation {
  uint16_t cell = no_index;      // whose lock differs
  held entry = held::none;       // it is held so on entry
  bool create = false;           // O_CREAT is given
  bool rcu_walk = false;         // the call is made in RCU-walk
  bool forget_release = false;   // the method does not release what the cell says it does
  bool return_unlocked = false;  // nor take what it says it takes
  bool in_callback = true;       // runs where RCU callbacks do
  std::function<void(lock_class&)> outside = nullptr;  // runs before the call, undone after
  std::function<void()> inside = nullptr;              // the method's body
};

held obeyed_mode(requirement_kind k, bool create) {
  switch (k) {
    case requirement_kind::shared:
      return held::shared;
    case requirement_kind::exclusive:
    case requirement_kind::releases:
      return held::exclusive;
    case requirement_kind::exclusive_if_create:
      return create ? held::exclusive : held::shared;
    default:
      return held::none;
  }
}

void call(method_id m, const deviation& how) {
  const rule_row& row = native.rows[row_of[static_cast<size_t>(m)]];
  std::list<stand_in> locks;
  struct bound {
    const rule_cell* cell;
    stand_in* lock;
    bool releases, acquires;
  };
  std::vector<bound> bounds;
  for (uint16_t i = row.first_cell; i < row.first_cell + row.cell_count; ++i) {
    const rule_cell& c = native.cells[i];
    const bool acquires = c.asks.kind == requirement_kind::acquires;
    if (!native_detail::must_be_bound(c.asks.kind) && !acquires) continue;
    stand_in& lock = locks.emplace_back(class_of(c));
    const held mode = i == how.cell ? how.entry : obeyed_mode(c.asks.kind, how.create);
    if (mode != held::none) lock.hold(mode);
    bounds.push_back({&c, &lock, c.asks.kind == requirement_kind::releases, acquires});
  }
  const bool callback_before = detail::this_thread.in_rcu_callback;
  detail::this_thread.in_rcu_callback = how.in_callback;
  const uint32_t depth = detail::this_thread.own.rcu_depth;
  bool names = false;
  for (const class_cell& cc : class_cells_of[static_cast<size_t>(m)])
    names = names || (cc.cell != no_index && cc.cell != how.cell &&
                      native.cells[cc.cell].asks.kind == requirement_kind::read_section);
  stand_in renames(rename_lock_class);
  if (names) renames.hold(held::exclusive);  // keeps names without forbidding to block
  stand_in extra(how.cell != no_index && how.outside ? class_of(native.cells[how.cell])
                                                     : test_other_class);
  if (how.outside) extra.hold(held::exclusive);
  {
    gate g(m);
    ASSERT_TRUE(g.on());
    g.given(condition::o_creat, how.create);
    g.given(condition::rcu_walk, how.rcu_walk);
    for (const bound& b : bounds)
      if (!b.acquires) g.lock(b.cell->id, *b.lock, "subject");
    g.enter();
    if (how.inside) how.inside();
    for (const bound& b : bounds) {
      if (b.releases && !how.forget_release) b.lock->drop();
      if (!b.acquires) continue;
      if (!how.return_unlocked) b.lock->hold(held::exclusive);
      g.returns_locked(*b.lock, "subject");
    }
    g.leave(false);
  }
  detail::this_thread.own.rcu_depth = depth;
  detail::this_thread.in_rcu_callback = callback_before;
}

struct broken_call {
  const char* what;
  deviation how;
};

// The ways to break a cell, each by itself.
std::vector<broken_call> ways_to_break(uint16_t index) {
  const rule_cell& c = native.cells[index];
  static lock_class* left_class = nullptr;  // of the lock that a method takes and leaves
  left_class = c.id == column::may_block || c.id == column::rcu_walk ||
                       c.id == column::fs_recursion || c.id == column::held_locks
                   ? nullptr
                   : &class_of(c);
  auto leaves_one_taken = [] {
    static const char left = 0;
    after_acquire(&left, *left_class, nest::normal, 0, held::exclusive);
  };
  auto blocks = [] { might_block("the method's body"); };
  deviation d;
  d.cell = index;
  auto with = [&d](auto&& change) {
    deviation out = d;
    change(out);
    return out;
  };
  switch (c.asks.kind) {
    case requirement_kind::shared:
      return {{"not held", d}};
    case requirement_kind::exclusive:
      return {{"not held", d}, {"held shared", with([](deviation& x) { x.entry = held::shared; })}};
    case requirement_kind::none_or_shared:
      return {{"held exclusively", with([](deviation& x) { x.entry = held::exclusive; })}};
    case requirement_kind::none_or_exclusive:
      return {{"held shared", with([](deviation& x) { x.entry = held::shared; })}};
    case requirement_kind::exclusive_if_create:
      return {{"not held", d}, {"shared with O_CREAT", with([](deviation& x) {
                                  x.create = true;
                                  x.entry = held::shared;
                                })}};
    case requirement_kind::releases:
      return {{"not held", d}, {"not released", with([](deviation& x) {
                                  x.entry = held::exclusive;
                                  x.forget_release = true;
                                })}};
    case requirement_kind::acquires:
      return {{"returned unlocked", with([](deviation& x) { x.return_unlocked = true; })}};
    case requirement_kind::no_promise:
    case requirement_kind::maybe:
    case requirement_kind::may_acquire:
      return {{"taken and left", with([&](deviation& x) { x.inside = leaves_one_taken; })}};
    case requirement_kind::none:
      return {{"held on entry", with([](deviation& x) { x.outside = [](lock_class&) {}; })}};
    case requirement_kind::read_section:
      return {{"no read section", d}};
    case requirement_kind::blocks:
      return {{"called where blocking is forbidden", d}};
    case requirement_kind::never_blocks:
      return {{"blocks", with([&](deviation& x) { x.inside = blocks; })}};
    case requirement_kind::rcu_callback:
      return {{"blocks", with([&](deviation& x) { x.inside = blocks; })},
              {"no callback", with([](deviation& x) { x.in_callback = false; })}};
    case requirement_kind::blocks_in_ref_walk:
      return {{"blocks in RCU-walk", with([&](deviation& x) {
                 x.rcu_walk = true;
                 x.inside = blocks;
               })}};
    case requirement_kind::never_in_rcu_walk:
      return {{"called in RCU-walk", with([](deviation& x) { x.rcu_walk = true; })}};
    case requirement_kind::maybe_in_rcu_walk:
      return {{"leaves the section", with([](deviation& x) {
                 x.rcu_walk = true;
                 x.inside = [] { ++detail::this_thread.own.rcu_depth; };
               })}};
    default:
      ADD_FAILURE() << "no way to break " << name_of(c.asks.kind);
      return {};
  }
}

class every_cell : public contract_fixture, public testing::WithParamInterface<size_t> {};

TEST_P(every_cell, is_reported_when_it_alone_is_broken) {
  const auto m = static_cast<method_id>(GetParam());
  const uint16_t row_index = row_of[GetParam()];
  if (row_index == no_index) return;  // no rule table: its sentences have tests of their own
  const rule_row& row = native.rows[row_index];
  for (const bool create : {false, true}) {
    deviation obeyed;
    obeyed.create = create;
    call(m, obeyed);
  }
  for (const captured& r : reports)
    ADD_FAILURE() << "obeyed, but reported: " << r.kind << ' ' << r.column << ' ' << r.finding;
  for (uint16_t i = row.first_cell; i < row.first_cell + row.cell_count; ++i) {
    const rule_cell& c = native.cells[i];
    if (spoken_for_elsewhere(c.asks.kind)) continue;
    const std::string_view heading = heading_of(c.table, c.id);
    for (const broken_call& b : ways_to_break(i)) {
      SCOPED_TRACE(testing::Message() << heading << ": " << c.text << ", " << b.what);
      reset_contract_counters();
      reset_validator();
      reports.clear();
      if (c.asks.kind == requirement_kind::blocks) {
        no_block_guard forbidden("the test");
        call(m, b.how);
      } else {
        call(m, b.how);
      }
      // Locks that the broken call left.
      exec_context& own = this_context();
      while (own.held_count != 0) {
        held_lock& h = own.held_locks[own.held_count - 1];
        before_release(h.lock, *h.cls, h.mode);
      }
      ASSERT_EQ(reports.size(), 1u) << (reports.empty() ? "" : reports.back().finding);
      EXPECT_EQ(reports[0].edition, "6.6");
      EXPECT_EQ(reports[0].table, name_of(c.table));
      EXPECT_EQ(reports[0].method, c.method);
      EXPECT_EQ(reports[0].column, heading) << reports[0].finding;
      EXPECT_EQ(reports[0].cell, c.text);
      EXPECT_FALSE(reports[0].sentence.empty());
      EXPECT_FALSE(reports[0].finding.empty());
      EXPECT_FALSE(reports[0].advice.empty());
      if (!HasFailure()) log_broken_cell(name_of(c.table), c.method, heading);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(native, every_cell, testing::Range(size_t{0}, method_count),
                         [](const testing::TestParamInfo<size_t>& p) {
                           return std::string(name_of(methods[p.param].table)) + "_" +
                                  std::string(methods[p.param].name);
                         });

}  // namespace
HF_NAMESPACE_END
