// SPDX-License-Identifier: Apache-2.0
//
// Methods of a file system, called by themselves: for its author's tests.
//
// Most methods are reached through holdfast/syscalls.h, and are better tested there. These are the
// ones that no call of it leads to so far; a test plays the part of the VFS that would call them
// (memory mappings, writeback, reclaim), and takes the locks that it would take.
//
// 1. The call goes through the method's dispatcher: its gate compares it with the contract, and a
//    null method has its default.
// 2. Nothing is done around the call but what the dispatcher does. What the method asks of its
//    caller is the test's to provide; what is missing is reported like any other broken rule.
// 3. A report names the operation of the operation_scope (holdfast/sync/context.h) around the call.
#pragma once

#include "holdfast/vm.h"
#include "holdfast/writeback.h"

HF_NAMESPACE_BEGIN

// ->fault of vmf.vma, as for a load from a page that isn't mapped. mmap_lock held shared. The page
// that comes back is the caller's: a reference, and its lock with vm_fault_locked. Null:
// vm_fault_sigbus.
vm_fault_t call_fault(vm_fault& vmf);
// ->writepage. f locked and referenced, in its mapping, its dirty flag cleared by
// folio_clear_dirty_for_io(). It comes back unlocked, unless with writepage_activate (which is also
// what a null method gives).
Result<int> call_writepage(folio& f, writeback_control& wbc);
// ->release_folio. f locked and referenced, in its mapping, not under writeback; after true the
// caller removes it from the mapping before it unlocks it. Null: buffer heads are tried.
bool call_release_folio(folio& f, gfp_t gfp);

HF_NAMESPACE_END
