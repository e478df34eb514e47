// SPDX-License-Identifier: Apache-2.0
// Names of kinds and levels, and the registry of classes in use.
#include "holdfast/sync/lock_class.h"

#include "holdfast/sync/hooks.h"
#include "sync/raw_lock.h"

HF_NAMESPACE_BEGIN

namespace {
constinit raw_lock registry_lock;
constinit std::atomic<lock_class*> newest{nullptr};
constinit uint32_t last_id HF_GUARDED_BY(registry_lock) = 0;
}  // namespace

const char* to_string(lock_kind k) {
  switch (k) {
    case lock_kind::mutex:
      return "mutex";
    case lock_kind::rwsem:
      return "rwsem";
    case lock_kind::percpu_rwsem:
      return "percpu_rwsem";
    case lock_kind::spinlock:
      return "spinlock";
    case lock_kind::seqlock:
      return "seqlock";
    case lock_kind::folio:
      return "folio";
    case lock_kind::rcu:
      return "rcu";
    case lock_kind::srcu:
      return "srcu";
    case lock_kind::wait:
      return "wait";
  }
  return "?";
}

const char* to_string(nest n) {
  switch (n) {
    case nest::normal:
      return "normal";
    case nest::parent:
      return "parent";
    case nest::child:
      return "child";
    case nest::parent2:
      return "parent2";
    case nest::nondirectory:
      return "nondirectory";
    case nest::nondirectory2:
      return "nondirectory2";
    case nest::xattr:
      return "xattr";
  }
  return "?";
}

uint32_t register_lock_class(lock_class& c) {
  uint32_t id = c.id.load(std::memory_order_acquire);
  if (id != 0) return id;
  raw_guard g(registry_lock);
  id = c.id.load(std::memory_order_relaxed);
  if (id != 0) return id;
  id = ++last_id;
  c.next_used.store(newest.load(std::memory_order_relaxed), std::memory_order_relaxed);
  newest.store(&c, std::memory_order_release);
  c.id.store(id, std::memory_order_release);
  return id;
}

lock_class* first_lock_class() {
  return newest.load(std::memory_order_acquire);
}

namespace detail {
void count_contention(lock_class& c, uint64_t slept_ns) {
  register_lock_class(c);
  c.contended.fetch_add(1, std::memory_order_relaxed);
  if (slept_ns == 0) return;
  c.slept.fetch_add(1, std::memory_order_relaxed);
  c.wait_ns.fetch_add(slept_ns, std::memory_order_relaxed);
}
}  // namespace detail

HF_NAMESPACE_END
