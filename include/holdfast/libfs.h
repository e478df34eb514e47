// SPDX-License-Identifier: Apache-2.0
//
// Helpers that a file system's tables may name directly.
#pragma once

#include "holdfast/syscalls.h"

HF_NAMESPACE_BEGIN

// ->lookup of a file system that lives in the dcache alone: a miss is an absence.
Result<dentry*> simple_lookup(inode& dir, dentry& d, unsigned flags);
Status simple_setattr(const mnt_idmap& idmap, dentry& d, iattr& attr);
Status simple_getattr(const mnt_idmap& idmap, const path& p, kstat& st, uint32_t mask,
                      unsigned flags);
Status simple_statfs(dentry& d, kstatfs& st);
Status simple_link(dentry& old_dentry, inode& dir, dentry& new_dentry);
Status simple_unlink(inode& dir, dentry& d);
Status simple_rmdir(inode& dir, dentry& d);
bool simple_empty(dentry& d);
Status simple_rename(const mnt_idmap& idmap, inode& old_dir, dentry& old_dentry, inode& new_dir,
                     dentry& new_dentry, unsigned flags);
bool always_delete_dentry(const dentry& d);
bool generic_delete_inode(inode& i);
Result<const char*> simple_get_link(dentry* d, inode& i, delayed_call& done);

Result<loff_t> generic_file_llseek(file& f, loff_t offset, int whence);
Result<loff_t> generic_dir_llseek(file& f, loff_t offset, int whence);
Result<loff_t> noop_llseek(file& f, loff_t offset, int whence);
Result<size_t> generic_read_dir(file& f, char* buffer, size_t count, loff_t& pos);  // EISDIR
Status noop_fsync(file& f, loff_t start, loff_t end, bool datasync);
Status generic_file_open(inode& i, file& f);

// Data in folios of the mapping; for file systems whose only copy is the page cache (see ram_aops),
// or with their own write_begin/write_end/read_folio.
Result<size_t> generic_file_read_iter(kiocb& iocb, iov_iter& to);
Result<size_t> generic_file_write_iter(kiocb& iocb, iov_iter& from);
Result<size_t> generic_write_checks(kiocb& iocb,
                                    iov_iter& from);  // bytes to write; 0: nothing to do
// The part of a write after the checks: i_rwsem held exclusively. Advances ki_pos.
Result<size_t> generic_perform_write(kiocb& iocb, iov_iter& from) HF_NO_THREAD_SAFETY_ANALYSIS;
// Sets i_size, then drops what lies beyond it. i_rwsem exclusive; takes invalidate_lock. Growing
// zeroes nothing: bytes past the old end are zero already (invariant of truncation and of
// write_begin).
void truncate_setsize(inode& i, loff_t new_size);
// For ->evict_inode: nobody else uses the mapping any more.
void truncate_inode_pages_final(address_space& mapping);
// For mappings whose only copy is the page cache; set as_absent_is_hole (and as_large_folio, if
// folios larger than a page are wanted) in the mapping's flags.
extern const address_space_operations ram_aops;

// Before a write, i_rwsem exclusive: set-id bits go unless the task has CAP_FSETID; mtime and
// ctime.
Status file_remove_privs(file& f);
Status file_update_time(file& f);

// The default walk over a directory that lives in the dcache (children in creation order).
extern const file_operations simple_dir_operations;
extern const inode_operations simple_dir_inode_operations;
extern const inode_operations simple_symlink_inode_operations;
extern const file_operations simple_file_operations;  // on ram_aops or the file system's own a_ops
extern const inode_operations simple_file_inode_operations;
// statfs, drop_inode, and an evict_inode that frees what simple_new_inode and simple_set_link
// allocated.
extern const super_operations simple_super_operations;
void simple_evict_inode(inode& i);

// A new inode of `mode`'s type with the simple_* tables, a number, an owner (by `dir`) and times. A
// directory's i_private is its offset_ctx. Null: out of memory.
inode* simple_new_inode(super_block& sb, const inode* dir, umode_t mode, dev_t dev);
// Gives a symlink its body. Error: ENOMEM.
Status simple_set_link(inode& i, std::string_view target);
// A link body: NUL-terminated, freed after a grace period. Null: out of memory.
const char* alloc_link_body(std::string_view target);
void free_link_body(const char* body);  // null is allowed
// Enters a new inode (its reference passes in) under d's name: cookie, pin, times, nlink of the
// parent. i_rwsem of dir exclusive. Error: ENOMEM, the inode's reference is dropped.
Status simple_add_entry(inode& dir, dentry& d, inode* i);

// ---- stable directory cookies
// Each entry of a directory has a number from 2 up that it keeps; ->iterate_shared goes by them, so
// that what is removed or added during a reading moves nothing else. About 9 bytes an entry. The
// dentry's number is in d_fsdata. i_rwsem of the directory: exclusive to change, shared to read.
struct offset_ctx {
  std::atomic<void*> root{nullptr};
  uint64_t next = 2;
};
Status simple_offset_add(offset_ctx& ctx, dentry& d);  // Error: ENOMEM
void simple_offset_remove(offset_ctx& ctx, dentry& d);
// Before the dentries move. An entry that is replaced leaves its number to what replaces it. Error:
// ENOMEM, only when the directory changes and nothing is replaced.
Status simple_offset_rename(offset_ctx& old_ctx, dentry& old_dentry, offset_ctx& new_ctx,
                            dentry& new_dentry);
void simple_offset_exchange(offset_ctx& old_ctx, dentry& old_dentry, offset_ctx& new_ctx,
                            dentry& new_dentry);
void simple_offset_destroy(offset_ctx& ctx);
bool simple_offset_empty(const offset_ctx& ctx);
// The body of ->iterate_shared over a context.
Status simple_offset_iterate(offset_ctx& ctx, file& f, dir_context& dc);
Status simple_iterate(file& f, dir_context& dc);  // asks ->get_offset_ctx
// ->get_offset_ctx of directories that simple_new_inode() made.
offset_ctx* simple_get_offset_ctx(inode& i);

// SEEK_DATA and SEEK_HOLE by which folios a mapping has, in [0, end). Error: ENXIO.
Result<loff_t> mapping_seek_hole_data(address_space& mapping, loff_t offset, loff_t end,
                                      int whence);

// Options of the form "a=1,b,c=x": calls fn for each; an Error ends the walk and is returned.
using option_fn = Status (*)(std::string_view key, std::string_view value, void* arg);
Status parse_options(std::string_view data, option_fn fn, void* arg);
// "64k", "1g", "50%" (of `whole`; refused if that is 0), suffixes k m g t p e. Error EINVAL.
Result<uint64_t> parse_size(std::string_view text, uint64_t whole);

HF_NAMESPACE_END
