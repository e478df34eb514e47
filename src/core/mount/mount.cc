// SPDX-License-Identifier: Apache-2.0
//
// A mount: its memory, its references, its end.
//
// 1. While a mount is in a tree (mnt_ns set) the tree's reference keeps it, so mntput() only
//    counts. A mount leaves the tree first and loses that reference a grace period later: whoever
//    saw mnt_ns set inside an RCU section has counted down by then.
// 2. Outside a tree mntput() counts under mount_lock. Reaching zero there it marks the mount
//    doomed; legitimize_mnt() looks for that mark under mount_lock, too.
// 3. Cleaning up may block; in a context that must not, a worker does it.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "core/mount/mount_internal.h"
#include "core/super/super_internal.h"

HF_NAMESPACE_BEGIN

constinit seqlock<mount_lock_class> mount_lock;
constinit rwsem<namespace_sem_class> namespace_sem;

namespace {

constinit std::atomic<uint64_t> next_mount_id{1};

void free_mount_rcu(rcu_head& head) {
  delete &container_of<&mount::rcu>(head);
}

void cleanup(mount& m) {
  assert(m.writers.sum() == 0);
  super_block& sb = *m.mnt.mnt_sb;
  dput(m.mnt.mnt_root);
  call_rcu(m.rcu, free_mount_rcu);
  deactivate_super(sb);
}

void cleanup_deferred(deferred_work& w) {
  cleanup(container_of<&mount::deferred>(w));
}

void cleanup_or_defer(mount& m) {
  if (may_block()) {
    cleanup(m);
    return;
  }
  m.deferred.run = cleanup_deferred;
  defer_work(m.deferred);
}

// One reference less, of a mount in no tree. True: it was the last, clean up.
bool drop_detached(mount& m) HF_REQUIRES(mount_lock) {
  m.count.add(-1);
  if (m.count.sum() != 0 || (m.mnt.mnt_flags & mnt_doomed)) return false;
  m.mnt.mnt_flags |= mnt_doomed;
  m.mnt_instance.del();
  return true;
}

}  // namespace

vfsmount* mntget(vfsmount* m) {
  if (m != nullptr) real_mount(*m).count.add(1);
  return m;
}

void mntput(vfsmount* v) {
  if (v == nullptr) return;
  mount& m = real_mount(*v);
  {
    rcu_read_guard rcu;
    if (m.mnt_ns.atomic().load(std::memory_order_acquire) != nullptr) [[likely]] {
      if (m.expiry_mark) [[unlikely]]
        m.expiry_mark = false;
      m.count.add(-1);
      return;
    }
  }
  bool last;
  {
    exclusive_guard g(mount_lock);
    last = drop_detached(m);
  }
  if (last) cleanup_or_defer(m);
}

bool legitimize_mnt(vfsmount* v, uint32_t seq) {
  if (mount_lock.read_retry(seq)) return false;
  if (v == nullptr) return true;
  mount& m = real_mount(*v);
  m.count.add(1);
  if (!mount_lock.read_retry(seq)) [[likely]]
    return true;
  // Something changed. If this mount is being taken down, whoever does that has seen or will see
  // our count; it must not, for a moment's sake, become a last reference that only we could clean
  // up.
  if (m.mnt.mnt_flags & mnt_sync_umount) {
    m.count.add(-1);
    return false;
  }
  bool last = false;
  {
    exclusive_guard g(mount_lock);
    if (m.mnt_ns != nullptr || (m.mnt.mnt_flags & mnt_doomed))
      m.count.add(-1);
    else
      last = drop_detached(m);
  }
  if (last) cleanup_or_defer(m);
  return false;
}

Result<mount*> alloc_mount(dentry* root, unsigned mnt_flags, std::string_view devname) {
  mount* m = new (std::nothrow) mount;
  if (m == nullptr) {
    super_block& sb = *root->d_sb;
    dput(root);
    deactivate_super(sb);
    return Error(ENOMEM);
  }
  m->mnt.mnt_root = root;
  m->mnt.mnt_sb = root->d_sb;
  m->mnt.mnt_flags = mnt_flags;
  m->mnt_parent = m;
  m->mnt_mountpoint = root;
  m->id = next_mount_id.fetch_add(1, std::memory_order_relaxed);
  std::memcpy(m->devname, devname.data(), std::min(devname.size(), sizeof m->devname - 1));
  m->count.add(1);
  exclusive_guard g(mount_lock);
  root->d_sb->s_mounts.add_tail(m->mnt_instance);
  return m;
}

Result<mount*> vfs_kern_mount(file_system_type& type, unsigned sb_flags, unsigned mnt_flags,
                              std::string_view source, std::string_view data) {
  HF_TRY_ASSIGN(dentry * root, vfs_get_tree(type, sb_flags, source, data));
  return alloc_mount(root, mnt_flags, source);
}

HF_NAMESPACE_END
