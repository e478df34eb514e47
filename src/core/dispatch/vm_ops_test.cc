// SPDX-License-Identifier: Apache-2.0
//
// vm_operations_struct: each rule once kept and once broken, on an area that nobody runs in.
#include "core/dispatch/later_ops.h"
#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

// What the methods of the test's table do.
std::function<vm_fault_t(vm_fault&)> answer_fault;

class vm_ops_test : public prose_test {
 protected:
  void SetUp() override {
    prose_test::SetUp();
    f.f_mapping = &regular.i_data;
    vma.vm_mm = &memory;
    vma.vm_file = &f;
    vma.vm_end = 64 * page_size;
    vma.vm_flags = vm_read | vm_write | vm_shared;
    vmf.vma = &vma;
    vmf.pgoff = 3;
    vmf.table = &table;
    vmf.pte = &table.entries[vmf.pgoff];
    page = new_page(&regular.i_data, 3);
    vmf.page = page;
    ops.fault = [](vm_fault& v) { return answer_fault(v); };
    ops.huge_fault = [](vm_fault& v, unsigned) { return answer_fault(v); };
    ops.map_pages = [](vm_fault& v, pgoff_t, pgoff_t) { return answer_fault(v); };
    ops.page_mkwrite = [](vm_area&, vm_fault& v) { return answer_fault(v); };
    ops.pfn_mkwrite = [](vm_area&, vm_fault& v) { return answer_fault(v); };
    ops.open = stand_in::vm_table::full.open;
    ops.close = stand_in::vm_table::full.close;
    ops.access = stand_in::vm_table::full.access;
  }
  void TearDown() override {
    answer_fault = nullptr;
    for (folio* p : pages) folio_put(p);
    prose_test::TearDown();
  }
  // Not in the mapping's index: the rules look at the page alone.
  folio* new_page(address_space* mapping, pgoff_t index) {
    folio* p = folio_alloc(0, true);
    EXPECT_NE(p, nullptr);
    p->mapping.store(mapping);
    p->index = index;
    pages.push_back(p);
    return p;
  }
  static void look_up(vm_fault& v) {
    note_event(event::page_lookup, v.vma->vm_file->f_mapping, v.pgoff << page_shift, page_size);
  }
  // As the memory part does it: mmap_lock shared, and a page that comes locked is unlocked.
  vm_fault_t fault() {
    shared hold(memory.mmap_lock);
    const vm_fault_t r = vm_ops::fault(ops, vmf);
    unlock_page();
    return r;
  }
  vm_fault_t mkwrite() {
    shared hold(memory.mmap_lock);
    const vm_fault_t r = vm_ops::page_mkwrite(ops, vma, vmf);
    unlock_page();
    return r;
  }
  void unlock_page() {
    if (vmf.page != nullptr && held_mode(vmf.page) != held::none) folio_unlock(*vmf.page);
  }
  void map_pages(pgoff_t start, pgoff_t end) {
    shared hold(memory.mmap_lock);
    const rcu_read_guard rcu;
    vm_ops::map_pages(ops, vmf, start, end);
  }

  mm memory;
  vm_area vma;
  vm_fault vmf;
  page_table table;
  vm_operations_struct ops;
  folio* page = nullptr;
  std::vector<folio*> pages;
};

constexpr const char* vm_table_name = "vm_operations_struct";
// A good ->fault: looks up under invalidate_lock, returns the page locked.
vm_fault_t good_fault(vm_fault& v) {
  address_space& mapping = *v.vma->vm_file->f_mapping;
  shared hold(mapping.invalidate_lock);
  note_event(event::page_lookup, &mapping, v.pgoff << page_shift, page_size);
  folio_lock(*v.page);
  return vm_fault_locked;
}
vm_fault_t good_mkwrite(vm_fault& v) {
  shared hold(v.vma->vm_file->f_mapping->invalidate_lock);
  folio_lock(*v.page);
  return vm_fault_locked;
}

TEST_F(vm_ops_test, mmap_lock_as_the_table_says) {
  constexpr const char* column = "mmap_lock";
  auto with = [&](held mode, auto&& call) {
    if (mode == held::exclusive) memory.mmap_lock.lock();
    if (mode == held::shared) memory.mmap_lock.lock_shared();
    call();
    unlock_page();
    if (mode == held::exclusive) memory.mmap_lock.unlock();
    if (mode == held::shared) memory.mmap_lock.unlock_shared();
  };
  const std::string none = "held: none, required: shared or exclusive, on the area's memory";
  auto expect_cell = [&](const char* method, held good, held bad, const std::string& finding,
                         auto&& call) {
    expect_report(
        {"lock", vm_table_name, method, column, "", finding}, [&] { with(good, call); },
        [&] { with(bad, call); });
  };
  answer_fault = good_fault;
  expect_cell("open", held::exclusive, held::shared,
              "held: shared, required: exclusive, on the area's memory",
              [&] { vm_ops::open(ops, vma); });
  expect_cell("close", held::shared, held::none, none, [&] { vm_ops::close(ops, vma); });
  expect_cell("close", held::exclusive, held::none, none, [&] { vm_ops::close(ops, vma); });
  expect_cell("fault", held::shared, held::none, none, [&] { vm_ops::fault(ops, vmf); });
  answer_fault = [](vm_fault&) { return 0u; };
  expect_cell("map_pages", held::none, held::exclusive,
              "held: exclusive, required: none or shared, on the area's memory", [&] {
                const rcu_read_guard rcu;
                vm_ops::map_pages(ops, vmf, 3, 3);
              });
  answer_fault = good_mkwrite;
  expect_cell("page_mkwrite", held::shared, held::none, none,
              [&] { vm_ops::page_mkwrite(ops, vma, vmf); });
  answer_fault = [](vm_fault&) { return vm_fault_nopage; };
  vmf.page = nullptr;
  vma.vm_flags |= vm_pfnmap;
  expect_cell("pfn_mkwrite", held::shared, held::none, none,
              [&] { vm_ops::pfn_mkwrite(ops, vma, vmf); });
  expect_cell("access", held::shared, held::none, none,
              [&] { EXPECT_TRUE(vm_ops::access(ops, vma, 0, nullptr, 0, false).ok()); });
}

TEST_F(vm_ops_test, what_is_said_to_be_locked_is) {
  const std::string finding = "not held on return: folio_lock of page";
  auto lie = [](vm_fault&) { return vm_fault_locked; };
  expect_report(
      {"exit", vm_table_name, "fault", "PageLocked(page)", "", finding},
      [&] {
        answer_fault = good_fault;
        fault();
      },
      [&] {
        answer_fault = lie;
        fault();
      });
  expect_report(
      {"exit", vm_table_name, "page_mkwrite", "PageLocked(page)", "", finding},
      [&] {
        answer_fault = good_mkwrite;
        mkwrite();
      },
      [&] {
        answer_fault = lie;
        mkwrite();
      });
}

TEST_F(vm_ops_test, fault_returns_the_page_of_the_offset) {
  auto fault_at = [&](pgoff_t wanted) {
    answer_fault = good_fault;
    vmf.pgoff = wanted;
    fault();
  };
  expect_report(
      {"prose", vm_table_name, "fault", "", "6.6-vm-1",
       "the page that was returned is of another offset"},
      [&] { fault_at(3); }, [&] { fault_at(4); });
  expect_report(
      {"prose", vm_table_name, "fault", "", "6.6-vm-1", "no page was returned"},
      [&] {
        answer_fault = [](vm_fault&) { return vm_fault_nopage; };
        fault();
      },
      [&] {
        vmf.page = nullptr;
        answer_fault = [](vm_fault&) { return 0u; };
        fault();
      });
  answer_fault = [](vm_fault&) { return vm_fault_sigbus; };
  EXPECT_TRUE(during([&] { EXPECT_EQ(fault(), vm_fault_sigbus); }).empty());
}

TEST_F(vm_ops_test, fault_excludes_truncation) {
  auto unprotected = [](vm_fault& v) {
    look_up(v);
    folio_lock(*v.page);
    return vm_fault_locked;
  };
  expect_report(
      {"prose", vm_table_name, "fault", "", "6.6-vm-2",
       "the page was looked up without invalidate_lock"},
      [&] {
        answer_fault = good_fault;
        fault();
      },
      [&] {
        answer_fault = unprotected;
        fault();
      });
  expect_report(
      {"prose", vm_table_name, "fault", "", "6.6-vm-2",
       "the page that was returned is not the file's any more"},
      [&] {
        answer_fault = good_fault;
        fault();
      },
      [&] {
        vmf.page->mapping.store(nullptr);
        fault();
      });
}

TEST_F(vm_ops_test, huge_fault_is_called_where_nothing_is_mapped) {
  pte_t pmd{0};
  pte_t pud{pte_present};
  vmf.pmd = &pmd;
  vmf.pud = &pud;
  answer_fault = [](vm_fault&) { return vm_fault_fallback; };
  auto call = [&](unsigned order) {
    EXPECT_EQ(vm_ops::huge_fault(ops, vmf, order), vm_fault_fallback);
  };
  expect_report(
      {"prose", vm_table_name, "huge_fault", "", "6.6-vm-3", "there is an entry already"},
      [&] { call(9); },
      [&] {
        pmd.store(pte_present);
        call(9);
      });
  pmd.store(0);
  EXPECT_EQ(during([&] { call(18); }).size(), 1u) << "that of the other level counts there";
}

TEST_F(vm_ops_test, huge_fault_leaves_the_generic_function_alone) {
  auto generic = [](vm_fault& v) {
    note_event(event::generic_fault, v.vma);
    return good_fault(v);
  };
  expect_report(
      {"prose", vm_table_name, "huge_fault", "", "6.6-vm-4",
       "the generic fault function was called"},
      [&] {
        answer_fault = generic;  // which is for ->fault
        fault();
      },
      [&] {
        answer_fault = [](vm_fault& v) {
          note_event(event::generic_fault, v.vma);
          return vm_fault_fallback;
        };
        vm_ops::huge_fault(ops, vmf, 9);
      });
}

TEST_F(vm_ops_test, huge_fault_is_not_called_under_mmap_lock_exclusively) {
  answer_fault = [](vm_fault&) { return vm_fault_fallback; };
  auto call = [&] { vm_ops::huge_fault(ops, vmf, 9); };
  expect_report(
      {"lock", vm_table_name, "huge_fault", "mmap_lock", "6.6-vm-5",
       "held: exclusive, required: none or shared, on the area's memory"},
      [&] {
        call();
        shared hold(memory.mmap_lock);
        call();
      },
      [&] {
        exclusive hold(memory.mmap_lock);
        call();
      });
}

// Sets the entries of `count` pages from `index` on.
void set_entries(vm_fault& v, pgoff_t index, unsigned count) {
  exclusive hold(v.table->lock);
  set_pte_range(v, *v.page, v.pte + (static_cast<int64_t>(index) - static_cast<int64_t>(v.pgoff)),
                index, count);
}

TEST_F(vm_ops_test, map_pages_stays_in_the_range) {
  auto map = [&](pgoff_t from, unsigned count) {
    answer_fault = [from, count](vm_fault& v) {
      set_entries(v, from, count);
      return vm_fault_nopage;
    };
    map_pages(2, 5);
  };
  expect_report(
      {"prose", vm_table_name, "map_pages", "", "6.6-vm-6",
       "pages outside of the range were mapped"},
      [&] { map(2, 4); }, [&] { map(5, 2); });
  EXPECT_EQ(during([&] { map(1, 1); }).size(), 1u);
}

TEST_F(vm_ops_test, map_pages_runs_in_rcu_and_never_blocks) {
  answer_fault = [](vm_fault&) { return 0u; };
  auto good = [&] { map_pages(2, 5); };
  expect_report(
      {"prose", vm_table_name, "map_pages", "", "6.6-vm-7", "called outside of an RCU section"},
      good, [&] { vm_ops::map_pages(ops, vmf, 2, 5); });
  expect_report(
      {"blocks_in_rcu", vm_table_name, "map_pages", "", "6.6-vm-7",
       "folio_lock may block, inside an RCU read section"},
      [&] {
        answer_fault = [](vm_fault& v) {  // a page that is busy is skipped
          if (folio_trylock(*v.page)) folio_unlock(*v.page);
          return 0u;
        };
        good();
      },
      [&] {
        answer_fault = [](vm_fault& v) {
          folio_lock(*v.page);
          folio_unlock(*v.page);
          return 0u;
        };
        good();
      });
}

TEST_F(vm_ops_test, map_pages_sets_entries_by_set_pte_range) {
  auto by_hand = [](vm_fault& v) {
    exclusive hold(v.table->lock);
    v.pte[1].store(pte_present);
    return vm_fault_nopage;
  };
  expect_report(
      {"prose", vm_table_name, "map_pages", "", "6.6-vm-8",
       "an entry was set without set_pte_range"},
      [&] {
        answer_fault = [](vm_fault& v) {
          // Another task's fault beside it is no business of ours; nor is an unmapping.
          elsewhere([&] { set_entries(v, 5, 1); });
          v.table->entries[1].store(0);
          set_entries(v, 3, 2);
          return vm_fault_nopage;
        };
        table.entries[1].store(pte_present);
        map_pages(2, 5);
      },
      [&] {
        for (pte_t& e : table.entries) e.store(0);
        answer_fault = by_hand;
        map_pages(2, 5);
      });
}

TEST_F(vm_ops_test, page_mkwrite_returns_the_page_locked) {
  expect_report(
      {"prose", vm_table_name, "page_mkwrite", "", "6.6-vm-9", "the page was not returned locked"},
      [&] {
        answer_fault = good_mkwrite;
        EXPECT_EQ(mkwrite(), vm_fault_locked);
        answer_fault = [](vm_fault&) { return vm_fault_sigbus; };
        mkwrite();
      },
      [&] {
        answer_fault = [](vm_fault&) { return 0u; };
        mkwrite();
      });
  expect_report(
      {"prose", vm_table_name, "page_mkwrite", "", "6.6-vm-9", "the page was truncated meanwhile"},
      [&] {
        answer_fault = good_mkwrite;
        mkwrite();
      },
      [&] {
        answer_fault = [](vm_fault& v) {
          v.page->mapping.store(nullptr);  // nothing kept truncation out
          folio_lock(*v.page);
          return vm_fault_locked;
        };
        mkwrite();
      });
}

TEST_F(vm_ops_test, page_mkwrite_gives_up_a_page_that_is_gone) {
  vmf.page->mapping.store(nullptr);
  auto give_up = [&] {
    answer_fault = [](vm_fault&) { return vm_fault_nopage; };
    EXPECT_EQ(mkwrite(), vm_fault_nopage);
  };
  expect_report({"prose", vm_table_name, "page_mkwrite", "", "6.6-vm-10",
                 "the page is truncated, and the answer is not VM_FAULT_NOPAGE"},
                give_up, [&] {
                  answer_fault = good_mkwrite;
                  mkwrite();
                });
  expect_report(
      {"prose", vm_table_name, "page_mkwrite", "", "6.6-vm-10", "another page was looked up"},
      give_up, [&] {
        answer_fault = [](vm_fault& v) {
          look_up(v);
          return vm_fault_nopage;
        };
        mkwrite();
      });
}

TEST_F(vm_ops_test, pfn_mkwrite_is_for_entries_without_a_page) {
  answer_fault = [](vm_fault&) { return vm_fault_nopage; };
  vmf.page = nullptr;
  auto call = [&](uint64_t flags, folio* of) {
    shared hold(memory.mmap_lock);
    vma.vm_flags = flags;
    vmf.page = of;
    EXPECT_EQ(vm_ops::pfn_mkwrite(ops, vma, vmf), vm_fault_nopage);
  };
  expect_report(
      {"prose", vm_table_name, "pfn_mkwrite", "", "6.6-vm-11",
       "the area has no frames without pages"},
      [&] { call(vm_pfnmap, nullptr); }, [&] { call(vm_write, nullptr); });
  expect_report(
      {"prose", vm_table_name, "pfn_mkwrite", "", "6.6-vm-11", "the entry has a page"},
      [&] { call(vm_mixedmap, nullptr); }, [&] { call(vm_mixedmap, page); });
}

TEST_F(vm_ops_test, pfn_mkwrite_answers_nopage_or_an_error) {
  vmf.page = nullptr;
  vma.vm_flags = vm_pfnmap;
  auto call = [&](vm_fault_t r) {
    answer_fault = [r](vm_fault&) { return r; };
    shared hold(memory.mmap_lock);
    EXPECT_EQ(vm_ops::pfn_mkwrite(ops, vma, vmf), r);
  };
  expect_report(
      {"prose", vm_table_name, "pfn_mkwrite", "", "6.6-vm-12",
       "the answer is neither VM_FAULT_NOPAGE nor an error"},
      [&] {
        call(vm_fault_nopage);
        call(vm_fault_sigbus);
      },
      [&] { call(0); });
}

TEST_F(vm_ops_test, access_is_for_device_memory) {
  auto call = [&](uint64_t flags) {
    shared hold(memory.mmap_lock);
    vma.vm_flags = flags;
    EXPECT_TRUE(vm_ops::access(ops, vma, 0, nullptr, 0, false).ok());
  };
  expect_report(
      {"prose", vm_table_name, "access", "", "6.6-vm-13",
       "the area is neither VM_IO nor VM_PFNMAP"},
      [&] {
        call(vm_io);
        call(vm_pfnmap);
      },
      [&] { call(vm_read); });
}

}  // namespace
HF_NAMESPACE_END
