// SPDX-License-Identifier: Apache-2.0
//
// The vm_operations_struct part of later_ops.h.
//
// 1. A page is judged when it is returned: of the offset asked for, and, if locked, still the
//    file's. The lock of invalidation is judged when the page is looked up (event::page_lookup).
// 2. Entries of the page table are compared before and after ->map_pages; what set_pte_range() did
//    not announce, on whatever thread, was set behind its back.
#include <cerrno>
#include <optional>

#include "contract/events.h"
#include "core/dispatch/later_ops.h"

HF_NAMESPACE_BEGIN

namespace vm_ops {

namespace {

const address_space* mapping_of(const vm_area& vma) {
  return vma.vm_file != nullptr ? vma.vm_file->f_mapping : nullptr;
}

void bind_mm(gate& g, const vm_area& vma) {
  g.lock(column::mmap_lock, vma.vm_mm->mmap_lock, "the area's memory");
}
auto on_mm(const vm_area& vma) {
  return [&vma](gate& g) { bind_mm(g, vma); };
}

// A page that was not returned can't be wrong.
bool has_page(vm_fault_t r) {
  return (r & (vm_fault_error | vm_fault_nopage | vm_fault_retry | vm_fault_done_cow)) == 0;
}

bool still_in(const folio& f, const address_space* mapping) {
  return mapping == nullptr || folio_in(f, *mapping);
}

// ->fault: the lookup holds off truncation.
class fault_watch final : public event_watch {
 public:
  explicit fault_watch(const address_space* mapping) : mapping_(mapping) {
    open(events(event::page_lookup, event::generic_fault));
  }
  ~fault_watch() { close(); }
  void listen(gate* g) { gate_ = g; }
  void seen(const event_note& n) override {
    if (n.what != event::page_lookup || n.object != mapping_ || gate_ == nullptr) return;
    gate_->require(held_mode(&mapping_->invalidate_lock) != held::none, prose::vm(2),
                   "the page was looked up without invalidate_lock");
  }

 private:
  const address_space* mapping_;
  gate* gate_ = nullptr;
};

// ->huge_fault: the generic function is for pages.
class huge_fault_watch final : public event_watch {
 public:
  huge_fault_watch() { open(events(event::generic_fault)); }
  ~huge_fault_watch() { close(); }
  void listen(gate* g) { gate_ = g; }
  void seen(const event_note&) override {
    if (gate_ != nullptr)
      gate_->require(false, prose::vm(4), "the generic fault function was called");
  }

 private:
  gate* gate_ = nullptr;
};

// ->map_pages: which entries were announced, and which changed.
class map_watch final : public event_watch {
 public:
  map_watch(const vm_fault& vmf, pgoff_t start, pgoff_t end) : vmf_(vmf), start_(start), end_(end) {
    open(events(event::pte_set), events(event::pte_set));
    if (!is_open() || vmf.table == nullptr) return;
    for (unsigned i = 0; i < page_table::size; ++i)
      before_[i] = vmf.table->entries[i].load(std::memory_order_relaxed);
  }
  ~map_watch() { close(); }
  void listen(gate* g) { gate_ = g; }

  void seen(const event_note& n) override {
    if (n.object != vmf_.table) return;
    announce(n);
    if (gate_ != nullptr)
      gate_->require(n.length == 0 || (n.first >= start_ && n.first + n.length - 1 <= end_),
                     prose::vm(6), "pages outside of the range were mapped");
  }
  // Another fault in the same stretch of memory.
  void seen_elsewhere(const event_note& n) HF_REQUIRES(contract_detail::event_lock) override {
    if (n.object == vmf_.table) announce_locked(n);
  }

  // True: an entry was set that nobody announced.
  bool set_behind() {
    gate_ = nullptr;
    if (!is_open() || vmf_.table == nullptr || vmf_.pte == nullptr) return false;
    const event_guard guard;
    for (unsigned i = 0; i < page_table::size; ++i) {
      const uint64_t now = vmf_.table->entries[i].load(std::memory_order_relaxed);
      if (now != 0 && now != before_[i] && !announced_[i]) return true;
    }
    return false;
  }

 private:
  void announce(const event_note& n) {
    const event_guard g;
    announce_locked(n);
  }
  // Entries are counted from that of the page the fault is about.
  void announce_locked(const event_note& n) HF_REQUIRES(contract_detail::event_lock) {
    if (vmf_.pte == nullptr) return;
    const int64_t at = (vmf_.pte - vmf_.table->entries) + static_cast<int64_t>(n.first) -
                       static_cast<int64_t>(vmf_.pgoff);
    for (int64_t i = 0; i < static_cast<int64_t>(n.length); ++i)
      if (at + i >= 0 && at + i < int64_t{page_table::size})
        announced_[static_cast<size_t>(at + i)] = true;
  }

  const vm_fault& vmf_;
  const pgoff_t start_;
  const pgoff_t end_;
  gate* gate_ = nullptr;
  bool announced_[page_table::size] HF_GUARDED_BY(contract_detail::event_lock) = {};
  uint64_t before_[page_table::size];
};

}  // namespace

void open(const vm_operations_struct& ops, vm_area& vma) {
  if (ops.open == nullptr) return;
  door::through(method_id::vm_open, on_mm(vma), [&] { ops.open(vma); });
}

void close(const vm_operations_struct& ops, vm_area& vma) {
  if (ops.close == nullptr) return;
  door::through(method_id::vm_close, on_mm(vma), [&] { ops.close(vma); });
}

vm_fault_t fault(const vm_operations_struct& ops, vm_fault& vmf) {
  if (ops.fault == nullptr) return vm_fault_sigbus;
  const address_space* mapping = mapping_of(*vmf.vma);
  fault_watch watch(mapping);
  return door::through(
      method_id::vm_fault,
      [&](gate& g) {
        watch.listen(&g);
        bind_mm(g, *vmf.vma);
      },
      [&] { return ops.fault(vmf); },
      [&](gate& g, vm_fault_t r) {
        watch.listen(nullptr);
        if (!has_page(r)) return;
        g.require(vmf.page != nullptr, prose::vm(1), "no page was returned");
        if (vmf.page == nullptr) return;
        const folio& page = *vmf.page;
        const bool there = still_in(page, mapping);
        if ((r & vm_fault_locked) != 0) {
          g.returns_locked(page, "page");
          g.require(there, prose::vm(2), "the page that was returned is not the file's any more");
        }
        if (there && mapping != nullptr)
          g.require(vmf.pgoff - page.index < page.nr_pages(), prose::vm(1),
                    "the page that was returned is of another offset");
      });
}

vm_fault_t huge_fault(const vm_operations_struct& ops, vm_fault& vmf, unsigned order) {
  if (ops.huge_fault == nullptr) return vm_fault_fallback;
  huge_fault_watch watch;
  return door::through(
      method_id::vm_huge_fault,
      [&](gate& g) {
        watch.listen(&g);
        g.lock(column::mmap_lock, prose::vm(5), vmf.vma->vm_mm->mmap_lock, "the area's memory");
        const bool pmd = vmf.pmd != nullptr && vmf.pmd->load(std::memory_order_relaxed) != 0;
        const bool pud = vmf.pud != nullptr && vmf.pud->load(std::memory_order_relaxed) != 0;
        // An entry for 1 GiB that leads to a table of smaller ones is none for a huge page.
        const bool present = order > 9 ? pud : pmd;
        g.require(!present, prose::vm(3), "there is an entry already");
      },
      [&] { return ops.huge_fault(vmf, order); },
      [&](gate&, vm_fault_t) { watch.listen(nullptr); });
}

vm_fault_t map_pages(const vm_operations_struct& ops, vm_fault& vmf, pgoff_t start, pgoff_t end) {
  if (ops.map_pages == nullptr) return 0;
  std::optional<map_watch> watch;  // it is large
  if (checking_on()) watch.emplace(vmf, start, end);
  return door::through(
      method_id::vm_map_pages,
      [&](gate& g) {
        if (watch) watch->listen(&g);
        bind_mm(g, *vmf.vma);
        g.require(rcu_read_lock_held(), prose::vm(7), "called outside of an RCU section");
      },
      [&] { return ops.map_pages(vmf, start, end); },
      [&](gate& g, vm_fault_t) {
        g.require(!watch || !watch->set_behind(), prose::vm(8),
                  "an entry was set without set_pte_range");
      });
}

vm_fault_t page_mkwrite(const vm_operations_struct& ops, vm_area& vma, vm_fault& vmf) {
  if (ops.page_mkwrite == nullptr) return 0;
  const address_space* mapping = mapping_of(vma);
  const uint64_t begin = event_begin();
  event_counter lookups(event::page_lookup, mapping);
  // What is truncated stays so.
  const bool gone = checking_on() && vmf.page != nullptr && !still_in(*vmf.page, mapping);
  return door::through(
      method_id::vm_page_mkwrite, on_mm(vma), [&] { return ops.page_mkwrite(vma, vmf); },
      [&](gate& g, vm_fault_t r) {
        const bool allowed = (r & (vm_fault_error | vm_fault_nopage | vm_fault_retry)) == 0;
        const bool locked = (r & vm_fault_locked) != 0 && vmf.page != nullptr;
        if (gone) {
          g.require(lookups.count() == 0, prose::vm(10), "another page was looked up");
          g.require((r & vm_fault_nopage) != 0, prose::vm(10),
                    "the page is truncated, and the answer is not VM_FAULT_NOPAGE");
        }
        if (locked) g.returns_locked(*vmf.page, "page");
        if (!allowed || gone) return;
        g.require(locked, prose::vm(9), "the page was not returned locked");
        if (!locked) return;
        const bool there = still_in(*vmf.page, mapping);
        g.require(there, prose::vm(9), "the page was truncated meanwhile");
        if (there && mapping != nullptr)
          note_event_since(begin, event::page_made_writable, mapping,
                           static_cast<uint64_t>(vmf.page->pos()), vmf.page->size());
      });
}

vm_fault_t pfn_mkwrite(const vm_operations_struct& ops, vm_area& vma, vm_fault& vmf) {
  if (ops.pfn_mkwrite == nullptr) return 0;
  return door::through(
      method_id::vm_pfn_mkwrite,
      [&](gate& g) {
        bind_mm(g, vma);
        g.require((vma.vm_flags & (vm_pfnmap | vm_mixedmap)) != 0, prose::vm(11),
                  "the area has no frames without pages");
        g.require(vmf.page == nullptr, prose::vm(11), "the entry has a page");
      },
      [&] { return ops.pfn_mkwrite(vma, vmf); },
      [&](gate& g, vm_fault_t r) {
        g.require((r & (vm_fault_nopage | vm_fault_error)) != 0, prose::vm(12),
                  "the answer is neither VM_FAULT_NOPAGE nor an error");
      });
}

Result<size_t> access(const vm_operations_struct& ops, vm_area& vma, unsigned long addr, void* buf,
                      size_t len, bool write) {
  if (ops.access == nullptr) return Error(EIO);
  return door::through(
      method_id::vm_access,
      [&](gate& g) {
        bind_mm(g, vma);
        g.require((vma.vm_flags & (vm_io | vm_pfnmap)) != 0, prose::vm(13),
                  "the area is neither VM_IO nor VM_PFNMAP");
      },
      [&] { return ops.access(vma, addr, buf, len, write); });
}

}  // namespace vm_ops

HF_NAMESPACE_END
