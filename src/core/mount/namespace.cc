// SPDX-License-Identifier: Apache-2.0
//
// Mount namespaces, and mount(2): a new mount, a remount.
//
// 1. A namespace has its root mount for life; tasks and callers count references on it.
// 2. Mounting locks the directory it mounts on (i_rwsem), then namespace_sem: so the place can't be
//    removed between the check and the attachment.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "core/dentry/dcache.h"
#include "core/dispatch/super_ops.h"
#include "core/mount/mount_internal.h"
#include "core/mount/writers.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

namespace {

// What a caller may change of a mount; the rest is state.
constexpr unsigned mnt_user_flags = mnt_nosuid | mnt_nodev | mnt_noexec | mnt_noatime |
                                    mnt_nodiratime | mnt_relatime | mnt_readonly | mnt_nosymfollow;

// The topmost place at `where`, referenced: what is mounted there hides it.
path topmost(const path& where) {
  path top = where;
  path_get(top);
  while (vfsmount* on = lookup_mnt(top)) {
    path_put(top);
    top = {on, dget(on->mnt_root)};
  }
  return top;
}

// With the place's inode and namespace_sem locked.
Status graft(mount& m, const path& on) HF_REQUIRES(namespace_sem) {
  mount& parent = real_mount(*on.mnt);
  if (parent.mnt_ns == nullptr || parent.mnt_ns != current().ns) return Error(EINVAL);
  // The same file system twice on one place says nothing new.
  if (on.mnt->mnt_sb == m.mnt.mnt_sb && on.mnt->mnt_root == on.dent) return Error(EBUSY);
  if (m.mnt.mnt_root->is_symlink()) return Error(EINVAL);
  if (m.mnt.mnt_root->is_dir() != on.dent->is_dir()) return Error(ENOTDIR);
  exclusive_guard g(mount_lock);
  attach_mount(m, parent, *on.dent, *parent.mnt_ns);
  return {};
}

// Attaches m to the topmost place at `where`.
Status add_mount(mount& m, const path& where) {
  for (;;) {
    path_ref on = path_ref::adopt(topmost(where));
    inode& dir = *on->dent->inode_ptr();
    exclusive_guard dir_guard(dir.i_rwsem);
    if ((on->dent->d_flags & dcache_cant_mount) || (dir.i_flags & s_dead)) return Error(ENOENT);
    exclusive_guard g(namespace_sem);
    bool covered;
    {
      rcu_read_guard rcu;
      covered = lookup_mnt_rcu(*on->mnt, *on->dent) != nullptr;
    }
    if (!covered) return graft(m, *on);
    // Somebody mounted there meanwhile: on top of that, then.
  }
}

}  // namespace

Result<mnt_namespace*> create_mnt_namespace(std::string_view type, std::string_view source,
                                            unsigned flags, std::string_view data) {
  file_system_type* fs = get_fs_type(type);
  if (fs == nullptr) return Error(ENODEV);
  mnt_namespace* ns = new (std::nothrow) mnt_namespace;
  if (ns == nullptr) return Error(ENOMEM);
  // The first name space is made before there can be a task: the superuser's work, then.
  static constinit cred root_cred;
  task boot;
  boot.cr = &root_cred;
  task* running = this_context().task;
  task_scope scope(running != nullptr ? *running : boot);
  Result<mount*> m = vfs_kern_mount(*fs, flags, mnt_relatime, source, data);
  if (!m.ok()) {
    delete ns;
    return m.error();
  }
  exclusive_guard g(namespace_sem);
  exclusive_guard gm(mount_lock);
  ns->root = *m;
  (*m)->mnt_ns.atomic().store(ns, std::memory_order_release);
  ns->list.add_tail((*m)->mnt_list);
  return ns;
}

mnt_namespace* get_mnt_ns(mnt_namespace* ns) {
  ns->count.fetch_add(1, std::memory_order_relaxed);
  return ns;
}

void put_mnt_ns(mnt_namespace* ns) {
  if (ns == nullptr || ns->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  list_head gone;
  {
    exclusive_guard g(namespace_sem);
    exclusive_guard gm(mount_lock);
    if (ns->root != nullptr && ns->root->mnt_ns == ns) umount_tree(*ns->root, false, gone);
  }
  put_unmounted(gone);
  delete ns;
}

path mnt_ns_root(mnt_namespace& ns) {
  return {&ns.root->mnt, ns.root->mnt.mnt_root};
}

Status do_new_mount(const path& where, std::string_view type, unsigned sb_flags, unsigned mnt_flags,
                    std::string_view source, std::string_view data) {
  file_system_type* fs = get_fs_type(type);
  if (fs == nullptr) return Error(ENODEV);
  HF_TRY_ASSIGN(mount * m, vfs_kern_mount(*fs, sb_flags, mnt_flags & mnt_user_flags, source, data));
  Status s = add_mount(*m, where);
  if (!s.ok()) mntput(&m->mnt);
  return s;
}

Status do_reconfigure_mnt(const path& where, unsigned mnt_flags) {
  mount& m = real_mount(*where.mnt);
  if (where.dent != where.mnt->mnt_root || m.mnt_ns == nullptr || m.mnt_ns != current().ns)
    return Error(EINVAL);
  exclusive_guard g(namespace_sem);
  exclusive_guard gm(mount_lock);
  const bool to_ro = (mnt_flags & mnt_readonly) != 0 && !(m.mnt.mnt_flags & mnt_readonly);
  if (to_ro) HF_TRY(mnt_hold_writers(m));
  m.mnt.mnt_flags = (m.mnt.mnt_flags & ~mnt_user_flags) | (mnt_flags & mnt_user_flags);
  if (to_ro) mnt_unhold_writers(m);
  return {};
}

Status do_remount(const path& where, unsigned sb_flags, unsigned mnt_flags, std::string_view data) {
  mount& m = real_mount(*where.mnt);
  if (where.dent != where.mnt->mnt_root || m.mnt_ns == nullptr || m.mnt_ns != current().ns)
    return Error(EINVAL);
  super_block& sb = *where.mnt->mnt_sb;
  {
    exclusive_guard g(sb.s_umount);
    HF_TRY(reconfigure_super(sb, sb_flags, data));
  }
  return do_reconfigure_mnt(where, mnt_flags);
}

HF_NAMESPACE_END
