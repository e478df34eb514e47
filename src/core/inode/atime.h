// SPDX-License-Identifier: Apache-2.0
//
// Access times: when a read must update one, by mount(2): noatime, nodiratime, relatime (the
// default here as in the kernel), strictatime.
#pragma once

#include "holdfast/mount.h"

HF_NAMESPACE_BEGIN

bool atime_needs_update_slow(const path& p, const inode& i);

// Takes no lock and writes nothing; may be called in RCU-walk.
inline bool atime_needs_update(const path& p, const inode& i) {
  if ((p.mnt->mnt_flags & mnt_noatime) || (i.i_flags & s_noatime)) return false;
  return atime_needs_update_slow(p, i);
}
// Updates the access time if it is due and the mount can be written; an error changes nothing and
// is kept quiet, since no read fails for want of an access time. Never waits for a frozen file
// system.
void touch_atime(const path& p);
inline void file_accessed(const path& p, unsigned open_flags) {
  if (!(open_flags & O_NOATIME) && atime_needs_update(p, *p.dent->inode_ptr())) touch_atime(p);
}

HF_NAMESPACE_END
