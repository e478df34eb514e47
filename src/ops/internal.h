// SPDX-License-Identifier: Apache-2.0
//
// What the system calls share. One subject a file; this header is the seam between those files.
//
// 1. A call runs for one task: task_scope first, then operation_scope, then everything else.
// 2. Lock order of a change: mnt_want_write (which includes sb_start_write), then i_rwsem of
//    directories, then i_rwsem of the object. It is given back in reverse, and an inode's last
//    reference is dropped after its directory is unlocked, since eviction may take long.
// 3. References: path_ref and dentry_ref own what lookups return; nothing else here keeps any past
//    a call.
#pragma once

#include "core/dispatch/file_ops.h"
#include "core/dispatch/inode_ops.h"
#include "core/dispatch/super_ops.h"
#include "core/dispatch/xattr_ops.h"
#include "core/file/file_internal.h"
#include "core/mount/mount.h"
#include "holdfast/sync/context.h"
#include "namei/namei.h"

HF_NAMESPACE_BEGIN

inline constexpr size_t max_rw_count = 0x7ffff000;  // bytes that one read or write moves at most

// A descriptor's number as text, for the report of a violation; empty while checking is off.
class fd_text {
 public:
  explicit fd_text(int fd) {
    if (checking_on()) [[unlikely]]
      write(fd);
  }
  std::string_view view() const { return {buf_, len_}; }

 private:
  void write(int fd);
  char buf_[16];
  uint8_t len_ = 0;
};

// For a scope in which namei holds the lock: says so to the static analysis, which can't see into
// it.
inline void assume_locked(inode& i) HF_ASSERT_CAPABILITY(i.i_rwsem) {
  static_cast<void>(i);
}

// One reference on a dentry.
class dentry_ref {
 public:
  explicit dentry_ref(dentry* adopted) : d_(adopted) {}
  ~dentry_ref() { reset(); }
  dentry_ref(const dentry_ref&) = delete;
  dentry_ref& operator=(const dentry_ref&) = delete;
  void reset() {
    if (d_) dput(d_);
    d_ = nullptr;
  }
  dentry& operator*() const { return *d_; }
  dentry* operator->() const { return d_; }
  dentry* get() const { return d_; }

 private:
  dentry* d_;
};

// One reference on an inode, dropped where eviction is welcome: declare it before the locks.
class inode_ref {
 public:
  inode_ref() = default;
  ~inode_ref() {
    if (i_) iput(i_);
  }
  inode_ref(const inode_ref&) = delete;
  inode_ref& operator=(const inode_ref&) = delete;
  void share(inode& i) {
    ihold(i);
    i_ = &i;
  }

 private:
  inode* i_ = nullptr;
};

// Write access to a mount for a scope; ok() says whether it was granted.
class write_access {
 public:
  explicit write_access(vfsmount& m) : m_(m), status_(mnt_want_write(m)) {}
  ~write_access() {
    if (status_.ok()) mnt_drop_write(m_);
  }
  write_access(const write_access&) = delete;
  write_access& operator=(const write_access&) = delete;
  bool ok() const { return status_.ok(); }
  Error error() const { return status_.error(); }

 private:
  vfsmount& m_;
  Status status_;
};

// Freeze protection of data changes through an open file; regular files alone have it.
class file_write_scope {
 public:
  explicit file_write_scope(file& f) : sb_(S_ISREG(f.f_inode->i_mode) ? f.f_inode->i_sb : nullptr) {
    if (sb_) sb_start_write(*sb_);
  }
  ~file_write_scope() {
    if (sb_) sb_end_write(*sb_);
  }
  file_write_scope(const file_write_scope&) = delete;
  file_write_scope& operator=(const file_write_scope&) = delete;

 private:
  super_block* sb_;
};

// ---- stat.cc
Status getattr_of(const path& p, kstat& st, uint32_t request_mask, unsigned query_flags);

// ---- attr.cc
// chmod, chown, utimes and truncation come together here; i_rwsem of the object is held
// exclusively. `attr` is completed (times, bits to strip). Errors: EPERM, EOPNOTSUPP (mode of a
// symlink), ->setattr's.
Status change_attributes(const mnt_idmap& idmap, dentry& d, iattr& attr);

// ---- create_mode.cc
// The mode a new object gets in `dir`: setgid stripped where it would leak, umask, `mask` kept,
// `type` set.
umode_t prepare_mode(const mnt_idmap& idmap, const inode& dir, umode_t mode, umode_t mask,
                     umode_t type);
// attr_kill_sgid where a change of owner or data must strip setgid, else 0.
unsigned should_drop_sgid(const mnt_idmap& idmap, const inode& i);
// attr_kill_suid and attr_kill_sgid bits that a change of data by the running task strips.
unsigned should_drop_suidgid(const mnt_idmap& idmap, const inode& i);

// ---- fsync.cc
// ->fsync of a byte range, both ends included. Error EINVAL: the file has no such method.
Status fsync_range(file& f, loff_t start, loff_t end, bool datasync);

// ---- unlink.cc
// Nothing can be mounted on a name that is gone.
void forbid_mounting(dentry& d);

HF_NAMESPACE_END
