// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of file_system_type (release 6.6; semantics.md 5). The only callers of its methods.
// Both may block.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

namespace fs_type_ops {

// On success the root dentry, referenced; its superblock is active and s_umount is held
// exclusively, which the analysis can't say of a lock that the result leads to. Null: ENODEV.
Result<dentry*> mount(file_system_type& type, unsigned flags, std::string_view source,
                      std::string_view data);
// Shuts sb down, releases s_umount, drops the reference: sb is gone afterwards. Null:
// kill_anon_super.
void kill_sb(super_block& sb) HF_RELEASE(sb.s_umount);

}  // namespace fs_type_ops

HF_NAMESPACE_END
