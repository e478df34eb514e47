// SPDX-License-Identifier: Apache-2.0
//
// See holdfast/method_calls.h: other names of three dispatchers.
#include "holdfast/method_calls.h"

#include "core/dispatch/aops.h"
#include "core/dispatch/later_ops.h"

HF_NAMESPACE_BEGIN

vm_fault_t call_fault(vm_fault& vmf) {
  const vm_operations_struct* table = vmf.vma->vm_ops;
  return table != nullptr ? vm_ops::fault(*table, vmf) : vm_fault_sigbus;
}

Result<int> call_writepage(folio& f, writeback_control& wbc) {
  return aops::writepage(f, wbc);
}

bool call_release_folio(folio& f, gfp_t gfp) {
  return aops::release_folio(f, gfp);
}

HF_NAMESPACE_END
