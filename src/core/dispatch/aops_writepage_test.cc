// SPDX-License-Identifier: Apache-2.0
//
// ->writepage: "redirty, unlock, return 0" or "set writeback, unlock, end it once", each sentence
// kept and broken. I/O ends on another thread than the one that began it.
#include <cerrno>

#include "core/dispatch/aops_fixture.h"

HF_NAMESPACE_BEGIN
namespace {

class aops_writepage_test : public aops_fixture {
 protected:
  // Calls ->writepage as its callers do, and cleans up what a broken one leaves.
  void write(writeback_sync mode, std::function<Result<int>(folio&, writeback_control&)> how) {
    dirty(page);
    write_as_it_is(mode, std::move(how));
  }
  void write_as_it_is(writeback_sync mode,
                      std::function<Result<int>(folio&, writeback_control&)> how) {
    body::writepage = std::move(how);
    writeback_control wbc{.sync_mode = mode};
    folio_lock(page);
    folio_clear_dirty_for_io(page);
    (void)aops::writepage(page, wbc);
    if (held_mode(&page) != held::none) folio_unlock(page);
    if (page.test(pg_writeback)) on_another_thread([&] { folio_end_writeback(page); });
  }
  static Result<int> obeys(folio& fo, writeback_control&) {
    folio_start_writeback(fo);
    folio_unlock(fo);
    folio_submit_write(fo);
    return 0;
  }
  static Result<int> redirties(folio& fo, writeback_control& wbc) {
    folio_redirty_for_writepage(wbc, fo);
    folio_unlock(fo);
    return 0;
  }
  static constexpr writeback_sync none = writeback_sync::none;
  static constexpr writeback_sync all = writeback_sync::all;
};

TEST_F(aops_writepage_test, unlocks_the_folio) {
  auto reports = during([&] {
    write(none, [](folio& fo, writeback_control&) -> Result<int> {
      folio_start_writeback(fo);
      folio_submit_write(fo);
      return 0;
    });
  });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "exit");
  EXPECT_EQ(reports[0].method, "writepage");
  EXPECT_EQ(reports[0].column, "folio locked");
  log_broken_cell(reports[0].table, reports[0].method, reports[0].column);
}

TEST_F(aops_writepage_test, knows_what_it_is_called_for) {
  expect_one(
      "writepage", "6.6-aops-5", "sync_mode is neither none nor all",
      [&] {
        write(none, obeys);
        write(all, obeys);
      },
      [&] { write(static_cast<writeback_sync>(7), obeys); });
}

TEST_F(aops_writepage_test, starts_io_for_a_sync) {
  expect_one(
      "writepage", "6.6-aops-6", "no writeback was begun for a sync", [&] { write(all, obeys); },
      [&] {
        write(all, [](folio& fo, writeback_control&) -> Result<int> {
          folio_unlock(fo);
          return 0;
        });
      });
  obligations::reset();
  expect_one(
      "writepage", "6.6-aops-6", "WRITEPAGE_ACTIVATE was returned to a sync", [&] {},
      [&] {
        write(all, [](folio&, writeback_control&) -> Result<int> { return writepage_activate; });
      });
}

TEST_F(aops_writepage_test, does_not_wait_to_clean_memory) {
  auto waits = [&](folio& fo, writeback_control& wbc) {
    std::thread io = end_when_awaited(fo);
    folio_wait_writeback(fo);
    io.join();
    return obeys(fo, wbc);
  };
  auto with_old_io = [&](writeback_sync mode, auto how) {
    folio_lock(page);
    folio_start_writeback(page);
    folio_unlock(page);
    folio_submit_write(page);
    write(mode, how);
  };
  expect_one(
      "writepage", "6.6-aops-7", "waits for I/O under way, not for a sync",
      [&] {
        with_old_io(all, waits);
        with_old_io(none, redirties);
      },
      [&] { with_old_io(none, waits); }, "advice");
  // The same state, for a sync: the new writeback comes after the old one.
  expect_one(
      "writepage", "6.6-aops-10", "new writeback is set while the old one runs",
      [&] { with_old_io(all, waits); }, [&] { with_old_io(all, obeys); });
}

TEST_F(aops_writepage_test, redirties_and_returns_zero) {
  expect_one(
      "writepage", "6.6-aops-8", "the folio was redirtied, and the return value is not 0",
      [&] {
        write(none, redirties);
        EXPECT_TRUE(page.test(pg_dirty));
        EXPECT_TRUE(page.marks & mark_dirty);
      },
      [&] {
        write(none, [](folio& fo, writeback_control& wbc) -> Result<int> {
          (void)redirties(fo, wbc);
          return Error(EIO);
        });
      });
}

TEST_F(aops_writepage_test, redirties_rarely_for_a_sync) {
  expect_one(
      "writepage", "6.6-aops-9", "more than half of the calls for a sync redirty their folio",
      [&] {
        for (int i = 0; i < 40; ++i) {
          if (i % 2 != 0)
            write(all, redirties);
          else
            write(all, obeys);
        }
      },
      [&] {
        for (int i = 0; i < 20; ++i) write(all, redirties);
      },
      "advice");
}

TEST_F(aops_writepage_test, activate_comes_back_locked_and_is_left_alone) {
  auto activate = [](folio&, writeback_control&) -> Result<int> { return writepage_activate; };
  expect_one(
      "writepage", "6.6-aops-11", "WRITEPAGE_ACTIVATE was returned with the folio unlocked",
      [&] { write(none, activate); },
      [&] {
        obligations::reset();
        write(none, [](folio& fo, writeback_control&) -> Result<int> {
          folio_unlock(fo);
          return writepage_activate;
        });
      });
  expect_one(
      "writepage", "6.6-aops-12",
      "the folio answered WRITEPAGE_ACTIVATE, and was not moved aside since",
      [&] {
        write(none, activate);
        folio_activate(page);
        write(none, activate);
        write(all, obeys);  // a sync doesn't wait for its age
        write(none, obeys);
      },
      [&] {
        write(none, activate);
        write(none, obeys);
      });
}

TEST_F(aops_writepage_test, sets_writeback_before_it_unlocks) {
  expect_one(
      "writepage", "6.6-aops-13", "writeback is set after the folio was unlocked",
      [&] { write(none, obeys); },
      [&] {
        write(none, [](folio& fo, writeback_control&) -> Result<int> {
          folio_unlock(fo);
          folio_start_writeback(fo);
          folio_submit_write(fo);
          return 0;
        });
      });
  page.marks = 0;
  expect_one(
      "writepage", "6.6-aops-13",
      "the folio was unlocked without being redirtied or set under writeback", [&] {},
      [&] {
        write_as_it_is(none, [](folio& fo, writeback_control&) -> Result<int> {
          folio_unlock(fo);
          return 0;
        });
      });
}

TEST_F(aops_writepage_test, ends_what_it_began_once) {
  auto ends = [&](int times) {
    return [times](folio& fo, writeback_control& wbc) {
      Result<int> r = obeys(fo, wbc);
      on_another_thread([&] {
        for (int i = 0; i < times; ++i) folio_end_writeback(fo);
      });
      return r;
    };
  };
  expect_one(
      "writepage", "6.6-aops-14", "writeback is ended that was not begun",
      [&] { write(none, ends(1)); }, [&] { write(none, ends(2)); });
  expect_one(
      "writepage", "6.6-aops-14", "I/O is submitted before writeback is set", [&] {},
      [&] {
        write(none, [](folio& fo, writeback_control&) -> Result<int> {
          folio_submit_write(fo);
          folio_start_writeback(fo);
          folio_unlock(fo);
          folio_submit_write(fo);
          return 0;
        });
      });
  expect_one(
      "writepage", "6.6-aops-14", "writeback is set a second time", [&] {},
      [&] {
        write(none, [](folio& fo, writeback_control& wbc) -> Result<int> {
          folio_start_writeback(fo);
          return obeys(fo, wbc);
        });
      });
}

TEST_F(aops_writepage_test, without_io_it_ends_writeback_itself) {
  expect_one(
      "writepage", "6.6-aops-15", "writeback was set, no I/O was submitted, and writeback goes on",
      [&] {
        write(all, [](folio& fo, writeback_control&) -> Result<int> {
          folio_start_writeback(fo);
          folio_unlock(fo);
          folio_end_writeback(fo);
          return 0;
        });
      },
      [&] {
        write(all, [](folio& fo, writeback_control&) -> Result<int> {
          folio_start_writeback(fo);
          folio_unlock(fo);
          return 0;
        });
      });
}

TEST_F(aops_writepage_test, may_stay_locked_until_writeback_ends) {
  auto completes = [&](bool unlock_first) {
    return [unlock_first](folio& fo, writeback_control&) -> Result<int> {
      folio_start_writeback(fo);
      folio_lend(fo);
      folio_submit_write(fo);
      on_another_thread([&] {
        if (unlock_first) folio_unlock(fo);
        folio_end_writeback(fo);
        if (!unlock_first) folio_unlock(fo);
      });
      return 0;
    };
  };
  expect_one(
      "writepage", "6.6-aops-16", "the folio is unlocked after its writeback ended",
      [&] {
        write(none, completes(true));
        write(none, obeys);
      },
      [&] { write(none, completes(false)); });
  // Nobody unlocks at all: seen by whoever asks.
  expect_one(
      "writepage", "6.6-aops-16", "the folio is still locked after its writeback ended", [&] {},
      [&] {
        write(none, [](folio& fo, writeback_control&) -> Result<int> {
          folio_start_writeback(fo);
          folio_lend(fo);
          folio_submit_write(fo);
          on_another_thread([&] { folio_end_writeback(fo); });
          return 0;
        });
        obligations::report_open(page, false);
      });
  folio_unlock(page);
}

TEST_F(aops_writepage_test, what_could_not_be_tracked_is_not_judged) {
  obligations::fail_allocations(true);
  auto unlocks = [](folio& fo, writeback_control&) -> Result<int> {
    folio_unlock(fo);
    return 0;
  };
  auto reports = during([&] {
    write(none, unlocks);
    write(all, unlocks);
    write(all, obeys);
    write(none, redirties);
  });
  obligations::fail_allocations(false);
  for (const caught& c : reports) ADD_FAILURE() << c;
}

TEST_F(aops_writepage_test, does_one_of_the_two) {
  expect_one(
      "writepage", "6.6-aops-17",
      "the folio was unlocked, neither redirtied nor under writeback: it is clean, and its mark in "
      "the index is dirty",
      [&] {
        write(none, obeys);
        EXPECT_FALSE(page.test(pg_dirty));
        EXPECT_FALSE(page.marks & mark_dirty);
        write(none, redirties);
      },
      [&] {
        write(none, [](folio& fo, writeback_control&) -> Result<int> {
          folio_unlock(fo);
          return 0;
        });
      });
}

// A completion on another thread may unlock and end while the method still runs, and another thread
// may begin the next round before the first has returned.
TEST_F(aops_writepage_test, rounds_of_several_threads_are_told_apart) {
  body::writepage = [](folio& fo, writeback_control& wbc) {
    if (fo.test(pg_writeback)) return redirties(fo, wbc);
    folio_start_writeback(fo);
    folio_unlock(fo);
    folio_submit_write(fo);
    folio_end_writeback(fo);
    return Result<int>(0);
  };
  auto reports = during([&] {
    std::thread threads[4];
    for (std::thread& t : threads)
      t = std::thread([&] {
        for (int i = 0; i < 2000; ++i) {
          writeback_control wbc;
          folio_lock(page);
          dirty(page);
          folio_clear_dirty_for_io(page);
          EXPECT_TRUE(aops::writepage(page, wbc).ok());
        }
      });
    for (std::thread& t : threads) t.join();
  });
  for (const caught& c : reports) ADD_FAILURE() << c;
  EXPECT_GE(read_contract_counters().operations, 8000u);
}

}  // namespace
HF_NAMESPACE_END
