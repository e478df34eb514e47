// SPDX-License-Identifier: Apache-2.0
//
// Path walk: from a string to a path, a parent and a last component, or an open file.
//
// 1. RCU-walk first, REF-walk after ECHILD, REF-walk with lookup_reval after ESTALE; never back.
// 2. What these return is referenced, unless said otherwise.
#pragma once

#include "holdfast/syscalls.h"

HF_NAMESPACE_BEGIN

enum class last_type : uint8_t { norm, root, dot, dotdot };

struct parent_path {
  path_ref parent;
  qstr last;  // points into the caller's string
  last_type type = last_type::norm;
  bool trailing_slash = false;
};

Result<path_ref> filename_lookup(at where, std::string_view name, unsigned flags);
// Everything but the last component. `last` isn't looked up.
Result<parent_path> filename_parentat(at where, std::string_view name, unsigned flags);

// stat without leaving RCU-walk where the file system's getattr is the default one; else as usual.
Status filename_getattr(at where, std::string_view name, unsigned lookup_flags,
                        uint32_t request_mask, unsigned query_flags, kstat& st);

// The child `name` (hashed by hash_name) of `parent`, from the cache or by ->lookup; parent's
// i_rwsem is held exclusively. May be negative.
Result<dentry*> lookup_one_qstr_excl(const qstr& name, dentry& parent, unsigned flags);
// The same with the parent unlocked: takes i_rwsem shared on a miss. May be negative.
Result<dentry*> lookup_slow(const qstr& name, dentry& parent, unsigned flags);
// Hashes a component for children of `dir` (->d_hash obeyed). Errors: ENAMETOOLONG, what ->d_hash
// says.
Status hash_name(const dentry& dir, qstr& name);

// The start of a creation: the parent locked exclusively (nested `parent`), write access to the
// mount taken, a negative dentry for the last component. Errors: EEXIST, ENOENT (trailing slash and
// not a directory wanted), EROFS, ...
struct create_target {
  path_ref parent;
  dentry* dent = nullptr;
};
Result<create_target> filename_create(at where, std::string_view name, unsigned flags);
void done_create(create_target& t);  // unlocks, drops write access and references

// semantics.md A. Locks both parents (and s_vfs_rename_mutex when they differ): the dentry that
// p1's or p2's chain goes through when one is the other's ancestor, null when unrelated. Error
// EXDEV: no common ancestor.
Result<dentry*> lock_rename(dentry& p1, dentry& p2);
void unlock_rename(dentry& p1, dentry& p2);

// Open. The file has one reference.
Result<file*> do_filp_open(at where, std::string_view name, int flags, umode_t mode);

// Permission helpers of directory operations; parent's i_rwsem held exclusively.
Status may_create(const mnt_idmap& idmap, inode& dir, dentry& child);
Status may_delete(const mnt_idmap& idmap, inode& dir, dentry& victim, bool isdir);

HF_NAMESPACE_END
