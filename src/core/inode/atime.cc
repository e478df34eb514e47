// SPDX-License-Identifier: Apache-2.0
#include "core/inode/atime.h"

#include "core/dispatch/inode_ops.h"

HF_NAMESPACE_BEGIN

namespace {
constexpr int64_t relatime_seconds = 24 * 60 * 60;
}

bool atime_needs_update_slow(const path& p, const inode& i) {
  const unsigned mnt = p.mnt->mnt_flags;
  const unsigned sb = i.i_sb->s_flags;
  if (sb & (sb_rdonly | sb_noatime)) return false;
  if (i.is_dir() && ((mnt & mnt_nodiratime) || (sb & sb_nodiratime))) return false;
  if (mnt & mnt_readonly) return false;
  const timespec64 at = inode_get_atime(i);
  if (mnt & mnt_relatime) {
    // Only if nothing was read since the last change, or the last update is a day old.
    const bool stale = at <= inode_get_mtime(i) || at <= inode_get_ctime(i);
    if (!stale && current_time(i).tv_sec - at.tv_sec < relatime_seconds) return false;
  }
  return at != current_time(i);
}

void touch_atime(const path& p) {
  inode& i = *p.dent->inode_ptr();
  if (!atime_needs_update(p, i)) return;
  super_block& sb = *i.i_sb;
  if (!sb_start_write_trylock(sb)) return;
  if (mnt_get_write_access(*p.mnt).ok()) {
    static_cast<void>(inode_ops::update_time(i, inode_ops::update_atime));
    mnt_put_write_access(*p.mnt);
  }
  sb_end_write(sb);
}

HF_NAMESPACE_END
