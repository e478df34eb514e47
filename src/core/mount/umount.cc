// SPDX-License-Identifier: Apache-2.0
//
// umount(2).
//
// 1. A plain umount wants a mount with no children and no references but the tree's and the
//    caller's. The sum is taken under mount_lock, after mnt_sync_umount has been set: a walk that
//    raced with it either is in the sum or drops its reference again (legitimize_mnt).
// 2. MNT_DETACH takes the whole subtree out of the name space at once; each mount ends with its
//    last user.
#include <sys/mount.h>

#include <cerrno>

#include "core/dispatch/super_ops.h"
#include "core/mount/mount_internal.h"
#include "core/mount/writers.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr int64_t tree_and_caller = 2;  // references of a mount that nobody uses

bool in_my_namespace(const mount& m) {
  return m.mnt_ns != nullptr && m.mnt_ns == current().ns;
}

// Read-only in place of gone: a root can't be taken away from those who stand on it.
Status umount_root(super_block& sb) {
  exclusive_guard g(sb.s_umount);
  if (sb.rdonly()) return {};
  return reconfigure_super(sb, sb.s_flags | sb_rdonly, {});
}

Status expire(mount& m) {
  {
    exclusive_guard g(mount_lock);
    if (m.count.sum() != tree_and_caller || !m.mnt_mounts.empty()) return Error(EBUSY);
  }
  // Marked before and not used since: any mntput() takes the mark away.
  if (!m.expiry_mark.exchange(true)) return Error(EAGAIN);
  return {};
}

Status detach(mount& m, bool lazy, list_head& gone) HF_REQUIRES(namespace_sem) {
  exclusive_guard g(mount_lock);
  if (!in_my_namespace(m)) return Error(EINVAL);  // somebody was quicker
  if (lazy) {
    umount_tree(m, false, gone);
    return {};
  }
  if (!m.mnt_mounts.empty()) return Error(EBUSY);
  m.mnt.mnt_flags |= mnt_sync_umount;
  if (m.count.sum() > tree_and_caller) {
    m.mnt.mnt_flags &= ~mnt_sync_umount;
    return Error(EBUSY);
  }
  umount_tree(m, true, gone);
  return {};
}

}  // namespace

Status do_umount(const path& where, int flags) {
  mount& m = real_mount(*where.mnt);
  if (where.dent != where.mnt->mnt_root || !in_my_namespace(m)) return Error(EINVAL);
  super_block& sb = *where.mnt->mnt_sb;
  const bool lazy = (flags & MNT_DETACH) != 0;
  if (flags & MNT_EXPIRE) {
    if (where.mnt == mnt_ns_root(*current().ns).mnt || (flags & (MNT_FORCE | MNT_DETACH)))
      return Error(EINVAL);
    HF_TRY(expire(m));
  }
  if (flags & MNT_FORCE) super_ops::umount_begin(sb);
  if (!lazy && where.mnt == mnt_ns_root(*current().ns).mnt) return umount_root(sb);
  flush_deferred_work();  // references that are as good as dropped
  list_head gone;
  Status s;
  {
    exclusive_guard g(namespace_sem);
    s = detach(m, lazy, gone);
  }
  put_unmounted(gone);
  return s;
}

HF_NAMESPACE_END
