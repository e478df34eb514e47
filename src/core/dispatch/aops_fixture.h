// SPDX-License-Identifier: Apache-2.0
//
// What the tests of rules that follow a folio share: folios with the real primitives, methods that
// are whatever the test says, and "exactly this one report".
//
// 1. `page` is on the stack and in no index, but has a mapping; folios of add_folio() are in the
//    index of `mapping`, and leave it when the test ends.
// 2. A body may be called on any thread; a test joins its threads before it looks.
#pragma once

#include <thread>

#include "contract/obligations.h"
#include "core/dispatch/stand_ins.h"
#include "holdfast/writeback.h"

HF_NAMESPACE_BEGIN

namespace body {
inline std::function<Result<int>(folio&, writeback_control&)> writepage;
inline std::function<Status(address_space&, writeback_control&)> writepages;
inline std::function<Status(folio&)> read_folio;
inline std::function<void(readahead_control&)> readahead;
inline std::function<void(folio&)> invalidate_folio;
inline std::function<bool(folio&)> release_folio;
inline std::function<Status(folio&)> launder_folio;
inline std::function<Result<int>(swap_info&)> swap_activate;
}  // namespace body

class aops_fixture : public dispatch_test {
 protected:
  void SetUp() override {
    dispatch_test::SetUp();
    obligations::reset();
    table = stand_in::aops_table::full;
    table.writepage = [](folio& fo, writeback_control& wbc) { return body::writepage(fo, wbc); };
    table.writepages = [](address_space& m, writeback_control& wbc) {
      return body::writepages(m, wbc);
    };
    table.read_folio = [](file*, folio& fo) { return body::read_folio(fo); };
    table.readahead = [](readahead_control& rac) { body::readahead(rac); };
    table.dirty_folio = filemap_dirty_folio;
    table.invalidate_folio = [](folio& fo, size_t, size_t) { body::invalidate_folio(fo); };
    table.release_folio = [](folio& fo, gfp_t) { return body::release_folio(fo); };
    table.launder_folio = [](folio& fo) { return body::launder_folio(fo); };
    table.swap_activate = [](swap_info& sis, file&, sector_t&) { return body::swap_activate(sis); };
    mapping.a_ops = &table;
    page.mapping = &mapping;
    page.refcount = 100;  // it is never freed
  }
  void TearDown() override {
    set_check_mode(check_mode::off);
    table = {};
    for (address_space* m : {&mapping, &other_regular.i_data}) {
      exclusive hold(m->invalidate_lock);
      truncate_inode_pages(*m, 0);
    }
    dispatch_test::TearDown();
  }

  // An uptodate folio in the mapping's index, unlocked, one reference for the test to give back.
  folio* add_folio(pgoff_t index, unsigned order = 0) {
    folio* fo = folio_alloc(order, true);
    EXPECT_TRUE(filemap_add_folio(mapping, *fo, index).ok());
    folio_mark_uptodate(*fo);
    folio_unlock(*fo);
    return fo;
  }
  static void dirty(folio& fo) { filemap_dirty_folio(*fo.mapping.load(), fo); }

  // `obeyed` gives no report. `broken` gives this one and no other.
  template <class Obey, class Break>
  void expect_one(const char* method, const char* rule, const char* finding, Obey&& obeyed,
                  Break&& broken, const char* kind = "prose") {
    SCOPED_TRACE(std::string(method) + ' ' + rule);
    for (const caught& c : during(obeyed)) ADD_FAILURE() << "obeyed, but reported: " << c;
    const std::vector<caught> reports = during(broken);
    for (const caught& c : reports) {
      const bool as_expected = c.table == "address_space_operations" && c.method == method &&
                               c.rule == rule && c.kind == kind && c.finding == finding;
      EXPECT_TRUE(as_expected) << c;
      if (as_expected && reports.size() == 1) log_broken_rule(rule);
    }
    EXPECT_EQ(reports.size(), 1u);
  }

  template <class F>
  static void on_another_thread(F&& fo) {
    std::thread(fo).join();
  }
  // Ends writeback once somebody sleeps for it.
  static std::thread end_when_awaited(folio& fo) {
    return std::thread([&fo] {
      while (!fo.test(pg_waiters)) std::this_thread::yield();
      folio_end_writeback(fo);
    });
  }

  folio page;
  address_space& mapping = regular.i_data;
  address_space_operations table;
};

HF_NAMESPACE_END
