// SPDX-License-Identifier: Apache-2.0
//
// The list of file systems that can be mounted. A type stays registered while anything of it is
// mounted; it has static storage, so that a pointer to it stays good.
#include <cerrno>
#include <cstring>

#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

namespace {

constinit rwsem<file_systems_class> file_systems_lock;
constinit file_system_type* file_systems HF_GUARDED_BY(file_systems_lock) = nullptr;

// The pointer that points to the type `name`, or the null at the end.
file_system_type** find(std::string_view name) HF_REQUIRES_SHARED(file_systems_lock) {
  file_system_type** p = &file_systems;
  while (*p != nullptr && name != (*p)->name) p = &(*p)->next;
  return p;
}

}  // namespace

Status register_filesystem(file_system_type& type) {
  exclusive_guard g(file_systems_lock);
  if (type.next != nullptr) return Error(EBUSY);
  file_system_type** p = find(type.name);
  if (*p != nullptr) return Error(EBUSY);
  *p = &type;
  return {};
}

Status unregister_filesystem(file_system_type& type) {
  exclusive_guard g(file_systems_lock);
  file_system_type** p = find(type.name);
  if (*p != &type) return Error(EINVAL);
  *p = type.next;
  type.next = nullptr;
  return {};
}

file_system_type* get_fs_type(std::string_view name) {
  shared_guard g(file_systems_lock);
  return *find(name);
}

void for_each_filesystem(void (*fn)(const file_system_type&, void*), void* arg) {
  shared_guard g(file_systems_lock);
  for (const file_system_type* t = file_systems; t != nullptr; t = t->next) fn(*t, arg);
}

HF_NAMESPACE_END
