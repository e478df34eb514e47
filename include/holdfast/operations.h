// SPDX-License-Identifier: Apache-2.0
//
// The 13 operation tables of release 6.6, each from one list.
//
// 1. A list entry is X(method, result, (parameters)), in the document's order. From the list come
//    the struct of function pointers, the method's id, the dispatcher's name and the check that
//    rules and tables agree. Nothing else enumerates methods.
// 2. A null pointer means the documented default, which the dispatcher or its caller supplies.
// 3. Nobody but the dispatcher calls through a table (a test looks).
// 4. Parameters keep the document's order and meaning in C++ types: a reference where null is not
//    allowed, Result<T> where the document has an error code or an error pointer.
//    `struct page` of 6.6's mixed prototypes is a folio here throughout.
#pragma once

#include "holdfast/result.h"
#include "holdfast/types.h"

HF_NAMESPACE_BEGIN

// d_revalidate, d_weak_revalidate: true = valid. d_delete: true = do not cache. d_compare: true =
// equal (the document's 0). d_dname writes at the end of the buffer and returns the first byte.
// d_manage: Error EISDIR = ignore mounts here. d_automount: null = somebody else mounted already.
#define HOLDFAST_DENTRY_OPERATIONS(X)                                                 \
  X(d_revalidate, Result<bool>, (dentry & d, unsigned flags))                         \
  X(d_weak_revalidate, Result<bool>, (dentry & d, unsigned flags))                    \
  X(d_hash, Status, (const dentry& dir, qstr& name))                                  \
  X(d_compare, bool, (const dentry& d, std::string_view candidate, const qstr& name)) \
  X(d_delete, bool, (const dentry& d))                                                \
  X(d_init, Status, (dentry & d))                                                     \
  X(d_release, void, (dentry & d))                                                    \
  X(d_prune, void, (dentry & d))                                                      \
  X(d_iput, void, (dentry & d, inode & i))                                            \
  X(d_dname, Result<char*>, (dentry & d, char* buffer, size_t buflen))                \
  X(d_automount, Result<vfsmount*>, (path & p))                                       \
  X(d_manage, Status, (const path& p, bool rcu_walk))                                 \
  X(d_real, dentry*, (dentry & d, const inode* i))

// lookup: null = the dentry given was used; else the alias that takes its place (a reference is
// returned). get_link: the body, valid while `done` has not run; null = the walk was moved by
// nd_jump_link; d null in RCU-walk, where Error ECHILD asks for REF-walk.
#define HOLDFAST_INODE_OPERATIONS(X)                                                             \
  X(create, Status, (const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, bool excl))    \
  X(lookup, Result<dentry*>, (inode & dir, dentry & d, unsigned flags))                          \
  X(link, Status, (dentry & old_dentry, inode & dir, dentry & new_dentry))                       \
  X(unlink, Status, (inode & dir, dentry & d))                                                   \
  X(symlink, Status, (const mnt_idmap& idmap, inode& dir, dentry& d, std::string_view target))   \
  X(mkdir, Status, (const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode))                \
  X(rmdir, Status, (inode & dir, dentry & d))                                                    \
  X(mknod, Status, (const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, dev_t dev))     \
  X(rename, Status,                                                                              \
    (const mnt_idmap& idmap, inode& old_dir, dentry& old_dentry, inode& new_dir,                 \
     dentry& new_dentry, unsigned flags))                                                        \
  X(readlink, Result<size_t>, (dentry & d, char* buffer, size_t size))                           \
  X(get_link, Result<const char*>, (dentry * d, inode & i, delayed_call & done))                 \
  X(truncate, void, (inode & i))                                                                 \
  X(permission, Status, (const mnt_idmap& idmap, inode& i, unsigned mask))                       \
  X(get_inode_acl, Result<posix_acl*>, (inode & i, int type, bool rcu))                          \
  X(setattr, Status, (const mnt_idmap& idmap, dentry& d, iattr& attr))                           \
  X(getattr, Status,                                                                             \
    (const mnt_idmap& idmap, const path& p, kstat& stat, uint32_t request_mask, unsigned flags)) \
  X(listxattr, Result<size_t>, (dentry & d, char* list, size_t size))                            \
  X(fiemap, Status, (inode & i, fiemap_extent_info & info, uint64_t start, uint64_t len))        \
  X(update_time, Status, (inode & i, unsigned flags))                                            \
  X(atomic_open, Status, (inode & dir, dentry & d, file & f, unsigned open_flag, umode_t mode))  \
  X(tmpfile, Status, (const mnt_idmap& idmap, inode& dir, file& f, umode_t mode))                \
  X(fileattr_set, Status, (const mnt_idmap& idmap, dentry& d, fileattr& fa))                     \
  X(fileattr_get, Status, (dentry & d, fileattr & fa))                                           \
  X(get_acl, Result<posix_acl*>, (const mnt_idmap& idmap, dentry& d, int type))                  \
  X(get_offset_ctx, offset_ctx*, (inode & i))

// get: the value's length; size 0 asks for the length. set: null value removes.
#define HOLDFAST_XATTR_HANDLER(X)                                                            \
  X(list, bool, (dentry & d))                                                                \
  X(get, Result<size_t>,                                                                     \
    (const xattr_handler& handler, dentry* d, inode& i, std::string_view name, void* buffer, \
     size_t size))                                                                           \
  X(set, Status,                                                                             \
    (const xattr_handler& handler, const mnt_idmap& idmap, dentry* d, inode& i,              \
     std::string_view name, const void* value, size_t size, int flags))

// alloc_inode: null = out of memory. drop_inode: true = do not keep in the cache.
#define HOLDFAST_SUPER_OPERATIONS(X)                                                              \
  X(alloc_inode, inode*, (super_block & sb))                                                      \
  X(free_inode, void, (inode & i))                                                                \
  X(destroy_inode, void, (inode & i))                                                             \
  X(dirty_inode, void, (inode & i, unsigned flags))                                               \
  X(write_inode, Status, (inode & i, writeback_control & wbc))                                    \
  X(drop_inode, bool, (inode & i))                                                                \
  X(evict_inode, void, (inode & i))                                                               \
  X(put_super, void, (super_block & sb))                                                          \
  X(sync_fs, Status, (super_block & sb, bool wait))                                               \
  X(freeze_fs, Status, (super_block & sb))                                                        \
  X(unfreeze_fs, Status, (super_block & sb))                                                      \
  X(statfs, Status, (dentry & d, kstatfs & st))                                                   \
  X(remount_fs, Status, (super_block & sb, unsigned& flags, std::string_view data))               \
  X(umount_begin, void, (super_block & sb))                                                       \
  X(show_options, Status, (seq_file & m, dentry & root))                                          \
  X(quota_read, Result<size_t>, (super_block & sb, int type, char* data, size_t len, loff_t off)) \
  X(quota_write, Result<size_t>,                                                                  \
    (super_block & sb, int type, const char* data, size_t len, loff_t off))

// mount: the root dentry, referenced, with its superblock active and s_umount held exclusively.
// kill_sb: takes the write-locked superblock, shuts it down, unlocks it, drops the reference.
#define HOLDFAST_FILE_SYSTEM_TYPE(X)                                                           \
  X(mount, Result<dentry*>,                                                                    \
    (file_system_type & type, unsigned flags, std::string_view source, std::string_view data)) \
  X(kill_sb, void, (super_block & sb))

#define HOLDFAST_ADDRESS_SPACE_OPERATIONS(X)                                                       \
  X(writepage, Result<int>, (folio & f, writeback_control & wbc))                                  \
  X(read_folio, Status, (file * filp, folio & f))                                                  \
  X(writepages, Status, (address_space & mapping, writeback_control & wbc))                        \
  X(dirty_folio, bool, (address_space & mapping, folio & f))                                       \
  X(readahead, void, (readahead_control & rac))                                                    \
  X(write_begin, Status,                                                                           \
    (file * filp, address_space & mapping, loff_t pos, size_t len, folio*& f, void*& fsdata))      \
  X(write_end, Result<size_t>,                                                                     \
    (file * filp, address_space & mapping, loff_t pos, size_t len, size_t copied, folio& f,        \
     void* fsdata))                                                                                \
  X(bmap, sector_t, (address_space & mapping, sector_t block))                                     \
  X(invalidate_folio, void, (folio & f, size_t start, size_t len))                                 \
  X(release_folio, bool, (folio & f, gfp_t gfp))                                                   \
  X(free_folio, void, (folio & f))                                                                 \
  X(direct_IO, Result<size_t>, (kiocb & iocb, iov_iter & iter))                                    \
  X(migrate_folio, Status, (address_space & mapping, folio & dst, folio & src, migrate_mode mode)) \
  X(launder_folio, Status, (folio & f))                                                            \
  X(is_partially_uptodate, bool, (folio & f, size_t from, size_t count))                           \
  X(error_remove_page, Status, (address_space & mapping, folio & f))                               \
  X(swap_activate, Result<int>, (swap_info & sis, file & f, sector_t & span))                      \
  X(swap_deactivate, void, (file & f))                                                             \
  X(swap_rw, Result<size_t>, (kiocb & iocb, iov_iter & iter))

#define HOLDFAST_FILE_LOCK_OPERATIONS(X)                    \
  X(fl_copy_lock, void, (file_lock & dst, file_lock & src)) \
  X(fl_release_private, void, (file_lock & fl))

#define HOLDFAST_LOCK_MANAGER_OPERATIONS(X)         \
  X(lm_notify, void, (file_lock & fl))              \
  X(lm_grant, Status, (file_lock & fl, int result)) \
  X(lm_break, bool, (file_lock & fl))               \
  X(lm_change, Status, (file_lock & fl, int type))  \
  X(lm_breaker_owns_lease, bool, (file_lock & fl))  \
  X(lm_lock_expirable, bool, (file_lock & fl))      \
  X(lm_expire_lock, void, ())

#define HOLDFAST_BUFFER_HEAD(X) X(b_end_io, void, (buffer_head & bh, bool uptodate))

#define HOLDFAST_BLOCK_DEVICE_OPERATIONS(X)                                                    \
  X(open, Status, (block_device & bdev, fmode_t mode))                                         \
  X(release, void, (gendisk & disk, fmode_t mode))                                             \
  X(ioctl, Result<long>, (block_device & bdev, fmode_t mode, unsigned cmd, unsigned long arg)) \
  X(compat_ioctl, Result<long>,                                                                \
    (block_device & bdev, fmode_t mode, unsigned cmd, unsigned long arg))                      \
  X(direct_access, Result<size_t>,                                                             \
    (block_device & bdev, sector_t sector, void*& addr, uint64_t& pfn))                        \
  X(unlock_native_capacity, void, (gendisk & disk))                                            \
  X(getgeo, Status, (block_device & bdev, hd_geometry & geo))                                  \
  X(swap_slot_free_notify, void, (block_device & bdev, uint64_t slot))

#define HOLDFAST_FILE_OPERATIONS(X)                                                              \
  X(llseek, Result<loff_t>, (file & f, loff_t offset, int whence))                               \
  X(read, Result<size_t>, (file & f, char* buffer, size_t count, loff_t& pos))                   \
  X(write, Result<size_t>, (file & f, const char* buffer, size_t count, loff_t& pos))            \
  X(read_iter, Result<size_t>, (kiocb & iocb, iov_iter & to))                                    \
  X(write_iter, Result<size_t>, (kiocb & iocb, iov_iter & from))                                 \
  X(iopoll, Result<int>, (kiocb & iocb, bool spin))                                              \
  X(iterate_shared, Status, (file & f, dir_context & ctx))                                       \
  X(poll, uint32_t, (file & f, poll_table * table))                                              \
  X(unlocked_ioctl, Result<long>, (file & f, unsigned cmd, unsigned long arg))                   \
  X(compat_ioctl, Result<long>, (file & f, unsigned cmd, unsigned long arg))                     \
  X(mmap, Status, (file & f, vm_area & vma))                                                     \
  X(open, Status, (inode & i, file & f))                                                         \
  X(flush, Status, (file & f))                                                                   \
  X(release, void, (inode & i, file & f))                                                        \
  X(fsync, Status, (file & f, loff_t start, loff_t end, bool datasync))                          \
  X(fasync, Result<int>, (int fd, file& f, bool on))                                             \
  X(lock, Result<int>, (file & f, int cmd, file_lock& fl))                                       \
  X(get_unmapped_area, Result<unsigned long>,                                                    \
    (file & f, unsigned long addr, unsigned long len, unsigned long pgoff, unsigned long flags)) \
  X(check_flags, Status, (int flags))                                                            \
  X(flock, Result<int>, (file & f, int cmd, file_lock& fl))                                      \
  X(splice_write, Result<size_t>,                                                                \
    (pipe_inode_info & pipe, file & f, loff_t & pos, size_t len, unsigned flags))                \
  X(splice_read, Result<size_t>,                                                                 \
    (file & f, loff_t & pos, pipe_inode_info & pipe, size_t len, unsigned flags))                \
  X(setlease, Status, (file & f, int arg, file_lock*& lease, void*& priv))                       \
  X(fallocate, Status, (file & f, int mode, loff_t offset, loff_t len))                          \
  X(show_fdinfo, void, (seq_file & m, file & f))                                                 \
  X(mmap_capabilities, unsigned, (file & f))                                                     \
  X(copy_file_range, Result<size_t>,                                                             \
    (file & in, loff_t pos_in, file & out, loff_t pos_out, size_t len, unsigned flags))          \
  X(remap_file_range, Result<loff_t>,                                                            \
    (file & in, loff_t pos_in, file & out, loff_t pos_out, loff_t len, unsigned flags))          \
  X(fadvise, Status, (file & f, loff_t offset, loff_t len, int advice))

#define HOLDFAST_DQUOT_OPERATIONS(X)    \
  X(write_dquot, Status, (dquot & d))   \
  X(acquire_dquot, Status, (dquot & d)) \
  X(release_dquot, Status, (dquot & d)) \
  X(mark_dirty, Status, (dquot & d))    \
  X(write_info, Status, (super_block & sb, int type))

#define HOLDFAST_VM_OPERATIONS_STRUCT(X)                                 \
  X(open, void, (vm_area & vma))                                         \
  X(close, void, (vm_area & vma))                                        \
  X(fault, vm_fault_t, (vm_fault & vmf))                                 \
  X(huge_fault, vm_fault_t, (vm_fault & vmf, unsigned order))            \
  X(map_pages, vm_fault_t, (vm_fault & vmf, pgoff_t start, pgoff_t end)) \
  X(page_mkwrite, vm_fault_t, (vm_area & vma, vm_fault & vmf))           \
  X(pfn_mkwrite, vm_fault_t, (vm_area & vma, vm_fault & vmf))            \
  X(access, Result<size_t>, (vm_area & vma, unsigned long addr, void* buf, size_t len, bool write))

#define HF_DECLARE_METHOD(name, ret, params) ret(*name) params = nullptr;

struct dentry_operations {
  HOLDFAST_DENTRY_OPERATIONS(HF_DECLARE_METHOD)
};
struct inode_operations {
  HOLDFAST_INODE_OPERATIONS(HF_DECLARE_METHOD)
};
struct xattr_handler {
  const char* name = nullptr;    // matches this name only ...
  const char* prefix = nullptr;  // ... or names that begin so; exactly one of the two is set
  int flags = 0;                 // the handler's own
  HOLDFAST_XATTR_HANDLER(HF_DECLARE_METHOD)
};
struct super_operations {
  HOLDFAST_SUPER_OPERATIONS(HF_DECLARE_METHOD)
};
// Registered types form a list that register_filesystem() guards; `name` is what `mount -t` says.
struct file_system_type {
  const char* name = nullptr;
  unsigned fs_flags = 0;
  HOLDFAST_FILE_SYSTEM_TYPE(HF_DECLARE_METHOD)
  const char* help = nullptr;  // one line for people: the options it takes
  file_system_type* next = nullptr;
};
struct address_space_operations {
  HOLDFAST_ADDRESS_SPACE_OPERATIONS(HF_DECLARE_METHOD)
};
struct file_lock_operations {
  HOLDFAST_FILE_LOCK_OPERATIONS(HF_DECLARE_METHOD)
};
struct lock_manager_operations {
  HOLDFAST_LOCK_MANAGER_OPERATIONS(HF_DECLARE_METHOD)
};
struct buffer_head_operations {
  HOLDFAST_BUFFER_HEAD(HF_DECLARE_METHOD)
};
struct block_device_operations {
  HOLDFAST_BLOCK_DEVICE_OPERATIONS(HF_DECLARE_METHOD)
};
struct file_operations {
  HOLDFAST_FILE_OPERATIONS(HF_DECLARE_METHOD)
};
struct dquot_operations {
  HOLDFAST_DQUOT_OPERATIONS(HF_DECLARE_METHOD)
};
struct vm_operations_struct {
  HOLDFAST_VM_OPERATIONS_STRUCT(HF_DECLARE_METHOD)
};

#undef HF_DECLARE_METHOD

// file_system_type::fs_flags
inline constexpr unsigned fs_requires_dev = 1u << 0;         // the source is a device or an image
inline constexpr unsigned fs_rename_does_d_move = 1u << 15;  // ->rename moves the dentries itself

HF_NAMESPACE_END
