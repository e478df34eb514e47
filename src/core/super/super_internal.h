// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the superblock code share, and what mounts need of it.
#pragma once

#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

inline constinit lock_class deferred_wait_class{"deferred_wait", lock_kind::spinlock};

// -- deferred.cc
bool start_deferred_worker();  // false: no thread could be made; idempotent

// -- anon_dev.cc: device numbers of superblocks that stand on no device
Result<dev_t> get_anon_dev();  // EMFILE
void free_anon_dev(dev_t dev);
Status set_anon_super(super_block& sb, void* data);  // as sget()'s `set`; doesn't block

// -- super.cc
// A superblock of `type` with its root: calls ->mount, names it, makes it live. On success the root
// is referenced and the superblock has an active reference of the caller's; s_umount is not held.
Result<dentry*> vfs_get_tree(file_system_type& type, unsigned flags, std::string_view source,
                             std::string_view data);
void super_wake();  // a state that somebody may wait for was set
// The superblock leaves the list of all; who waits for its end goes on.
void super_retire(super_block& sb);
void for_each_super(void (*fn)(super_block&, void*), void* arg);  // under sb_lock; fn doesn't block

// Tells the analysis that s_umount is held exclusively, where the superblock came out of a call
// that says so in words only (sget, ->mount).
inline void umount_is_held(super_block& sb) HF_ASSERT_CAPABILITY(sb.s_umount) {
  (void)sb;
}

HF_NAMESPACE_END
