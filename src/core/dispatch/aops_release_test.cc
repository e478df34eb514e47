// SPDX-License-Identifier: Apache-2.0
//
// Folios that leave: ->invalidate_folio, ->release_folio, ->launder_folio; and what else the table
// says of its callers: ->dirty_folio, ->bmap, swap files.
#include <atomic>
#include <cerrno>

#include "core/dispatch/aops_fixture.h"

HF_NAMESPACE_BEGIN
namespace {

class aops_release_test : public aops_fixture {
 protected:
  void SetUp() override {
    aops_fixture::SetUp();
    body::invalidate_folio = [](folio& fo) { folio_detach_private(fo); };
    body::release_folio = [](folio& fo) {
      folio_detach_private(fo);
      return true;
    };
  }
  int private_data = 0;
};

TEST_F(aops_release_test, dirty_folio_excludes_truncation) {
  static spinlock<page_table_lock_class> page_table;
  auto call = [&] {
    page.flags &= ~pg_dirty;
    EXPECT_TRUE(folio_mark_dirty(page));
  };
  expect_one(
      "dirty_folio", "6.6-aops-23", "neither the folio's lock nor a page table's is held",
      [&] {
        folio_lock(page);
        call();
        folio_unlock(page);
        exclusive hold(page_table);
        call();
      },
      call);
}

TEST_F(aops_release_test, bmap_has_two_callers) {
  expect_one(
      "bmap", "6.6-aops-24", "the caller is neither FIBMAP nor the swapper",
      [&] {
        aops::bmap(bmap_caller::fibmap, mapping, 1);
        aops::bmap(bmap_caller::swapper, mapping, 1);
      },
      [&] { aops::bmap(static_cast<bmap_caller>(2), mapping, 1); });
}

TEST_F(aops_release_test, invalidate_folio_drops_what_is_private) {
  auto invalidate = [&](size_t start, size_t len) {
    exclusive hold(mapping.invalidate_lock);
    folio_lock(page);
    if (!page.test(pg_private)) folio_attach_private(page, &private_data);
    aops::invalidate_folio(page, start, len);
    folio_unlock(page);
  };
  expect_one(
      "invalidate_folio", "6.6-aops-25",
      "the whole folio was invalidated, and its private data is still there",
      [&] {
        invalidate(0, page_size);
        body::invalidate_folio = [](folio&) {};
        invalidate(512, 512);  // a part
      },
      [&] { invalidate(0, page_size); });
  expect_one(
      "invalidate_folio", "6.6-aops-25", "the range is not inside the folio", [&] {},
      [&] { invalidate(512, page_size); });
}

TEST_F(aops_release_test, nothing_fills_the_mapping_while_it_is_invalidated) {
  folio* fresh = nullptr;
  auto fill = [&](pgoff_t index) {
    on_another_thread([&] {
      fresh = add_folio(index);
      folio_put(fresh);
    });
  };
  auto invalidate = [&] {
    exclusive hold(mapping.invalidate_lock);
    folio_lock(page);
    aops::invalidate_folio(page, 0, page_size);
    folio_unlock(page);
  };
  expect_one(
      "invalidate_folio", "6.6-aops-26",
      "a folio comes into the mapping while another is invalidated",
      [&] {
        fill(1);
        invalidate();
        fill(2);
      },
      [&] {
        body::invalidate_folio = [&](folio&) { fill(3); };
        invalidate();
      });
}

TEST_F(aops_release_test, an_evicted_mapping_needs_no_invalidate_lock) {
  folio* fo = add_folio(0);
  folio_attach_private(*fo, &private_data);
  mapping.flags.fetch_or(as_exiting);
  for (const caught& c : during([&] { truncate_inode_pages(mapping, 0); })) ADD_FAILURE() << c;
  EXPECT_EQ(mapping.nrpages, 0u);
  EXPECT_FALSE(fo->test(pg_private));
  folio_put(fo);
}

TEST_F(aops_release_test, release_folio_is_followed_by_a_change) {
  expect_one(
      "release_folio", "6.6-aops-27",
      "its private data was released, and the folio is unlocked as it was",
      [&] {
        folio* fo = add_folio(0);
        folio_lock(*fo);
        EXPECT_TRUE(aops::release_folio(*fo, gfp_kernel));
        filemap_remove_folio(*fo);
        folio_unlock(*fo);
        folio_put(fo);
        auto keep = std::exchange(body::release_folio, [](folio&) { return false; });
        folio_lock(page);
        EXPECT_FALSE(aops::release_folio(page, gfp_kernel));
        folio_unlock(page);
        body::release_folio = keep;
        folio* src = add_folio(1);
        folio_lock(*src);
        folio_lock(page);
        EXPECT_TRUE(aops::release_folio(*src, gfp_kernel));
        EXPECT_TRUE(aops::migrate_folio(mapping, page, *src, migrate_mode::sync).ok());
        folio_unlock(page);
        folio_unlock(*src);
        folio_put(src);
      },
      [&] {
        folio_lock(page);
        EXPECT_TRUE(aops::release_folio(page, gfp_kernel));
        on_another_thread([] {});
        folio_unlock(page);
      });
}

TEST_F(aops_release_test, gfp_says_what_freeing_may_do) {
  auto release = [&](gfp_t gfp, std::function<void()> inside) {
    body::release_folio = [inside](folio&) {
      inside();
      return false;
    };
    folio_lock(page);
    EXPECT_FALSE(aops::release_folio(page, gfp));
    folio_unlock(page);
  };
  folio other;
  auto starts_io = [&] {
    folio_start_writeback(other);
    folio_end_writeback(other);
  };
  expect_one(
      "release_folio", "6.6-aops-29", "I/O is started, which the gfp argument forbids",
      [&] { release(gfp_kernel, starts_io); }, [&] { release(gfp_kernel & ~gfp_io, starts_io); });
  body::writepages = [](address_space&, writeback_control&) { return Status(); };
  auto calls = [&] {
    writeback_control wbc;
    EXPECT_TRUE(aops::writepages(other_regular.i_data, wbc).ok());
  };
  other_regular.i_data.a_ops = &table;
  expect_one(
      "release_folio", "6.6-aops-29",
      "a file system's method is called, which the gfp argument forbids",
      [&] { release(gfp_kernel, calls); }, [&] { release(gfp_kernel & ~gfp_fs, calls); });
  // Allocations inside follow the argument too, and blocking is the validator's to see.
  uint32_t flags = 0;
  release(gfp_io, [&] { flags = this_context().alloc_flags; });
  EXPECT_EQ(flags, alloc_nofs | alloc_atomic);
  auto blocks = [] { might_block("the method"); };
  for (const caught& c : during([&] { release(gfp_kernel, blocks); })) ADD_FAILURE() << c;
  auto reports = during([&] { release(gfp_kernel & ~gfp_direct_reclaim, blocks); });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_NE(reports[0].finding.find("6.6-aops-29"), std::string::npos) << reports[0];
}

TEST_F(aops_release_test, without_a_method_private_data_is_buffers) {
  table.release_folio = nullptr;
  static int asked = 0;
  static bool frees = true;
  asked = 0;
  aops::set_buffer_release([](folio& fo) {
    ++asked;
    if (frees) folio_detach_private(fo);
    return true;
  });
  folio_lock(page);
  auto release = [&](bool really) {
    frees = really;
    if (!page.test(pg_private)) folio_attach_private(page, &private_data);
    EXPECT_TRUE(aops::release_folio(page, gfp_kernel));
  };
  expect_one(
      "release_folio", "6.6-aops-31",
      "the buffers are said to be free, and the private data is still there",
      [&] { release(true); }, [&] { release(false); });
  EXPECT_EQ(asked, 2);
  aops::set_buffer_release(nullptr);
  EXPECT_FALSE(aops::release_folio(page, gfp_kernel)) << "there are no buffers that could be freed";
  folio_detach_private(page);
  EXPECT_TRUE(aops::release_folio(page, gfp_kernel));
  EXPECT_EQ(asked, 2);
  folio_unlock(page);
}

TEST_F(aops_release_test, launder_folio_keeps_the_lock) {
  auto launder = [&](std::function<Status(folio&)> how) {
    body::launder_folio = std::move(how);
    folio_lock(page);
    EXPECT_TRUE(aops::launder_folio(page).ok());
    folio_unlock(page);
  };
  expect_one(
      "launder_folio", "6.6-aops-34", "the folio is unlocked inside the method",
      [&] {
        dirty(page);
        launder([](folio& fo) -> Status {
          folio_clear_dirty_for_io(fo);
          folio_start_writeback(fo);
          folio_submit_write(fo);
          std::thread io = end_when_awaited(fo);
          folio_wait_writeback(fo);
          io.join();
          return {};
        });
      },
      [&] {
        launder([](folio& fo) -> Status {
          folio_unlock(fo);
          folio_lock(fo);
          return {};
        });
      });
}

class aops_swap_test : public aops_fixture {
 protected:
  void SetUp() override {
    aops_fixture::SetUp();
    sis.bdev = reinterpret_cast<block_device*>(&mapping);  // nobody looks into it
    sis.swap_file = &f;
  }
  void TearDown() override {
    destroy_swap_extents(sis);
    aops_fixture::TearDown();
  }
  static Result<int> two_extents(swap_info& s, uint32_t flags, int more) {
    s.flags |= flags;
    int n = 0;
    for (const auto& [start, block] : {std::pair{0, 100}, {4, 104}, {8, 500}}) {
      Result<int> added =
          add_swap_extent(s, static_cast<pgoff_t>(start), 4, static_cast<sector_t>(block));
      if (!added) return added.error();
      n += *added;
    }
    return n + more;
  }
  void activate(uint32_t flags = 0, int more = 0) {
    destroy_swap_extents(sis);
    sis.flags = 0;
    body::swap_activate = [=](swap_info& s) { return two_extents(s, flags, more); };
    sector_t span = 0;
    EXPECT_TRUE(aops::swap_activate(sis, f, span).ok());
  }
  void rw() {
    kiocb iocb{.ki_filp = &f};
    iov_iter data;
    EXPECT_TRUE(aops::swap_rw(iocb, data).ok());
  }
  void deactivate() { aops::swap_deactivate(f); }
  swap_info sis;
};

TEST_F(aops_swap_test, activation_returns_the_number_of_extents) {
  expect_one(
      "swap_activate", "6.6-aops-35", "the number returned is not that of the extents added",
      [&] {
        activate();
        EXPECT_EQ(sis.nr_extents, 2) << "one of three continues another";
        deactivate();
      },
      [&] {
        activate(0, 1);
        deactivate();
      });
}

TEST_F(aops_swap_test, io_goes_to_the_device_or_through_swap_rw) {
  expect_one(
      "swap_activate", "6.6-aops-36", "SWP_FS_OPS is not set, and there is no device to do I/O on",
      [&] {
        activate();
        deactivate();
        sis.bdev = nullptr;
        activate(swp_fs_ops);
        deactivate();
      },
      [&] {
        activate();
        deactivate();
      });
  table.swap_rw = nullptr;
  expect_one(
      "swap_activate", "6.6-aops-36", "SWP_FS_OPS is set, and there is no ->swap_rw", [&] {},
      [&] {
        activate(swp_fs_ops);
        deactivate();
      });
}

TEST_F(aops_swap_test, each_activation_has_its_deactivation) {
  expect_one(
      "swap_deactivate", "6.6-aops-37", "no ->swap_activate of the file succeeded before",
      [&] {
        activate();
        deactivate();
      },
      [&] { deactivate(); });
  expect_one(
      "swap_deactivate", "6.6-aops-37", "no ->swap_activate of the file succeeded before", [&] {},
      [&] {
        body::swap_activate = [](swap_info&) -> Result<int> { return Error(EINVAL); };
        sector_t span = 0;
        EXPECT_EQ(aops::swap_activate(sis, f, span).code(), EINVAL);
        deactivate();
      });
  expect_one(
      "swap_activate", "6.6-aops-37", "the file is active already: a swapoff is missing", [&] {},
      [&] {
        activate();
        activate();
      });
}

TEST_F(aops_swap_test, swap_rw_is_for_those_who_asked) {
  expect_one(
      "swap_rw", "6.6-aops-38", "->swap_activate did not ask for it with SWP_FS_OPS",
      [&] {
        activate(swp_fs_ops);
        rw();
        deactivate();
      },
      [&] {
        activate();
        rw();
      });
}

}  // namespace
HF_NAMESPACE_END
