// SPDX-License-Identifier: Apache-2.0
//
// relaxed<T>: a field that is read without a lock and written by one writer at a time. It behaves
// like a plain T; every access is a relaxed atomic, so readers that race see an old or a new value,
// never a torn one, and order nothing. What must be consistent with other fields stands under a
// seqcount.
//
// 1. The compound assignments are a load and a store, not one atomic step: the caller's lock makes
//    writers take turns. fetch_* are atomic.
#pragma once

#include <atomic>
#include <type_traits>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

template <class T>
class relaxed {
 public:
  using value_type = T;
  constexpr relaxed() : v_(T{}) {}
  constexpr relaxed(T v) : v_(v) {}
  relaxed(const relaxed& o) : v_(o.load()) {}
  relaxed& operator=(const relaxed& o) {
    store(o.load());
    return *this;
  }
  T operator=(T v) {
    store(v);
    return v;
  }
  operator T() const { return load(); }
  T load() const { return v_.load(std::memory_order_relaxed); }
  void store(T v) { v_.store(v, std::memory_order_relaxed); }
  T operator->() const
    requires std::is_pointer_v<T>
  {
    return load();
  }

  T operator|=(T b) { return *this = static_cast<T>(load() | b); }
  T operator&=(T b) { return *this = static_cast<T>(load() & b); }
  T operator^=(T b) { return *this = static_cast<T>(load() ^ b); }
  T operator+=(T b) { return *this = static_cast<T>(load() + b); }
  T operator-=(T b) { return *this = static_cast<T>(load() - b); }
  T operator++() { return *this = static_cast<T>(load() + T{1}); }
  T operator--() { return *this = static_cast<T>(load() - T{1}); }

  T exchange(T v) { return v_.exchange(v, std::memory_order_relaxed); }
  T fetch_add(T b) { return v_.fetch_add(b, std::memory_order_relaxed); }
  T fetch_sub(T b) { return v_.fetch_sub(b, std::memory_order_relaxed); }
  T fetch_or(T b) { return v_.fetch_or(b, std::memory_order_relaxed); }
  T fetch_and(T b) { return v_.fetch_and(b, std::memory_order_relaxed); }
  // For the few places that need order too.
  std::atomic<T>& atomic() { return v_; }
  const std::atomic<T>& atomic() const { return v_; }

 private:
  std::atomic<T> v_;
};

HF_NAMESPACE_END
