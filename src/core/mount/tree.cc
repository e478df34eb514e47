// SPDX-License-Identifier: Apache-2.0
//
// The tree of mounts: which mount lies on (mount, dentry).
//
// 1. The hash is changed under mount_lock's write side and read under RCU: a reader that raced with
//    a change finds mount_lock's sequence moved and asks again.
// 2. A mounted mount holds its mountpoint (d_lockref) and its parent mount.
// 3. Several mounts on one place: the newest lies on the root of the one below, so (mount, dentry)
//    has at most one entry.
#include "core/dentry/dcache.h"
#include "core/mount/mount_internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr size_t hash_bits = 12;
constinit hlist_head table[size_t{1} << hash_bits];

hlist_head& bucket_of(const vfsmount& m, const dentry& d) {
  const uint64_t key =
      (reinterpret_cast<uintptr_t>(&m) >> 6) * 31 ^ reinterpret_cast<uintptr_t>(&d) >> 6;
  return table[key * 0x9e3779b97f4a7c15u >> (64 - hash_bits)];
}

// Leaves parent and mountpoint set: put_unmounted() drops the references on them.
void unhash(mount& m) HF_REQUIRES(mount_lock) {
  m.mnt_hash.del_rcu();
  m.mnt_child.del();
}

}  // namespace

mount* lookup_mnt_locked(vfsmount& m, const dentry& d) {
  for (mount& child : entries_rcu<&mount::mnt_hash>(bucket_of(m, d)))
    if (&child.mnt_parent->mnt == &m && child.mnt_mountpoint == &d) return &child;
  return nullptr;
}

mount* lookup_mnt_rcu(vfsmount& m, const dentry& d) {
  return lookup_mnt_locked(m, d);
}

vfsmount* lookup_mnt(const path& p) {
  for (;;) {
    rcu_read_guard rcu;
    const uint32_t seq = mount_lock.read_begin();
    mount* m = lookup_mnt_locked(*p.mnt, *p.dent);
    if (m == nullptr) {
      if (!mount_lock.read_retry(seq)) return nullptr;
    } else if (legitimize_mnt(&m->mnt, seq)) {
      return &m->mnt;
    }
  }
}

bool follow_up(path& p) {
  path up;
  {
    // Not only the sequence: parent and mountpoint must still be ours when we count them.
    exclusive_guard g(mount_lock);
    mount& m = real_mount(*p.mnt);
    if (m.mnt_parent == &m) return false;
    up = {mntget(&m.mnt_parent->mnt), dget(m.mnt_mountpoint)};
  }
  path_put(p);
  p = up;
  return true;
}

bool is_mounted_on(const dentry& d) {
  if (!(d.d_flags & dcache_mounted)) return false;
  exclusive_guard g(mount_lock);
  for (mount& m : entries<&mount::mnt_instance>(d.d_sb->s_mounts))
    if (lookup_mnt_locked(m.mnt, d) != nullptr) return true;
  return false;
}

void mountpoint_gone(dentry& d) {
  for (mount& m : entries<&mount::mnt_instance>(d.d_sb->s_mounts))
    if (lookup_mnt_locked(m.mnt, d) != nullptr) return;
  exclusive_guard g(d.d_lockref);
  d.d_flags &= ~dcache_mounted;
}

void attach_mount(mount& child, mount& parent, dentry& mountpoint, mnt_namespace& ns) {
  mntget(&parent.mnt);
  dget(&mountpoint);
  {
    exclusive_guard g(mountpoint.d_lockref);
    mountpoint.d_flags |= dcache_mounted;
  }
  child.mnt_parent = &parent;
  child.mnt_mountpoint = &mountpoint;
  child.mnt_ns.atomic().store(&ns, std::memory_order_release);
  parent.mnt_mounts.add_tail(child.mnt_child);
  ns.list.add_tail(child.mnt_list);
  ++ns.event;
  bucket_of(parent.mnt, mountpoint).add_head_rcu(child.mnt_hash);
}

void umount_tree(mount& top, bool sync, list_head& gone) {
  // Breadth first: a mount's children are appended while it is looked at.
  top.mnt_list.del();
  gone.add_tail(top.mnt_list);
  for (mount& m : entries<&mount::mnt_list>(gone)) {
    if (mnt_namespace* ns = m.mnt_ns) ++ns->event;
    m.mnt.mnt_flags |= mnt_umount | (sync ? mnt_sync_umount : 0u);
    m.mnt_ns.atomic().store(nullptr, std::memory_order_release);
    for (mount& child : entries<&mount::mnt_child>(m.mnt_mounts)) {
      child.mnt_list.del();
      gone.add_tail(child.mnt_list);
    }
    if (m.mnt_parent != &m) {
      unhash(m);
      mountpoint_gone(*m.mnt_mountpoint);
    }
  }
}

void put_unmounted(list_head& gone) {
  if (gone.empty()) return;
  // mntput() that saw them attached has counted down after this; see mount.cc, 1.
  synchronize_rcu();
  while (list_node* n = gone.last()) {  // children before parents
    n->del();
    mount& m = container_of<&mount::mnt_list>(*n);
    mount* parent = nullptr;
    dentry* mountpoint = nullptr;
    {
      exclusive_guard g(mount_lock);
      if (m.mnt_parent != &m) {
        parent = m.mnt_parent;
        mountpoint = m.mnt_mountpoint;
        m.mnt_parent = &m;
        m.mnt_mountpoint = m.mnt.mnt_root;
      }
    }
    dput(mountpoint);
    if (parent != nullptr) mntput(&parent->mnt);
    mntput(&m.mnt);
  }
}

HF_NAMESPACE_END
