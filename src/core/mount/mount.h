// SPDX-License-Identifier: Apache-2.0
//
// The mount tree, as the core sees it.
//
// 1. Changes: namespace_sem exclusively, then mount_lock's write side. Readers: RCU and
//    mount_lock's sequence, or namespace_sem shared.
// 2. The hash (parent mount, mountpoint dentry) -> topmost child is read under RCU.
// 3. `count` is the sharded sum of references. umount sets mnt_doomed (under mount_lock) before it
//    takes the sum, and legitimize_mnt re-checks mount_lock after its increment, so no reference
//    slips past.
#pragma once

#include "core/mount/sharded_count.h"
#include "holdfast/mount.h"

HF_NAMESPACE_BEGIN

extern constinit rwsem<namespace_sem_class> namespace_sem;

// mnt_parent, mnt_mountpoint, mnt_hash and mnt_ns are written under mount_lock, read without by who
// re-checks its sequence. mnt_list is its namespace's, under namespace_sem, until umount_tree()
// moves the mount to a list of its caller's.
struct mount {
  vfsmount mnt;                              // first: real_mount() casts back
  relaxed<mount*> mnt_parent{nullptr};       // itself: not mounted on anything
  relaxed<dentry*> mnt_mountpoint{nullptr};  // in mnt_parent
  hlist_node mnt_hash;
  list_node mnt_child HF_GUARDED_BY(mount_lock);
  list_head mnt_mounts HF_GUARDED_BY(mount_lock);
  list_node mnt_instance HF_GUARDED_BY(mount_lock);  // on super_block::s_mounts
  list_node mnt_list;                                // on mnt_namespace::list
  relaxed<mnt_namespace*> mnt_ns{nullptr};  // written under mount_lock; null: not in a tree
  sharded_count count;                      // references
  sharded_count writers;                    // mnt_want_write
  uint64_t id = 0;
  relaxed<bool> expiry_mark{false};
  char devname[256] = {};
  rcu_head rcu;
  deferred_work deferred;
};

struct mnt_namespace {
  std::atomic<int64_t> count{1};
  mount* root = nullptr;
  list_head list HF_GUARDED_BY(namespace_sem);
  uint64_t event HF_GUARDED_BY(namespace_sem) = 0;
};

inline mount& real_mount(vfsmount& m) {
  return reinterpret_cast<mount&>(m);
}
inline const mount& real_mount(const vfsmount& m) {
  return reinterpret_cast<const mount&>(m);
}

// The topmost mount on (m, d), not referenced; caller is in an RCU section and re-checks
// mount_lock, or holds mount_lock or namespace_sem.
mount* lookup_mnt_rcu(vfsmount& m, const dentry& d);
// The same, referenced; takes RCU itself. Null: nothing is mounted there.
vfsmount* lookup_mnt(const path& p);
// In an RCU section: turns a mount found at sequence `seq` into a referenced one. False: leave
// RCU-walk.
bool legitimize_mnt(vfsmount* m, uint32_t seq);
// Steps up to the mountpoint: p becomes the place p.mnt is mounted on (both referenced, old ones
// dropped). False: p.mnt has no parent.
bool follow_up(path& p);
bool is_mounted_on(const dentry& d);  // something is mounted on d in some namespace

// The bodies of mount(2) and umount(2). `where` is referenced by the caller.
Status do_new_mount(const path& where, std::string_view type, unsigned sb_flags, unsigned mnt_flags,
                    std::string_view source, std::string_view data);
Status do_remount(const path& where, unsigned sb_flags, unsigned mnt_flags, std::string_view data);
// Only the mount's own flags (MS_REMOUNT | MS_BIND). Error EBUSY: read-only while there are
// writers.
Status do_reconfigure_mnt(const path& where, unsigned mnt_flags);
Status do_umount(const path& where, int flags);

HF_NAMESPACE_END
