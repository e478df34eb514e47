// SPDX-License-Identifier: Apache-2.0
//
// The table of tracked folios by itself: what it keeps and forgets, what it does without memory,
// and that advice is told and never fatal. The rules are tested with their dispatchers.
#include "contract/obligations.h"

#include <thread>

#include "contract/test_locks.h"

HF_NAMESPACE_BEGIN
namespace {

class obligations_test : public contract_test::contract_fixture {
 protected:
  void SetUp() override {
    contract_fixture::SetUp();
    obligations::reset();
  }
  void TearDown() override {
    obligations::fail_allocations(false);
    obligations::reset();
    contract_fixture::TearDown();
  }
  static void read_to_io(folio& f) {
    folio_lock(f);
    obligations::episode_begins(method_id::aops_read_folio, f);
    folio_submit_read(f);
    obligations::episode_returns(f, 1);
  }
};

TEST_F(obligations_test, a_folio_is_forgotten_when_it_is_freed) {
  folio* f = folio_alloc(0, false);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(obligations::tracked(), 0u);
  folio_lock(*f);
  folio_start_writeback(*f);
  folio_unlock(*f);
  EXPECT_EQ(obligations::tracked(), 1u);
  std::thread([&] { folio_end_writeback(*f); }).join();
  folio_put(f);
  EXPECT_EQ(obligations::tracked(), 0u);
  EXPECT_TRUE(reports.empty());
}

TEST_F(obligations_test, what_is_owed_at_the_end_is_reported) {
  folio* f = folio_alloc(0, false);
  ASSERT_NE(f, nullptr);
  folio_lock(*f);
  folio_start_writeback(*f);
  folio_unlock(*f);
  folio_put(f);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].rule, "6.6-aops-14");
  EXPECT_EQ(reports[0].finding, "writeback was begun and never ended");
  EXPECT_EQ(reports[0].sentence,
            "Once writeback is set I/O may be submitted, and its completion "
            "must end writeback.");
}

TEST_F(obligations_test, without_memory_nothing_is_tracked_and_nothing_reported) {
  folio f;
  obligations::fail_allocations(true);
  folio_lock(f);
  EXPECT_EQ(obligations::episode_begins(method_id::aops_writepage, f), 0u);
  folio_unlock(f);
  EXPECT_FALSE(obligations::episode_returns(f, 0).known);
  EXPECT_EQ(obligations::tracked(), 0u);
  // Memory comes back in the middle.
  folio_lock(f);
  folio_start_writeback(f);
  obligations::fail_allocations(false);
  folio_unlock(f);
  folio_submit_write(f);
  folio_end_writeback(f);
  obligations::report_open(f, true);
  EXPECT_TRUE(reports.empty()) << reports[0].finding;
}

TEST_F(obligations_test, switching_checks_on_in_the_middle_makes_no_report) {
  folio f;
  set_check_mode(check_mode::off);
  folio_lock(f);
  folio_start_writeback(f);
  folio_submit_read(f);  // lent while nobody looked
  EXPECT_EQ(obligations::tracked(), 0u);
  set_check_mode(check_mode::report);
  std::thread([&] {
    folio_end_writeback(f);
    folio_unlock(f);
  }).join();
  EXPECT_TRUE(reports.empty()) << reports[0].finding;
  EXPECT_FALSE(folio_locked(f));
}

TEST_F(obligations_test, a_lent_lock_is_nobodys) {
  folio f;
  folio_lock(f);
  EXPECT_EQ(held_mode(&f), held::exclusive);
  folio_lend(f);
  EXPECT_EQ(held_mode(&f), held::none);
  EXPECT_TRUE(folio_locked(f));
  EXPECT_FALSE(folio_trylock(f));
  std::thread([&] { folio_unlock(f); }).join();
  EXPECT_TRUE(folio_trylock(f));
  EXPECT_EQ(held_mode(&f), held::exclusive) << "the next owner is one again";
  folio_unlock(f);
  EXPECT_TRUE(reports.empty());
}

TEST_F(obligations_test, advice_is_told_counted_and_not_fatal) {
  set_check_mode(check_mode::abort);
  obligations::advise(method_id::aops_writepage, prose::aops(7), "waits", "don't");
  set_check_mode(check_mode::report);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "advice");
  EXPECT_EQ(reports[0].rule, "6.6-aops-7");
  EXPECT_NE(text.find("6.6-aops-7"), std::string::npos);
  EXPECT_EQ(read_contract_counters().violations, 1u);
}

TEST_F(obligations_test, a_broken_rule_is_fatal_in_abort_mode) {
  set_violation_text(nullptr, nullptr);
  EXPECT_DEATH(
      {
        set_check_mode(check_mode::abort);
        obligations::report(method_id::aops_writepage, prose::aops(14), "found", "advice");
      },
      "6.6-aops-14");
}

// Each folio is locked here and unlocked there, many at once.
TEST_F(obligations_test, folios_pass_between_threads) {
  constexpr size_t n = 64;
  static folio folios[n];
  std::atomic<bool> stop{false};
  std::thread io([&] {
    while (!stop.load())
      for (folio& f : folios)
        if (f.test(pg_lent)) folio_end_read(f, true);
  });
  std::thread readers[3];
  for (std::thread& t : readers)
    t = std::thread([&] {
      for (int round = 0; round < 50; ++round)
        for (folio& f : folios) read_to_io(f);
    });
  for (std::thread& t : readers) t.join();
  for (folio& f : folios) {
    folio_lock(f);
    folio_unlock(f);
  }
  stop = true;
  io.join();
  for (folio& f : folios) obligations::report_open(f, true);
  EXPECT_TRUE(reports.empty()) << reports[0].finding;
  EXPECT_EQ(obligations::tracked(), n);
}

}  // namespace
HF_NAMESPACE_END
