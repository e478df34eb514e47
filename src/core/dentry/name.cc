// SPDX-License-Identifier: Apache-2.0
//
// Name buffers of dentries.
//
// 1. The inline buffer is written once, before the dentry is published, and never again: RCU
//    readers may compare against it for as long as the dentry lives.
// 2. An external buffer is reference counted (a rename may share it) and freed after a grace
//    period.
#include <cstring>
#include <new>
#include <thread>

#include "core/dentry/dcache.h"

HF_NAMESPACE_BEGIN

namespace {

struct external_name {
  std::atomic<uint32_t> refs{1};
  rcu_head rcu;
  char bytes[1];  // as long as needed
};

external_name* external_of(const char* name) {
  return reinterpret_cast<external_name*>(const_cast<char*>(name) - offsetof(external_name, bytes));
}

void free_external(rcu_head& head) {
  external_name* e = &container_of<&external_name::rcu>(head);
  ::operator delete(e, std::nothrow);
}

}  // namespace

char* name_alloc(std::string_view name) {
  void* mem = ::operator new(sizeof(external_name) + name.size(), std::nothrow);
  if (!mem) return nullptr;
  auto* e = new (mem) external_name;
  std::memcpy(e->bytes, name.data(), name.size());
  e->bytes[name.size()] = '\0';
  return e->bytes;
}

void name_put(const dentry& d, const char* name) {
  if (!name || name == d.d_iname) return;
  external_name* e = external_of(name);
  if (e->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) call_rcu(e->rcu, free_external);
}

const char* name_copy_for_move(const dentry& of) {
  const char* name = of.d_name.load(std::memory_order_relaxed);
  if (name != of.d_iname) {
    external_of(name)->refs.fetch_add(1, std::memory_order_relaxed);
    return name;
  }
  for (;;) {
    if (char* copy = name_alloc({name, of.name_len()})) return copy;
    // A rename that the file system has carried out can't be refused for want of 64 bytes.
    std::this_thread::yield();
  }
}

HF_NAMESPACE_END
