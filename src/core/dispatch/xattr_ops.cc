// SPDX-License-Identifier: Apache-2.0
//
// The gated side of xattr_ops.h.
#include "core/dispatch/xattr_ops.h"

#include <cerrno>

HF_NAMESPACE_BEGIN

namespace xattr_ops {

const xattr_handler* find_handler(const super_block& sb, std::string_view& name) {
  if (sb.s_xattr == nullptr) return nullptr;
  for (const xattr_handler* const* h = sb.s_xattr; *h != nullptr; ++h) {
    if ((*h)->name != nullptr) {
      if (name != std::string_view((*h)->name)) continue;
      name = {};
      return *h;
    }
    if ((*h)->prefix == nullptr) continue;
    const std::string_view prefix = (*h)->prefix;
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    name.remove_prefix(prefix.size());
    return *h;
  }
  return nullptr;
}

bool list(const xattr_handler& handler, dentry& d) {
  if (handler.list == nullptr) return true;
  return door::through(method_id::xattr_list, [&] { return handler.list(d); });
}

Result<size_t> get(const xattr_handler& handler, dentry* d, inode& i, std::string_view name,
                   void* buffer, size_t size) {
  if (handler.get == nullptr) return Error(EOPNOTSUPP);
  return door::through(
      method_id::xattr_get, [&](gate& g) { g.lock(column::i_rwsem, i.i_rwsem, "inode"); },
      [&] { return handler.get(handler, d, i, name, buffer, size); });
}

Status set(const xattr_handler& handler, const mnt_idmap& idmap, dentry* d, inode& i,
           std::string_view name, const void* value, size_t size, int flags) {
  if (handler.set == nullptr) return Error(EOPNOTSUPP);
  return door::through(
      method_id::xattr_set, [&](gate& g) { g.lock(column::i_rwsem, i.i_rwsem, "inode"); },
      [&] { return handler.set(handler, idmap, d, i, name, value, size, flags); });
}

}  // namespace xattr_ops

HF_NAMESPACE_END
