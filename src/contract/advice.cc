// SPDX-License-Identifier: Apache-2.0
//
// See advice.h.
#include "contract/advice.h"

#include "holdfast/lock_classes.h"

HF_NAMESPACE_BEGIN
namespace {

struct rule_advice {
  std::string_view rule;
  std::string_view advice;
};

constexpr rule_advice by_rule[] = {
    {"6.6-aops-6",
     "A sync waits for every write: begin writeback, or call folio_redirty_for_writepage() and "
     "return an error."},
    {"6.6-aops-8", "Return 0 after folio_redirty_for_writepage(): the folio's turn comes again."},
    {"6.6-aops-11", "Unlock the folio, or keep it locked and return writepage_activate."},
    {"6.6-aops-13",
     "Before folio_unlock(), on this path too: folio_start_writeback() if the folio is written "
     "now, folio_redirty_for_writepage() if it is to be written later. With neither, nobody "
     "writes it, and its data is lost."},
    {"6.6-aops-15",
     "Where nothing is submitted (a hole, an error) call folio_end_writeback() before the return."},
    {"6.6-aops-17",
     "A folio whose dirty flag was cleared gets folio_start_writeback() or "
     "folio_redirty_for_writepage(): one of the two also puts its mark right."},
    {"6.6-aops-25", "Detach and free the private data when the range is the whole folio."},
    {"6.6-aops-30",
     "Call folio_detach_private() and free what it returns before returning true; if it is still "
     "needed, return false. After true the folio is reused, and nobody else frees it."},
    {"6.6-aops-33", "Write the folio and wait, or return an error: success says that it is clean."},
    {"6.6-vm-1", "Look the page up by vmf.pgoff, and return that one in vmf.page."},
    {"6.6-vm-2",
     "Take invalidate_lock shared, look the page up, lock it, and see that it is still the "
     "file's; then return it with vm_fault_locked."},
    {"6.6-vm-9",
     "Lock the page, see that it is still the file's, and return it with vm_fault_locked."},
};

}  // namespace

std::string_view advice_for_rule(std::string_view rule, bool by_method) {
  for (const rule_advice& a : by_rule)
    if (by_method && a.rule == rule) return a.advice;
  return by_method ? "The method did this, not its caller: correct the path in it that leads here."
                   : "Read the rule beside what was found; the stack shows who called the method.";
}

std::string_view advice_for_order(const lock_class& outer, const lock_class& inner) {
  if (&outer == &mmap_lock_class && &inner == &i_rwsem_class)
    return "A fault comes with mmap_lock held, and write(2) takes mmap_lock (to read the caller's "
           "memory) under i_rwsem: the two deadlock. To keep pages from being truncated take "
           "invalidate_lock shared.";
  if (&outer == &i_rwsem_class && &inner == &i_rwsem_class)
    return "Lock the parent first (nest::parent), then the child (nest::child), and see that it is "
           "still the parent. Two directories with neither above the other: s_vfs_rename_mutex "
           "first.";
  return "Take the locks in the published order, or give the two a nesting level that tells them "
         "apart.";
}

std::string_view advice_for_kept(std::string_view method, const lock_class* cls) {
  if (cls == &folio_lock_class && (method == "read_folio" || method == "readahead"))
    return "Unlock the folio on every path out of the method, errors too: folio_unlock(), or "
           "folio_submit_read(), after which the I/O's end unlocks it. Whoever locks it next waits "
           "for ever.";
  if (cls == &folio_lock_class)
    return "Unlock the folio on every path out of the method, errors too, or hand it to the I/O, "
           "whose end unlocks it.";
  return "The method releases it, or hands it to I/O completion, on errors too.";
}

std::string_view advice_for_blocking(std::string_view method, bool rcu_walk) {
  if (!rcu_walk)
    return "Do the part that may block before the section or the call begins, or after it.";
  if (method == "permission")
    return "With may_not_block in mask, return Error(ECHILD) before anything that may block: the "
           "walk takes references and calls again without it.";
  if (method == "get_link")
    return "With a null dentry, return Error(ECHILD) before anything that may block: the walk "
           "takes references and calls again with the dentry.";
  return "Return Error(ECHILD) before anything that may block: the walk takes references and "
         "calls again outside of RCU-walk.";
}

HF_NAMESPACE_END
