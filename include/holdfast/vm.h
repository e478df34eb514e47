// SPDX-License-Identifier: Apache-2.0
//
// Mappings of files into a task's memory: address space, area, fault. The layouts, and the one way
// to set page table entries; faulting, unmapping and copying come with the memory part.
//
// 1. mmap_lock exclusively: areas come, go and change. Shared: a fault, an access.
// 2. Entries change under their page_table's lock. A file system sets them with set_pte_range()
//    alone; those of other pages lie beside vm_fault::pte, at the distance of the pages.
// 3. A page that is returned with vm_fault_locked is locked, referenced, and still the file's.
#pragma once

#include <atomic>

#include "holdfast/events.h"
#include "holdfast/file.h"

HF_NAMESPACE_BEGIN

// vm_area::vm_flags, as Linux numbers them.
inline constexpr uint64_t vm_read = 0x0001;
inline constexpr uint64_t vm_write = 0x0002;
inline constexpr uint64_t vm_exec = 0x0004;
inline constexpr uint64_t vm_shared = 0x0008;
inline constexpr uint64_t vm_pfnmap = 0x0400;        // frames without a page behind them
inline constexpr uint64_t vm_io = 0x4000;            // a device's memory
inline constexpr uint64_t vm_mixedmap = 0x10000000;  // frames with and without

// What ->fault and its kin answer: bits, as Linux numbers them.
inline constexpr vm_fault_t vm_fault_oom = 0x0001;
inline constexpr vm_fault_t vm_fault_sigbus = 0x0002;
inline constexpr vm_fault_t vm_fault_major = 0x0004;
inline constexpr vm_fault_t vm_fault_hwpoison = 0x0010;
inline constexpr vm_fault_t vm_fault_hwpoison_large = 0x0020;
inline constexpr vm_fault_t vm_fault_sigsegv = 0x0040;
inline constexpr vm_fault_t vm_fault_nopage =
    0x0100;  // the entry is set, or will be when tried again
inline constexpr vm_fault_t vm_fault_locked = 0x0200;  // vm_fault::page is returned locked
inline constexpr vm_fault_t vm_fault_retry = 0x0400;
inline constexpr vm_fault_t vm_fault_fallback = 0x0800;  // no huge page: a small one, please
inline constexpr vm_fault_t vm_fault_done_cow = 0x1000;
inline constexpr vm_fault_t vm_fault_needdsync = 0x2000;
inline constexpr vm_fault_t vm_fault_error = vm_fault_oom | vm_fault_sigbus | vm_fault_sigsegv |
                                             vm_fault_hwpoison | vm_fault_hwpoison_large |
                                             vm_fault_fallback;

struct mm {
  rwsem<mmap_lock_class> mmap_lock;
  task* owner = nullptr;
};

struct vm_area {
  mm* vm_mm = nullptr;
  unsigned long vm_start = 0;
  unsigned long vm_end = 0;  // the first byte behind it
  uint64_t vm_flags = 0;
  pgoff_t vm_pgoff = 0;     // the file's page at vm_start
  file* vm_file = nullptr;  // null: memory without a file
  const vm_operations_struct* vm_ops = nullptr;
  void* vm_private_data = nullptr;
};

// An entry: 0 where nothing is mapped; else a frame and these bits.
using pte_t = std::atomic<uint64_t>;
inline constexpr uint64_t pte_present = 1u << 0;
inline constexpr uint64_t pte_write = 1u << 1;

// The entries of one aligned stretch of memory.
struct page_table {
  static constexpr unsigned size = 512;
  spinlock<page_table_class> lock;
  pte_t entries[size]{};
};

struct vm_fault {
  vm_area* vma = nullptr;
  pgoff_t pgoff = 0;          // the file's page
  unsigned long address = 0;  // where it is wanted
  unsigned flags = 0;
  pte_t* pud = nullptr;         // the entry of 1 GiB around it; null: that level isn't there
  pte_t* pmd = nullptr;         // of 2 MiB
  page_table* table = nullptr;  // with its lock; null: not there yet
  pte_t* pte = nullptr;         // in `table`: the entry of `pgoff`
  folio* page = nullptr;        // what ->fault found; what ->page_mkwrite is asked for
};

// Maps `nr` pages from `page` on at `pte`, for the file's pages from `index` on; a store faults
// again. The table's lock is held.
inline void set_pte_range(vm_fault& vmf, folio& page, pte_t* pte, pgoff_t index, unsigned nr) {
  const uint64_t frame = reinterpret_cast<uintptr_t>(page.data) & ~uint64_t{page_size - 1};
  for (unsigned i = 0; i < nr; ++i)
    pte[i].store((frame + i * page_size) | pte_present, std::memory_order_release);
  note_event(event::pte_set, vmf.table, index, nr);
}

HF_NAMESPACE_END
