// SPDX-License-Identifier: Apache-2.0
//
// The gated side of fs_type_ops.h. Both methods change hands of s_umount, so both tell the gate.
#include "core/dispatch/fs_type_ops.h"

#include <cerrno>

HF_NAMESPACE_BEGIN

namespace fs_type_ops {

Result<dentry*> mount(file_system_type& type, unsigned flags, std::string_view source,
                      std::string_view data) {
  if (type.mount == nullptr) return Error(ENODEV);
  return door::through(
      method_id::fstype_mount, [](gate&) {}, [&] { return type.mount(type, flags, source, data); },
      [](gate& g, const Result<dentry*>& root) {
        if (root.ok()) g.returns_locked(prose::fstype(1), (*root)->d_sb->s_umount, "superblock");
      });
}

// The analysis does not follow a lock into a table's method.
void kill_sb(super_block& sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  const file_system_type& type = *sb.s_type;
  if (type.kill_sb == nullptr) return kill_anon_super(sb);
  door::through(
      method_id::fstype_kill_sb,
      [&](gate& g) {
        g.lock(prose::fstype(2), sb.s_umount, "superblock", requirement_kind::releases);
      },
      [&] { type.kill_sb(sb); });
}

}  // namespace fs_type_ops

HF_NAMESPACE_END
