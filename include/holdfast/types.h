// SPDX-License-Identifier: Apache-2.0
//
// The small value types that every table and object uses: ids, modes, times, names, flag sets.
//
// 1. Numeric values that programs see (mode bits, open flags, rename flags, statx masks) are the
//    running system's own, taken from its headers; values that only the VFS sees are defined here.
// 2. uid_t and gid_t in objects are the file system's ids; what a mount maps is mapped at the
//    edges.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

using umode_t = uint32_t;   // file type and permission bits, as in stat.st_mode
using loff_t = int64_t;     // byte offset in a file
using sector_t = uint64_t;  // block number on a device or in a file
using gfp_t = uint32_t;     // allocation context bits
using fmode_t = uint32_t;   // FMODE_* of an open file
using pgoff_t = uint64_t;   // page index in a mapping
using vm_fault_t = uint32_t;

inline constexpr unsigned page_shift = 12;
inline constexpr size_t page_size = size_t{1} << page_shift;
inline constexpr loff_t max_lfs_filesize = INT64_MAX;
inline constexpr size_t name_max = 255;
inline constexpr size_t path_max = 4096;
inline constexpr unsigned max_symlinks = 40;

// Seconds and nanoseconds since 1970; tv_nsec in [0, 1e9).
struct timespec64 {
  int64_t tv_sec = 0;
  int64_t tv_nsec = 0;
  friend constexpr bool operator==(const timespec64&, const timespec64&) = default;
  friend constexpr auto operator<=>(const timespec64&, const timespec64&) = default;
};

// A path component that nobody owns: hash and length in one word, so that one comparison rejects.
struct qstr {
  uint32_t hash = 0;
  uint32_t len = 0;
  const char* name = nullptr;
  uint64_t hash_len() const { return (uint64_t{len} << 32) | hash; }
  std::string_view view() const { return {name, len}; }
};

// gfp_t: what freeing or allocating memory may do on its way.
inline constexpr gfp_t gfp_io = 1u << 0;              // start I/O
inline constexpr gfp_t gfp_fs = 1u << 1;              // call into a file system
inline constexpr gfp_t gfp_direct_reclaim = 1u << 2;  // block
inline constexpr gfp_t gfp_kernel = gfp_io | gfp_fs | gfp_direct_reclaim;

// FMODE_*: what an open file may do.
inline constexpr fmode_t fmode_read = 1u << 0;
inline constexpr fmode_t fmode_write = 1u << 1;
inline constexpr fmode_t fmode_lseek = 1u << 2;
inline constexpr fmode_t fmode_pread = 1u << 3;
inline constexpr fmode_t fmode_pwrite = 1u << 4;
inline constexpr fmode_t fmode_exec = 1u << 5;
inline constexpr fmode_t fmode_path = 1u << 6;        // O_PATH
inline constexpr fmode_t fmode_atomic_pos = 1u << 7;  // f_pos is guarded by f_pos_lock
inline constexpr fmode_t fmode_writer = 1u << 8;      // counted in i_writecount and on the mount
inline constexpr fmode_t fmode_opened = 1u << 9;      // ->open succeeded; ->release is owed
inline constexpr fmode_t fmode_created = 1u << 10;    // this open created the file
inline constexpr fmode_t fmode_can_odirect = 1u << 11;
inline constexpr fmode_t fmode_nowait = 1u << 12;

// MAY_*: what a permission check asks for. The low bits are the mode bits' own.
inline constexpr unsigned may_exec = 1;
inline constexpr unsigned may_write = 2;
inline constexpr unsigned may_read = 4;
inline constexpr unsigned may_append = 8;
inline constexpr unsigned may_access = 16;
inline constexpr unsigned may_open = 32;
inline constexpr unsigned may_chdir = 64;
inline constexpr unsigned may_not_block = 128;  // RCU-walk: -ECHILD in place of blocking

// LOOKUP_*: how a path is walked. `lookup_rcu` is also what ->d_revalidate sees.
inline constexpr unsigned lookup_follow = 1u << 0;
inline constexpr unsigned lookup_directory = 1u << 1;
inline constexpr unsigned lookup_automount = 1u << 2;
inline constexpr unsigned lookup_empty = 1u << 3;
inline constexpr unsigned lookup_down = 1u << 4;
inline constexpr unsigned lookup_mountpoint = 1u << 5;
inline constexpr unsigned lookup_reval = 1u << 6;
inline constexpr unsigned lookup_rcu = 1u << 7;
inline constexpr unsigned lookup_open = 1u << 8;
inline constexpr unsigned lookup_create = 1u << 9;
inline constexpr unsigned lookup_excl = 1u << 10;
inline constexpr unsigned lookup_rename_target = 1u << 11;
inline constexpr unsigned lookup_parent = 1u << 12;
inline constexpr unsigned lookup_no_symlinks = 1u << 16;
inline constexpr unsigned lookup_no_magiclinks = 1u << 17;
inline constexpr unsigned lookup_no_xdev = 1u << 18;
inline constexpr unsigned lookup_beneath = 1u << 19;
inline constexpr unsigned lookup_in_root = 1u << 20;
inline constexpr unsigned lookup_cached = 1u << 21;

// rename(2) flags, as in linux/fs.h (glibc hides them behind _GNU_SOURCE).
inline constexpr unsigned rename_noreplace = 1u << 0;
inline constexpr unsigned rename_exchange = 1u << 1;
inline constexpr unsigned rename_whiteout = 1u << 2;

// ATTR_*: which members of an iattr are asked for.
inline constexpr unsigned attr_mode = 1u << 0;
inline constexpr unsigned attr_uid = 1u << 1;
inline constexpr unsigned attr_gid = 1u << 2;
inline constexpr unsigned attr_size = 1u << 3;
inline constexpr unsigned attr_atime = 1u << 4;
inline constexpr unsigned attr_mtime = 1u << 5;
inline constexpr unsigned attr_ctime = 1u << 6;
inline constexpr unsigned attr_atime_set = 1u << 7;
inline constexpr unsigned attr_mtime_set = 1u << 8;
inline constexpr unsigned attr_force = 1u << 9;
inline constexpr unsigned attr_kill_suid = 1u << 11;
inline constexpr unsigned attr_kill_sgid = 1u << 12;
inline constexpr unsigned attr_file = 1u << 13;
inline constexpr unsigned attr_kill_priv = 1u << 14;
inline constexpr unsigned attr_open = 1u << 15;  // truncation by O_TRUNC
inline constexpr unsigned attr_times_set =
    1u << 16;  // utimensat(times): the owner alone, even for "now"
inline constexpr unsigned attr_touch = 1u << 17;  // utimensat(NULL): owner or writer may

struct address_space;
struct block_device;
struct buffer_head;
struct cred;
struct delayed_call;
struct dentry;
struct dir_context;
struct dquot;
struct file;
struct file_lock;
struct file_system_type;
struct fileattr;
struct fiemap_extent_info;
struct folio;
struct gendisk;
struct hd_geometry;
struct iattr;
struct inode;
struct iov_iter;
struct kiocb;
struct kstat;
struct kstatfs;
struct mnt_idmap;
struct mnt_namespace;
struct offset_ctx;
struct path;
struct pipe_inode_info;
struct poll_table;
struct posix_acl;
struct readahead_control;
struct seq_file;
struct super_block;
struct swap_info;
struct task;
struct vfsmount;
struct vm_area;
struct vm_fault;
struct writeback_control;
struct xattr_handler;
enum class migrate_mode : uint8_t;

HF_NAMESPACE_END
