// SPDX-License-Identifier: Apache-2.0
//
// ->writepages: which folios and how many. The folios are in the mapping's index; each rule kept by
// a writer that obeys and broken by the same writer with one slip.
#include <cerrno>

#include "core/dispatch/aops_fixture.h"

HF_NAMESPACE_BEGIN
namespace {

class aops_writepages_test : public aops_fixture {
 protected:
  void TearDown() override {
    for (folio* fo : folios)
      if (fo->test(pg_writeback)) folio_end_writeback(*fo);
    for (folio* fo : folios) folio_put(fo);
    aops_fixture::TearDown();
  }
  void make(unsigned count, unsigned order = 0) {
    for (unsigned i = 0; i < count; ++i) folios.push_back(add_folio(pgoff_t{i} << order, order));
  }
  static void write_one(folio& fo) {
    folio_lock(fo);
    folio_clear_dirty_for_io(fo);
    folio_start_writeback(fo);
    folio_unlock(fo);
    folio_submit_write(fo);
    on_another_thread([&fo] { folio_end_writeback(fo); });
  }
  // Writes at most `most` dirty folios and counts `miscounted` pages too few.
  static Status write_some(address_space& m, writeback_control& wbc, int64_t most,
                           int64_t miscounted) {
    pgoff_t index = 0;
    folio* fo = nullptr;
    while (most-- > 0 && filemap_get_marked(m, index, UINT64_MAX - 1, mark_dirty, &fo, 1) != 0) {
      write_one(*fo);
      wbc.nr_to_write -= static_cast<int64_t>(fo->nr_pages());
      folio_put(fo);
    }
    wbc.nr_to_write += miscounted;
    return {};
  }
  static auto writes(int64_t most, int64_t miscounted = 0) {
    return [=](address_space& m, writeback_control& wbc) {
      return write_some(m, wbc, most, miscounted);
    };
  }
  void call(writeback_sync mode, int64_t nr,
            std::function<Status(address_space&, writeback_control&)> how) {
    for (folio* fo : folios) dirty(*fo);
    body::writepages = std::move(how);
    writeback_control wbc{.nr_to_write = nr, .sync_mode = mode};
    EXPECT_TRUE(aops::writepages(mapping, wbc).ok());
  }

  static constexpr writeback_sync none = writeback_sync::none;
  static constexpr writeback_sync all = writeback_sync::all;
  static constexpr int64_t no_count = INT64_MAX;
  std::vector<folio*> folios;
};

TEST_F(aops_writepages_test, leaves_no_folio_between_clean_and_written) {
  make(2);
  expect_one(
      "writepages", "6.6-aops-17", "a folio is clean, and its mark in the index is dirty",
      [&] { call(none, 2, writes(2)); },
      [&] {
        call(none, 2, [&](address_space& m, writeback_control& wbc) {
          folio_lock(*folios[0]);
          folio_clear_dirty_for_io(*folios[0]);
          folio_unlock(*folios[0]);
          write_one(*folios[1]);
          --wbc.nr_to_write;
          EXPECT_EQ(&m, &mapping);
          return Status();
        });
      });
}

TEST_F(aops_writepages_test, starts_io_on_as_many_as_asked_for) {
  make(4);
  expect_one(
      "writepages", "6.6-aops-18",
      "I/O was started on fewer pages than asked for, with more of them dirty",
      [&] {
        call(none, 3, writes(3));
        call(none, 100, writes(4));
        call(none, 3, [&](address_space&, writeback_control& wbc) {
          for (folio* fo : folios) {  // what can't be written now is redirtied
            folio_lock(*fo);
            folio_clear_dirty_for_io(*fo);
            folio_redirty_for_writepage(wbc, *fo);
            folio_unlock(*fo);
          }
          return Status();
        });
      },
      [&] { call(none, 3, writes(1)); }, "advice");
}

TEST_F(aops_writepages_test, counts_each_page_down) {
  make(4);
  expect_one(
      "writepages", "6.6-aops-19", "nr_to_write did not fall by the number of pages written",
      [&] { call(none, 4, writes(4)); }, [&] { call(none, 4, writes(4, 1)); });
}

TEST_F(aops_writepages_test, stays_near_the_number) {
  make(2, max_folio_order);
  expect_one(
      "writepages", "6.6-aops-20", "I/O was started on far more pages than asked for",
      [&] { call(none, 1, writes(1)); },  // a folio is written whole
      [&] { call(none, 1, writes(2)); }, "advice");
}

TEST_F(aops_writepages_test, writes_everything_without_a_number) {
  make(3);
  expect_one(
      "writepages", "6.6-aops-21", "a folio is dirty since before the call for a sync",
      [&] {
        call(all, no_count, writes(3));
        // What is dirtied meanwhile is nobody's promise.
        call(all, no_count, [&](address_space& m, writeback_control& wbc) {
          Status st = write_some(m, wbc, 3, 0);
          on_another_thread([&] { dirty(*folios[1]); });
          return st;
        });
      },
      [&] { call(all, no_count, writes(2)); });
}

TEST_F(aops_writepages_test, a_range_is_written_and_nothing_is_promised_beyond) {
  make(3);
  auto reports = during([&] {
    for (folio* fo : folios) dirty(*fo);
    body::writepages = writes(1);
    writeback_control wbc{.range_end = page_size - 1, .sync_mode = all};
    EXPECT_TRUE(aops::writepages(mapping, wbc).ok());
  });
  for (const caught& c : reports) ADD_FAILURE() << c;
}

TEST_F(aops_writepages_test, writes_the_mapping_it_was_called_for) {
  make(1);
  page.mapping = &other_regular.i_data;
  expect_one(
      "writepages", "6.6-aops-22", "writes a folio of another mapping",
      [&] { call(none, 1, writes(1)); },
      [&] {
        call(none, 1, [&](address_space& m, writeback_control& wbc) {
          write_one(page);
          return write_some(m, wbc, 1, 0);
        });
      });
}

// Another thread may do the writing, or write for itself: then numbers prove nothing.
TEST_F(aops_writepages_test, other_threads_make_no_false_numbers) {
  make(4);
  auto reports = during([&] {
    call(none, 4, [&](address_space& m, writeback_control& wbc) {
      on_another_thread([&] {
        writeback_control theirs;
        EXPECT_TRUE(write_some(m, theirs, 4, 0).ok());
      });
      wbc.nr_to_write -= 4;
      return Status();
    });
  });
  for (const caught& c : reports) ADD_FAILURE() << c;
}

TEST_F(aops_writepages_test, several_threads_at_once) {
  make(16);
  body::writepages = [](address_space& m, writeback_control& wbc) {
    pgoff_t index = 0;
    folio* fo = nullptr;
    while (filemap_get_marked(m, index, UINT64_MAX - 1, mark_dirty, &fo, 1) != 0) {
      folio_lock(*fo);
      folio_wait_writeback(*fo);
      if (folio_clear_dirty_for_io(*fo)) {
        folio_start_writeback(*fo);
        folio_unlock(*fo);
        folio_submit_write(*fo);
        folio_end_writeback(*fo);
        --wbc.nr_to_write;
      } else {
        folio_unlock(*fo);
      }
      folio_put(fo);
    }
    return Status();
  };
  auto reports = during([&] {
    std::thread threads[4];
    for (std::thread& t : threads)
      t = std::thread([&] {
        for (int i = 0; i < 100; ++i) {
          for (folio* fo : folios) {
            folio_lock(*fo);
            dirty(*fo);
            folio_unlock(*fo);
          }
          writeback_control wbc{.sync_mode = all};
          EXPECT_TRUE(aops::writepages(mapping, wbc).ok());
        }
      });
    for (std::thread& t : threads) t.join();
  });
  for (const caught& c : reports) ADD_FAILURE() << c;
  EXPECT_GE(read_contract_counters().operations, 400u);
}

}  // namespace
HF_NAMESPACE_END
