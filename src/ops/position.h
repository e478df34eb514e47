// SPDX-License-Identifier: Apache-2.0
//
// Who may move a file's position.
//
// f_pos_lock is needed where two users are possible: the task's table is shared by threads, or the
// open file has more than one reference. A lone reference in a lone table can't gain a second user
// during the call.
#pragma once

#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

// f_pos_lock for a scope, where it is needed. The condition is known only at run time, which the
// static analysis can't express; f_pos is relaxed<> and no method is called that requires the lock.
class position_scope {
 public:
  position_scope(task& t, file& f) HF_NO_THREAD_SAFETY_ANALYSIS
      : f_((f.f_mode & fmode_atomic_pos) &&
                   (t.shared || f.f_count.load(std::memory_order_relaxed) > 1)
               ? &f
               : nullptr) {
    if (f_) f_->f_pos_lock.lock();
  }
  ~position_scope() HF_NO_THREAD_SAFETY_ANALYSIS {
    if (f_) f_->f_pos_lock.unlock();
  }
  position_scope(const position_scope&) = delete;
  position_scope& operator=(const position_scope&) = delete;

 private:
  file* f_;
};

HF_NAMESPACE_END
