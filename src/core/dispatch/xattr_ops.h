// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of xattr_handler (release 6.6; semantics.md 3), and the choice of a handler by name.
// The only callers of its methods. All may block.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

namespace xattr_ops {

// The handler of sb for the attribute `name`: the first whose name is exactly that, or whose prefix
// it begins with. On success a prefix is removed from `name` (an exact match leaves it empty),
// which is the form that ->get and ->set want. A prefix alone is no attribute's name. Null: nobody
// handles it; callers say EOPNOTSUPP (EINVAL for the bare prefix is the caller's as well).
const xattr_handler* find_handler(const super_block& sb, std::string_view& name);

// May attributes of this handler be listed for d. Null: yes.
bool list(const xattr_handler& handler, dentry& d);
// Null: EOPNOTSUPP.
Result<size_t> get(const xattr_handler& handler, dentry* d, inode& i, std::string_view name,
                   void* buffer, size_t size);
// Null: EOPNOTSUPP.
Status set(const xattr_handler& handler, const mnt_idmap& idmap, dentry* d, inode& i,
           std::string_view name, const void* value, size_t size, int flags) HF_REQUIRES(i.i_rwsem);

}  // namespace xattr_ops

HF_NAMESPACE_END
