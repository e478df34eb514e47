// SPDX-License-Identifier: Apache-2.0
//
// Scoped holds of any lock that has lock()/unlock() or lock_shared()/unlock_shared().
#pragma once

#include "holdfast/sync/annotations.h"
#include "holdfast/sync/lock_class.h"

HF_NAMESPACE_BEGIN

template <class L>
class [[nodiscard]] HF_SCOPED_CAPABILITY exclusive_guard {
 public:
  explicit exclusive_guard(L& l, nest n = nest::normal) HF_ACQUIRE(l) : lock_(&l) { l.lock(n); }
  ~exclusive_guard() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->unlock();
  }
  // Before the end of the scope, once.
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS {
    lock_->unlock();
    lock_ = nullptr;
  }
  exclusive_guard(const exclusive_guard&) = delete;
  exclusive_guard& operator=(const exclusive_guard&) = delete;

 private:
  L* lock_;
};

template <class L>
class [[nodiscard]] HF_SCOPED_CAPABILITY shared_guard {
 public:
  explicit shared_guard(L& l, nest n = nest::normal) HF_ACQUIRE_SHARED(l) : lock_(&l) {
    l.lock_shared(n);
  }
  ~shared_guard() HF_RELEASE_GENERIC() HF_NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->unlock_shared();
  }
  void unlock() HF_RELEASE_GENERIC() HF_NO_THREAD_SAFETY_ANALYSIS {
    lock_->unlock_shared();
    lock_ = nullptr;
  }
  shared_guard(const shared_guard&) = delete;
  shared_guard& operator=(const shared_guard&) = delete;

 private:
  L* lock_;
};

HF_NAMESPACE_END
