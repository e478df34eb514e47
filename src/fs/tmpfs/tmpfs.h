// SPDX-License-Identifier: Apache-2.0
//
// tmpfs: a file system whose directory is the dcache and whose disk is the page cache.
//
// 1. Whoever has a name has its dentry pinned by one extra reference, taken by create and dropped
//    by unlink (invariant of libfs); kill_litter_super drops what is left.
// 2. A file's folios are its blocks: i_blocks and the superblock's count follow mapping.nrpages,
//    which changes only under i_rwsem exclusively, or at eviction. Charging comes before
//    allocating, giving back after freeing, so the limits are never exceeded.
// 3. Inode space: 1024 bytes for each inode, for each further name of one, and what extended
//    attributes take. The counters are atomic, exact, and without a lock.
// 4. A directory's size is 20 bytes an entry; its link count is 2 and one for each subdirectory.
//
// Locks: i_rwsem -> invalidate_lock -> folio lock, as everywhere; the extended attributes of an
// inode are under `xattr_lock`, a leaf.
#pragma once

#include "holdfast/filesystems.h"
#include "holdfast/libfs.h"
#include "holdfast/super_block.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN
namespace tmpfs {

inline constexpr uint64_t magic = 0x01021994;
inline constexpr int64_t bogo_dirent_size = 20;
inline constexpr uint64_t bogo_inode_size = 1024;
inline constexpr uint64_t root_ino = 1;

// Which folio orders a file's data take. by_write_size is also what `huge=advise` means: nobody
// advises but the writes themselves.
enum class huge_policy : uint8_t { by_write_size, never, always, within_size, advise };

struct sb_info {
  std::atomic<uint64_t> max_blocks{0};  // pages; 0: no limit
  std::atomic<uint64_t> used_blocks{0};
  std::atomic<uint64_t> max_inodes{0};   // 0: no limit
  std::atomic<uint64_t> used_ispace{0};  // bytes
  std::atomic<uint64_t> last_ino{0};
  umode_t mode = 01777;
  uid_t uid = 0;
  gid_t gid = 0;
  relaxed<huge_policy> huge{huge_policy::by_write_size};
  bool noswap = false;
};
inline sb_info& info_of(const super_block& sb) {
  return *static_cast<sb_info*>(sb.s_fs_info);
}

struct xattr;
struct tmpfs_inode {
  inode vfs;  // first: info_of() casts back
  offset_ctx entries;
  spinlock<private_lock_class> xattr_lock;
  xattr* xattrs HF_GUARDED_BY(xattr_lock) = nullptr;  // in order of creation
};
inline tmpfs_inode& info_of(inode& i) {
  return reinterpret_cast<tmpfs_inode&>(i);
}

// -- super.cc
bool take_blocks(sb_info& sbi, uint64_t pages);
void give_blocks(sb_info& sbi, uint64_t pages);
bool take_ispace(sb_info& sbi, uint64_t bytes);
void give_ispace(sb_info& sbi, uint64_t bytes);
uint64_t default_max_blocks();

// -- options.cc
struct options {
  uint64_t max_blocks = 0;
  uint64_t max_inodes = 0;
  umode_t mode = 01777;
  uid_t uid = 0;
  gid_t gid = 0;
  huge_policy huge = huge_policy::by_write_size;
  bool noswap = false;
  bool has_blocks = false, has_inodes = false, has_huge = false;
};
Result<options> read_options(std::string_view data);   // Error EINVAL
Status apply_remount(sb_info& sbi, const options& o);  // Error EINVAL: less than what is in use
void write_options(const sb_info& sbi, seq_file& m);

// -- inode.cc
// A new inode, its space taken. Errors: ENOSPC, ENOMEM.
Result<inode*> new_tmpfs_inode(const mnt_idmap& idmap, super_block& sb, const inode* dir,
                               umode_t mode, dev_t dev);
inode* alloc_inode(super_block& sb);
void free_inode(inode& i);
void evict_inode(inode& i);
Status setattr(const mnt_idmap& idmap, dentry& d, iattr& attr);
slab_stats inode_cache_stats();

// -- file.cc
// After folios of `i` went: gives back what it had beyond `nrpages` now.
void settle_blocks(inode& i);
Status fallocate(file& f, int mode, loff_t offset, loff_t len);
extern const address_space_operations aops_table;
extern const file_operations file_table;
extern const inode_operations file_inode_table;

// -- dir.cc
extern const inode_operations dir_inode_table;
extern const file_operations dir_table;
extern const inode_operations symlink_inode_table;
extern const inode_operations special_inode_table;

// -- xattr.cc
extern const xattr_handler* const xattr_table[];
Result<size_t> listxattr(dentry& d, char* list, size_t size);
void drop_xattrs(tmpfs_inode& ti);  // at eviction; gives their space back

}  // namespace tmpfs
HF_NAMESPACE_END
