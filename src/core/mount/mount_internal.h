// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the mount code share.
//
// References of a mount: one of the tree that it is in (the namespace's, dropped when it leaves),
// one for every child, one for every path.
#pragma once

#include "core/mount/mount.h"

HF_NAMESPACE_BEGIN

// -- mount.cc
// A mount of `root`'s superblock, in no tree: takes over the reference on root and the active one
// on the superblock, also on failure (ENOMEM). One reference, the caller's.
Result<mount*> alloc_mount(dentry* root, unsigned mnt_flags, std::string_view devname);
// ->mount and alloc_mount.
Result<mount*> vfs_kern_mount(file_system_type& type, unsigned sb_flags, unsigned mnt_flags,
                              std::string_view source, std::string_view data);

// -- tree.cc
mount* lookup_mnt_locked(vfsmount& m, const dentry& d);  // RCU section, mount_lock or namespace_sem
// Puts `child` on (parent, mountpoint): takes a reference on both; the caller's on child becomes
// the tree's.
void attach_mount(mount& child, mount& parent, dentry& mountpoint, mnt_namespace& ns)
    HF_REQUIRES(namespace_sem, mount_lock);
// Takes `top` and what is mounted below it out of their tree, into `gone`; sync: no lazy
// references.
void umount_tree(mount& top, bool sync, list_head& gone) HF_REQUIRES(namespace_sem, mount_lock);
// Drops what the tree held of these; after namespace_sem has been released. Blocks for a grace
// period.
void put_unmounted(list_head& gone);
// Clears dcache_mounted once nothing is on it.
void mountpoint_gone(dentry& d) HF_REQUIRES(mount_lock);

HF_NAMESPACE_END
