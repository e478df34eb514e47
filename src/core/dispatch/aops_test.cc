// SPDX-License-Identifier: Apache-2.0
//
// address_space_operations: locks and the rules that can be seen on entry and at return, once kept
// and once broken. A folio's lock is stated to the validator here; the bit itself is the page
// cache's. Rules that follow a folio are in aops_*_test.cc.
#include "core/dispatch/aops.h"

#include <cerrno>

#include "contract/obligations.h"
#include "core/dispatch/stand_ins.h"
#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr const char* folio_column = "folio locked";

void take(folio& f) {
  after_acquire(&f, folio_lock_class, nest::normal, 0, held::exclusive);
}
void give(const folio& f) {
  before_release(&f, folio_lock_class, held::exclusive);
}

folio* unlocks = nullptr;
folio* takes = nullptr;

class aops_test : public dispatch_test {
 protected:
  void SetUp() override {
    dispatch_test::SetUp();
    obligations::reset();
    page.mapping = &mapping;
    table = stand_in::aops_table::full;
    mapping.a_ops = &table;
  }
  // With and without the folio's lock.
  template <class Call>
  void expect_locked(const char* method, Call&& call) {
    expect(
        method, folio_column,
        [&] {
          take(page);
          call();
          give(page);
        },
        call);
  }

  folio page, other;
  address_space& mapping = regular.i_data;
  address_space_operations table;
};

TEST_F(aops_test, methods_that_keep_the_folio_locked) {
  expect_locked("release_folio", [&] { aops::release_folio(page, 0); });
  expect_locked("launder_folio", [&] { EXPECT_TRUE(aops::launder_folio(page).ok()); });
  expect_locked("is_partially_uptodate", [&] { aops::is_partially_uptodate(page, 0, 1); });
  expect_locked("error_remove_page",
                [&] { EXPECT_TRUE(aops::error_remove_page(mapping, page).ok()); });
  page.mapping = nullptr;
  expect_locked("free_folio", [&] { aops::free_folio(table, page); });
}

TEST_F(aops_test, read_folio_fills_under_the_invalidate_lock) {
  table.read_folio = [](file*, folio&) -> Status {
    ++stand_in::calls;
    if (unlocks != nullptr) give(*unlocks);
    return {};
  };
  auto read = [&](bool unlock) {
    unlocks = unlock ? &page : nullptr;
    take(page);
    EXPECT_TRUE(aops::read_folio(nullptr, page).ok());
    if (!unlock) give(page);
  };
  expect(
      "read_folio", folio_column,
      [&] {
        shared hold(mapping.invalidate_lock);
        read(true);
      },
      [&] {
        shared hold(mapping.invalidate_lock);
        read(false);
      });
  expect(
      "read_folio", "invalidate_lock",
      [&] {
        shared hold(mapping.invalidate_lock);
        read(true);
      },
      [&] { read(true); });
}

TEST_F(aops_test, readahead_runs_under_the_invalidate_lock) {
  readahead_control rac{.filp = nullptr, .mapping = &mapping};
  expect(
      "readahead", "invalidate_lock",
      [&] {
        shared hold(mapping.invalidate_lock);
        aops::readahead(mapping, rac);
      },
      [&] { aops::readahead(mapping, rac); });
}

TEST_F(aops_test, invalidate_folio_excludes_filling) {
  auto invalidate = [&] {
    take(page);
    aops::invalidate_folio(page, 0, page_size);
    give(page);
  };
  expect(
      "invalidate_folio", "invalidate_lock",
      [&] {
        exclusive hold(mapping.invalidate_lock);
        invalidate();
      },
      [&] {
        shared hold(mapping.invalidate_lock);
        invalidate();
      });
}

TEST_F(aops_test, a_write_holds_the_inode_and_passes_the_folio) {
  table.write_begin = [](file*, address_space&, loff_t, size_t, folio*& got, void*&) -> Status {
    ++stand_in::calls;
    got = takes;
    if (unlocks == nullptr) take(*takes);
    return {};
  };
  takes = &page;
  folio* got = nullptr;
  void* fsdata = nullptr;
  auto begin = [&](bool locks) {
    unlocks = locks ? nullptr : &page;
    EXPECT_TRUE(aops::write_begin(nullptr, mapping, 0, 1, got, fsdata).ok());
    if (locks) give(page);
  };
  expect(
      "write_begin", folio_column,
      [&] {
        exclusive hold(regular.i_rwsem);
        begin(true);
      },
      [&] {
        exclusive hold(regular.i_rwsem);
        begin(false);
      });
  expect(
      "write_begin", "i_rwsem",
      [&] {
        exclusive hold(regular.i_rwsem);
        begin(true);
      },
      [&] {
        shared hold(regular.i_rwsem);
        begin(true);
      });
  table.write_end = [](file*, address_space&, loff_t, size_t, size_t copied, folio& written,
                       void*) -> Result<size_t> {
    ++stand_in::calls;
    give(written);
    return copied;
  };
  auto end = [&] {
    take(page);
    EXPECT_EQ(aops::write_end(nullptr, mapping, 0, 1, 1, page, fsdata).value(), 1u);
  };
  expect(
      "write_end", "i_rwsem",
      [&] {
        exclusive hold(regular.i_rwsem);
        end();
      },
      end);
}

TEST_F(aops_test, sentences_about_the_folio) {
  take(page);
  expect(
      "dirty_folio", "6.6-aops-23", [&] { aops::dirty_folio(mapping, page); },
      [&] { aops::dirty_folio(other_regular.i_data, page); });
  expect(
      "release_folio", "6.6-aops-28", [&] { aops::release_folio(page, 0); },
      [&] {
        page.flags |= pg_writeback;
        aops::release_folio(page, 0);
      });
  page.flags &= ~pg_writeback;
  table.release_folio = [](folio&, gfp_t) {
    ++stand_in::calls;
    return true;
  };
  expect(
      "release_folio", "6.6-aops-30", [&] { EXPECT_TRUE(aops::release_folio(page, 0)); },
      [&] {
        page.flags |= pg_private;
        EXPECT_TRUE(aops::release_folio(page, 0));
      });
  expect(
      "launder_folio", "6.6-aops-33", [&] { EXPECT_TRUE(aops::launder_folio(page).ok()); },
      [&] {
        page.flags |= pg_dirty;
        EXPECT_TRUE(aops::launder_folio(page).ok());
      });
  page.mapping = nullptr;
  expect(
      "free_folio", "6.6-aops-32", [&] { aops::free_folio(table, page); },
      [&] {
        page.mapping = &mapping;
        aops::free_folio(table, page);
      });
  give(page);
}

TEST_F(aops_test, methods_without_locks_may_block) {
  writeback_control wbc;
  block_device* const device = reinterpret_cast<block_device*>(&mapping);  // nobody looks
  swap_info sis;
  sis.bdev = device;
  kiocb iocb{.ki_filp = &f};
  iov_iter data;
  sector_t span = 0;
  auto ok = [](const auto& r) { EXPECT_TRUE(r.ok()); };
  expect_blocks("writepages", [&] { ok(aops::writepages(mapping, wbc)); });
  expect_blocks("bmap", [&] { aops::bmap(bmap_caller::fibmap, mapping, 0); });
  expect_blocks("direct_IO", [&] { ok(aops::direct_IO(iocb, data)); });
  auto is_active = [&](uint32_t how) { mapping.flags = how; };
  expect_blocks("swap_activate", [&] {
    is_active(0);
    ok(aops::swap_activate(sis, f, span));
  });
  expect_blocks("swap_deactivate", [&] {
    is_active(as_swap_active);
    aops::swap_deactivate(f);
  });
  expect_blocks("swap_rw", [&] {
    is_active(as_swap_active | as_swap_rw);
    ok(aops::swap_rw(iocb, data));
  });
}

TEST_F(aops_test, migrate_folio_holds_both) {
  auto migrate = [&] {
    EXPECT_TRUE(aops::migrate_folio(mapping, other, page, migrate_mode{}).ok());
  };
  auto with = [&](folio& second) {
    // Two folio locks are no two levels: the second is stated without asking for its order.
    take(page);
    if (&second != &page) take(second);
    migrate();
    if (&second != &page) give(second);
    give(page);
  };
  expect("migrate_folio", folio_column, [&] { with(other); }, [&] { with(page); });
}

}  // namespace
HF_NAMESPACE_END
