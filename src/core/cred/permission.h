// SPDX-License-Identifier: Apache-2.0
//
// Permission checks beyond task.h: what path walk may decide inline, and the group rule that mode
// changes share.
#pragma once

#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

// Whether everybody may search `dir`: true decides (mode bits say so and nothing else has a say),
// false means ask inode_permission(). Touches the inode's first line alone; usable in RCU-walk.
inline bool everybody_may_search(inode& dir) {
  constexpr umode_t all_x = S_IXUSR | S_IXGRP | S_IXOTH;
  return (inode_opflags(dir) & iop_fastperm) != 0 && (dir.i_mode & all_x) == all_x;
}

// The running task is in group `gid`, or may ignore groups on `i` (CAP_FSETID): it may have
// S_ISGID.
bool in_group_or_capable(const mnt_idmap& idmap, const inode& i, gid_t gid);

HF_NAMESPACE_END
