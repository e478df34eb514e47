// SPDX-License-Identifier: Apache-2.0
//
// Protected<T, Lock>: data that can be reached only through a hold of their lock.
//
//   Protected<table, rwsem<table_class>> t;
//   t.write()->insert(x);      t.read()->size();
//
// 1. A hold lasts as long as the accessor; in an expression, until its end.
// 2. References taken out of an accessor are not used after it.
#pragma once

#include <utility>

#include "holdfast/sync/annotations.h"
#include "holdfast/sync/lock_class.h"

HF_NAMESPACE_BEGIN

template <class T, class Lock>
class Protected {
 public:
  template <class... Args>
  explicit Protected(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Protected(const Protected&) = delete;
  Protected& operator=(const Protected&) = delete;

  class [[nodiscard]] writer {
   public:
    writer(Protected& p, nest n) HF_NO_THREAD_SAFETY_ANALYSIS : p_(p) { p_.lock_.lock(n); }
    ~writer() HF_NO_THREAD_SAFETY_ANALYSIS { p_.lock_.unlock(); }
    writer(const writer&) = delete;
    writer& operator=(const writer&) = delete;
    T* operator->() const { return &p_.value_; }
    T& operator*() const { return p_.value_; }

   private:
    Protected& p_;
  };
  class [[nodiscard]] reader {
   public:
    reader(const Protected& p, nest n) HF_NO_THREAD_SAFETY_ANALYSIS : p_(p) {
      p_.lock_.lock_shared(n);
    }
    ~reader() HF_NO_THREAD_SAFETY_ANALYSIS { p_.lock_.unlock_shared(); }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    const T* operator->() const { return &p_.value_; }
    const T& operator*() const { return p_.value_; }

   private:
    const Protected& p_;
  };

  writer write(nest n = nest::normal) { return writer(*this, n); }
  // Where the lock has a shared mode.
  reader read(nest n = nest::normal) const { return reader(*this, n); }
  Lock& get_lock() HF_RETURN_CAPABILITY(lock_) { return lock_; }

 private:
  mutable Lock lock_;
  T value_;
};

HF_NAMESPACE_END
