// SPDX-License-Identifier: Apache-2.0
//
// std::mutex as a capability: for tables below or beside the checked locks (memory, reports,
// doors), whose own locking must neither be checked nor counted. Standard libraries don't annotate
// theirs.
#pragma once

#include <mutex>

#include "holdfast/abi.h"
#include "holdfast/sync/annotations.h"

HF_NAMESPACE_BEGIN

class HF_CAPABILITY("mutex") plain_mutex {
 public:
  constexpr plain_mutex() = default;
  plain_mutex(const plain_mutex&) = delete;
  plain_mutex& operator=(const plain_mutex&) = delete;
  void lock() HF_ACQUIRE() HF_NO_THREAD_SAFETY_ANALYSIS { mutex_.lock(); }
  void unlock() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class [[nodiscard]] HF_SCOPED_CAPABILITY plain_guard {
 public:
  explicit plain_guard(plain_mutex& m) HF_ACQUIRE(m) : mutex_(m) { m.lock(); }
  ~plain_guard() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS { mutex_.unlock(); }
  plain_guard(const plain_guard&) = delete;
  plain_guard& operator=(const plain_guard&) = delete;

 private:
  plain_mutex& mutex_;
};

HF_NAMESPACE_END
