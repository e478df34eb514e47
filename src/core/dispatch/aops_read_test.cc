// SPDX-License-Identifier: Apache-2.0
//
// Filling folios: "unlocked exactly once", by the method or by I/O that ends on another thread; and
// calls from a worker that has no task's memory.
#include <cerrno>

#include "core/dispatch/aops_fixture.h"
#include "holdfast/libfs.h"
#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN
namespace {

class aops_read_test : public aops_fixture {
 protected:
  void read(folio& fo, std::function<Status(folio&)> how) {
    body::read_folio = std::move(how);
    shared hold(mapping.invalidate_lock);
    folio_lock(fo);
    (void)aops::read_folio(nullptr, fo);
  }
  // I/O that ends `times` times.
  static auto io(int times) {
    return [times](folio& fo) -> Status {
      folio_submit_read(fo);
      on_another_thread([&] {
        for (int i = 0; i < times; ++i) folio_end_read(fo, true);
      });
      return {};
    };
  }
};

TEST_F(aops_read_test, read_folio_unlocks_once) {
  expect_one(
      "read_folio", "6.6-aops-3", "the folio is unlocked a second time",
      [&] {
        read(page, io(1));
        EXPECT_TRUE(page.test(pg_uptodate));
        read(page, [](folio& fo) -> Status {
          folio_unlock(fo);
          return Error(EIO);
        });
        EXPECT_FALSE(folio_locked(page));
      },
      [&] { read(page, io(2)); });
  // The second one hits somebody else's lock.
  expect_one(
      "read_folio", "6.6-aops-3", "the folio is unlocked a second time", [&] {},
      [&] {
        read(page, io(1));
        folio_lock(page);
        on_another_thread([&] { folio_end_read(page, true); });
        // The bit is gone, the lock is still written down as ours.
        EXPECT_FALSE(folio_locked(page));
        forget_held(&page, folio_lock_class, held::exclusive);
      });
}

// Lent to I/O that was never submitted: nobody will unlock it, and eviction says so before it
// waits.
TEST_F(aops_read_test, an_unlock_that_nobody_owes_any_more_is_missed_at_eviction) {
  folio* fo = add_folio(0);
  expect_one(
      "read_folio", "6.6-aops-3", "the folio was never unlocked",
      [&] {
        read(*fo, [](folio& g) -> Status {
          folio_submit_read(g);
          return {};
        });
        report_open_obligations(mapping, false);  // the I/O may still run
        folio_end_read(*fo, true);
        report_open_obligations(mapping, true);
      },
      [&] {
        read(*fo, [](folio& g) -> Status {
          folio_lend(g);
          return {};
        });
        std::thread eviction([&] { truncate_inode_pages_final(mapping); });
        while (read_contract_counters().violations == 0) std::this_thread::yield();
        folio_unlock(*fo);
        eviction.join();
      });
  EXPECT_EQ(mapping.nrpages, 0u);
  folio_put(fo);
}

TEST_F(aops_read_test, what_io_never_unlocked_is_missed_at_unmount) {
  folio* fo = add_folio(0);
  sb.s_inodes.add_tail(regular.i_sb_list);
  expect_one(
      "read_folio", "6.6-aops-3", "the folio was never unlocked",
      [&] {
        read(*fo, io(1));
        report_open_obligations(sb);
      },
      [&] {
        read(*fo, [](folio& g) -> Status {
          folio_submit_read(g);
          return {};
        });
        report_open_obligations(sb);
        report_open_obligations(sb);  // once is enough
      });
  regular.i_sb_list.del();
  folio_end_read(*fo, false);
  folio_put(fo);
}

TEST_F(aops_read_test, writeback_that_never_ends_is_missed_when_the_mapping_goes) {
  folio* fo = add_folio(0);
  auto write = [&](bool end) {
    dirty(*fo);
    body::writepages = [&](address_space&, writeback_control& wbc) -> Status {
      folio_lock(*fo);
      folio_clear_dirty_for_io(*fo);
      folio_start_writeback(*fo);
      folio_unlock(*fo);
      --wbc.nr_to_write;
      if (end) folio_end_writeback(*fo);
      return {};
    };
    writeback_control wbc{.nr_to_write = 1};
    EXPECT_TRUE(aops::writepages(mapping, wbc).ok());
  };
  expect_one(
      "writepages", "6.6-aops-14", "writeback was begun and never ended",
      [&] {
        write(true);
        report_open_obligations(mapping, true);
      },
      [&] {
        write(false);
        std::thread eviction([&] { truncate_inode_pages_final(mapping); });
        while (read_contract_counters().violations == 0) std::this_thread::yield();
        folio_end_writeback(*fo);
        eviction.join();
      });
  folio_put(fo);
}

class aops_readahead_test : public aops_read_test {
 protected:
  static constexpr unsigned count = 4;
  void SetUp() override {
    aops_read_test::SetUp();
    for (unsigned i = 0; i < count; ++i) folios[i] = add_folio(i);
  }
  void TearDown() override {
    for (folio* fo : folios) {
      if (fo->test(pg_lent)) folio_unlock(*fo);
      folio_put(fo);
    }
    aops_read_test::TearDown();
  }
  // The page cache's part: all locked and lent, the method, and what it left is unlocked.
  void ahead(std::function<void(readahead_control&)> how, bool lend = true) {
    body::readahead = std::move(how);
    shared hold(mapping.invalidate_lock);
    for (folio* fo : folios) {
      folio_lock(*fo);
      if (lend) folio_lend(*fo);
    }
    readahead_control rac{.filp = nullptr, .mapping = &mapping, .index = 0, .nr_pages = count};
    aops::readahead(mapping, rac);
    for (pgoff_t i = rac.index + rac.batch_count; i < count; ++i) folio_unlock(*folios[i]);
  }
  // Takes all but the last and reads the first `ended` of them, the first of those `times` times.
  static auto reads(unsigned ended, int times) {
    return [=](readahead_control& rac) {
      folio* taken[count - 1];
      for (folio*& fo : taken) {
        fo = readahead_folio(rac);
        folio_submit_read(*fo);
      }
      on_another_thread([&] {
        for (unsigned i = 0; i < ended; ++i)
          for (int n = 0; n < (i == 0 ? times : 1); ++n) folio_end_read(*taken[i], true);
      });
    };
  }
  folio* folios[count];
};

TEST_F(aops_readahead_test, unlocks_what_it_reads_once) {
  expect_one(
      "readahead", "6.6-aops-4", "the folio is unlocked a second time",
      [&] {
        ahead(reads(count - 1, 1));
        for (folio* fo : folios) EXPECT_FALSE(folio_locked(*fo));
        report_open_obligations(mapping, true);
      },
      [&] { ahead(reads(count - 1, 2)); });
  expect_one(
      "readahead", "6.6-aops-4", "the folio was never unlocked",
      [&] {
        ahead(reads(count - 1, 1));
        report_open_obligations(mapping, true);
      },
      [&] {
        ahead(reads(count - 2, 1));
        report_open_obligations(mapping, true);
      });
}

TEST_F(aops_readahead_test, locks_that_the_caller_holds_are_released) {
  auto sync_reads = [](unsigned left) {
    return [left](readahead_control& rac) {
      for (unsigned i = 0; i < 3; ++i) {
        folio* fo = readahead_folio(rac);
        if (i >= left) folio_unlock(*fo);
      }
    };
  };
  for (const caught& c : during([&] { ahead(sync_reads(0), false); })) ADD_FAILURE() << c;
  auto reports = during([&] { ahead(sync_reads(1), false); });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, "exit");
  EXPECT_EQ(reports[0].method, "readahead");
  EXPECT_EQ(reports[0].column, "folio locked");
  log_broken_cell(reports[0].table, reports[0].method, reports[0].column);
  folio_unlock(*folios[0]);
}

TEST_F(aops_read_test, runs_in_a_worker_without_a_task) {
  char bytes[16] = {};
  auto copies = [&](bool own) {
    iov_iter from(bytes, sizeof bytes);
    from.own = own;
    char to[16];
    EXPECT_EQ(copy_from_iter(to, sizeof to, from), sizeof bytes);
  };
  auto in_worker = [&](auto call) {
    on_another_thread([&] {
      const no_user_memory_scope worker;
      call();
    });
  };
  constexpr const char* finding = "a task's memory is touched in a worker that serves none";
  auto reads = [&](bool own) {
    read(page, [&](folio& fo) -> Status {
      copies(own);
      folio_unlock(fo);
      return {};
    });
  };
  expect_one(
      "read_folio", "6.6-aops-2", finding,
      [&] {
        in_worker([&] { reads(true); });
        reads(false);  // for a task
      },
      [&] { in_worker([&] { reads(false); }); });

  static folio* written;
  static std::function<void()> inside;
  written = &page;
  table.write_begin = [](file*, address_space&, loff_t, size_t, folio*& fo, void*&) -> Status {
    inside();
    folio_lock(*written);
    fo = written;
    return {};
  };
  table.write_end = [](file*, address_space&, loff_t, size_t, size_t copied, folio& fo,
                       void*) -> Result<size_t> {
    inside();
    folio_unlock(fo);
    return copied;
  };
  auto writes = [&](bool begin_own, bool end_own) {
    exclusive hold(regular.i_rwsem);
    folio* fo = nullptr;
    void* fsdata = nullptr;
    inside = [&] { copies(begin_own); };
    EXPECT_TRUE(aops::write_begin(nullptr, mapping, 0, 1, fo, fsdata).ok());
    copies(true);  // the caller's copy
    inside = [&] { copies(end_own); };
    EXPECT_TRUE(aops::write_end(nullptr, mapping, 0, 1, 1, *fo, fsdata).ok());
  };
  expect_one(
      "write_begin", "6.6-aops-2", finding, [&] { in_worker([&] { writes(true, true); }); },
      [&] { in_worker([&] { writes(false, true); }); });
  expect_one(
      "write_end", "6.6-aops-2", finding, [&] { writes(false, false); },
      [&] { in_worker([&] { writes(true, false); }); });
}

}  // namespace
HF_NAMESPACE_END
