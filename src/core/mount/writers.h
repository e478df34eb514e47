// SPDX-License-Identifier: Apache-2.0
//
// Writers of mounts against those who make something read-only.
#pragma once

#include "core/mount/mount.h"

HF_NAMESPACE_BEGIN

// New writers of `m` wait from now on; mount_lock held. Error EBUSY: there are writers (and none
// wait).
Status mnt_hold_writers(mount& m) HF_REQUIRES(mount_lock);
void mnt_unhold_writers(mount& m) HF_REQUIRES(mount_lock);

// Turns new writers of every mount of `sb` away (EROFS), until sb_end_remount_readonly(). Error
// EBUSY: there are writers, or inodes whose last name is gone and that must still be freed on the
// medium.
Status sb_prepare_remount_readonly(super_block& sb) HF_REQUIRES(sb.s_umount);
void sb_end_remount_readonly(super_block& sb) HF_REQUIRES(sb.s_umount);

HF_NAMESPACE_END
