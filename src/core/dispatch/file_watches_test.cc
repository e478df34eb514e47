// SPDX-License-Identifier: Apache-2.0
//
// Rules of file_operations that speak of what happens inside a method, or beside it.
#include "core/dispatch/file_watches.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include <cerrno>
#include <cstring>

#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr const char* files = "file_operations";

class file_watches_test : public prose_test {
 protected:
  void SetUp() override {
    prose_test::SetUp();
    out.f_op = &stand_in::file_table::full;
    out.f_inode = &other_regular;
    out.f_mapping = &other_regular.i_data;
    regular.i_size.store(size);
    // Its pages come and go for real, and are not told to a stand-in.
    regular.i_data.a_ops = &stand_in::aops_table::empty;
  }
  void TearDown() override {
    truncate_inode_pages(regular.i_data, 0);
    prose_test::TearDown();
  }
  // A page of the file with something in it.
  void fill(pgoff_t index) {
    folio* page = folio_alloc(0, true);
    ASSERT_NE(page, nullptr);
    std::memset(page->data, 'x', page_size);
    folio_mark_uptodate(*page);
    ASSERT_TRUE(filemap_add_folio(regular.i_data, *page, index).ok());
    folio_unlock(*page);
    folio_put(page);
  }
  static void drop(address_space& mapping, loff_t first, loff_t len) {
    truncate_inode_pages_range(mapping, first, first + len - 1);
  }
  static void remap(address_space& mapping, uint64_t first, uint64_t len) {
    note_event(event::mapping_updated, &mapping, first, len);
  }
  void punch(int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) {
    EXPECT_TRUE(file_ops::fallocate(f, mode, 0, 4 * page_size).ok());
  }

  static constexpr loff_t size = 16 * page_size;
  file out;
};

TEST_F(file_watches_test, llseek_is_called_without_locks) {
  auto seek = [&] { EXPECT_TRUE(file_ops::llseek(f, 0, SEEK_SET).ok()); };
  expect_report(
      {"prose", files, "llseek", "", "6.6-file-2", "a lock of the inode is held"},
      [&] {
        exclusive position(f.f_pos_lock);
        stand_in::inside = [&] { exclusive own(regular.i_rwsem); };
        seek();
      },
      [&] {
        shared hold(regular.i_rwsem);
        stand_in::inside = nullptr;
        seek();
      });
  const std::vector<caught> left = during([&] {
    stand_in::inside = [&] { regular.i_rwsem.lock_shared(); };
    seek();
    regular.i_rwsem.unlock_shared();
  });
  ASSERT_EQ(left.size(), 1u) << "and returns without";
  EXPECT_EQ(left[0].kind, "exit");
}

TEST_F(file_watches_test, setlease_records_by_the_generic_function) {
  file_lock* lease = nullptr;
  void* priv = nullptr;
  auto set = [&] { EXPECT_TRUE(file_ops::setlease(f, F_RDLCK, lease, priv).ok()); };
  auto once = [&] {
    stand_in::inside = [&] { note_event(event::generic_setlease, &f); };
    set();
  };
  expect_report({"prose", files, "setlease", "", "6.6-file-10", "generic_setlease was not called"},
                once, [&] {
                  stand_in::inside = [&] { note_event(event::generic_setlease, &out); };
                  set();
                });
  expect_report(
      {"prose", files, "setlease", "", "6.6-file-10", "generic_setlease was called more than once"},
      once, [&] {
        stand_in::inside = [&] {
          note_event(event::generic_setlease, &f);
          note_event(event::generic_setlease, &f);
        };
        set();
      });
  // The call for a lower file has its own count.
  stand_in::inside = [&] {
    stand_in::inside = [&] { note_event(event::generic_setlease, &out); };
    EXPECT_TRUE(file_ops::setlease(out, F_RDLCK, lease, priv).ok());
    note_event(event::generic_setlease, &f);
  };
  EXPECT_TRUE(during(set).empty());
  file_operations refusing;
  refusing.setlease = [](file&, int, file_lock*&, void*&) -> Status { return Error(EAGAIN); };
  f.f_op = &refusing;
  EXPECT_TRUE(during([&] {
                EXPECT_EQ(file_ops::setlease(f, F_RDLCK, lease, priv).code(), EAGAIN);
              }).empty());
}

TEST_F(file_watches_test, a_punch_leaves_no_old_contents) {
  auto with_pages = [&](bool dropped) {
    fill(1);
    fill(5);  // outside
    stand_in::inside = [&, dropped] {
      exclusive hold(regular.i_data.invalidate_lock);
      if (dropped) drop(regular.i_data, 0, 4 * page_size);
      remap(regular.i_data, 0, 4 * page_size);
    };
    punch();
    truncate_inode_pages(regular.i_data, 0);
  };
  expect_report(
      {"prose", files, "fallocate", "", "6.6-file-11",
       "the page cache keeps contents of the range"},
      [&] { with_pages(true); }, [&] { with_pages(false); });
  // What is written as soon as the punch has let go is new.
  stand_in::inside = [&] {
    elsewhere([&] {
      fill(1);
      note_event(event::data_written, &regular.i_data, page_size, page_size);
    });
  };
  EXPECT_TRUE(during([&] { punch(); }).empty());
}

TEST_F(file_watches_test, fallocate_holds_invalidate_lock_until_the_map_is_new) {
  auto in_order = [&] {
    exclusive hold(regular.i_data.invalidate_lock);
    drop(regular.i_data, 0, 4 * page_size);
    remap(regular.i_data, 0, 4 * page_size);
  };
  auto properly = [&] {
    fill(1);
    stand_in::inside = in_order;
    punch();
    stand_in::inside = [&] { remap(regular.i_data, 0, 4 * page_size); };
    punch(0);  // mere allocation takes nothing out
  };
  expect_report({"prose", files, "fallocate", "", "6.6-file-12",
                 "contents were invalidated without invalidate_lock held exclusively"},
                properly, [&] {
                  fill(1);
                  stand_in::inside = [&] {
                    drop(regular.i_data, 0, 4 * page_size);
                    exclusive hold(regular.i_data.invalidate_lock);
                    remap(regular.i_data, 0, 4 * page_size);
                  };
                  punch();
                });
  expect_report({"prose", files, "fallocate", "", "6.6-file-12",
                 "the map of blocks was changed without invalidate_lock held exclusively"},
                properly, [&] {
                  fill(1);
                  stand_in::inside = [&] {
                    {
                      exclusive hold(regular.i_data.invalidate_lock);
                      drop(regular.i_data, 0, 4 * page_size);
                    }
                    remap(regular.i_data, 0, 4 * page_size);
                  };
                  punch();
                });
  // Let go in between, and somebody read.
  expect_report({"prose", files, "fallocate", "", "6.6-file-12",
                 "a page was filled between the invalidation and the change of the map of blocks"},
                properly, [&] {
                  fill(1);
                  stand_in::inside = [&] {
                    {
                      exclusive hold(regular.i_data.invalidate_lock);
                      drop(regular.i_data, 0, 4 * page_size);
                    }
                    elsewhere([&] {
                      folio* page = folio_alloc(0, true);
                      folio_mark_uptodate(*page);
                      EXPECT_TRUE(filemap_add_folio(regular.i_data, *page, 2).ok());
                      folio_unlock(*page);
                      folio_put(page);
                    });
                    exclusive hold(regular.i_data.invalidate_lock);
                    remap(regular.i_data, 0, 4 * page_size);
                  };
                  punch();
                });
}

class copying : public file_watches_test {
 protected:
  void copy() {
    EXPECT_TRUE(file_ops::copy_file_range(f, 0, out, 8 * page_size, 4 * page_size, 0).ok());
  }
  void clone() {
    EXPECT_TRUE(file_ops::remap_file_range(f, 0, out, 8 * page_size, 4 * page_size, 0).ok());
  }
  void read_part() { note_event(event::data_read, &regular.i_data, 0, page_size); }
  void write_part() {
    note_event(event::data_written, &other_regular.i_data, 8 * page_size, page_size);
  }
  // Under both locks, with something in the middle.
  template <class F>
  void move_data(F&& meanwhile) {
    exclusive in_lock(regular.i_data.invalidate_lock);
    other_regular.i_data.invalidate_lock.lock(nest::child);
    read_part();
    meanwhile();
    write_part();
    other_regular.i_data.invalidate_lock.unlock();
  }
};

TEST_F(copying, nobody_writes_meanwhile) {
  auto with = [&](address_space& mapping, uint64_t at, auto&& call) {
    stand_in::inside = [&, at] {
      move_data([&] { elsewhere([&] { note_event(event::data_written, &mapping, at, 1); }); });
    };
    call();
  };
  auto properly = [&](auto&& call) {
    with(regular.i_data, 4 * page_size, call);  // behind the range
    with(other_regular.i_data, 0, call);
    with(subdir.i_data, 0, call);
    stand_in::inside = [&] {  // before the first part is moved, and after the last
      elsewhere([&] { note_event(event::data_written, &regular.i_data, 0, 1); });
      move_data([] {});
      elsewhere([&] { note_event(event::data_written, &regular.i_data, 0, 1); });
    };
    call();
    stand_in::inside = [&] {  // a write that began before and is told late
      const uint64_t begin = event_begin();
      move_data([&] {
        elsewhere([&] { note_event_since(begin, event::data_written, &regular.i_data, 0, 1); });
      });
    };
    call();
  };
  auto copies = [&] { copy(); };
  auto clones = [&] { clone(); };
  constexpr const char* finding = "the range was written to meanwhile";
  expect_report(
      {"prose", files, "copy_file_range", "", "6.6-file-13", finding}, [&] { properly(copies); },
      [&] { with(regular.i_data, page_size, copies); });
  expect_report(
      {"prose", files, "remap_file_range", "", "6.6-file-13", finding}, [&] { properly(clones); },
      [&] { with(other_regular.i_data, 8 * page_size, clones); });
}

TEST_F(copying, invalidate_lock_is_held) {
  auto properly = [&] {
    stand_in::inside = [&] { move_data([] {}); };
    copy();
    clone();
  };
  constexpr const char* finding = "data were moved without invalidate_lock held exclusively";
  expect_report({"prose", files, "copy_file_range", "", "6.6-file-14", finding}, properly, [&] {
    stand_in::inside = [&] {
      shared not_enough(other_regular.i_data.invalidate_lock);
      write_part();
    };
    copy();
  });
  expect_report({"prose", files, "remap_file_range", "", "6.6-file-14", finding}, properly, [&] {
    stand_in::inside = [&] {
      note_event(event::mapping_updated, &other_regular.i_data, 8 * page_size, 4 * page_size);
    };
    clone();
  });
}

// ->page_mkwrite that takes no lock succeeds in the middle of a copy.
TEST_F(copying, no_page_becomes_writable_meanwhile) {
  mm memory;
  vm_area vma;
  vma.vm_mm = &memory;
  vma.vm_file = &f;
  vm_operations_struct ops;
  ops.page_mkwrite = [](vm_area&, vm_fault& v) {
    folio_lock(*v.page);
    return vm_fault_locked;
  };
  auto mkwrite = [&](pgoff_t index) {
    elsewhere([&] {
      folio* page = folio_alloc(0, true);
      page->mapping.store(&regular.i_data);
      page->index = index;
      vm_fault vmf;
      vmf.vma = &vma;
      vmf.pgoff = index;
      vmf.page = page;
      {
        shared hold(memory.mmap_lock);
        EXPECT_EQ(vm_ops::page_mkwrite(ops, vma, vmf), vm_fault_locked);
        folio_unlock(*page);
      }
      folio_put(page);
    });
  };
  expect_report(
      {"prose", files, "copy_file_range", "", "6.6-file-14",
       "a page of the range was made writable meanwhile"},
      [&] {
        stand_in::inside = [&] {
          mkwrite(1);
          move_data([&] { mkwrite(4); });
          mkwrite(1);
        };
        copy();
      },
      [&] {
        stand_in::inside = [&] { move_data([&] { mkwrite(1); }); };
        copy();
      });
}

}  // namespace
HF_NAMESPACE_END
