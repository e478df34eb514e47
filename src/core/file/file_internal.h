// SPDX-License-Identifier: Apache-2.0
//
// Open files from the inside: allocation, opening a dentry, descriptor tables.
//
// 1. alloc_empty_file -> (path set) do_dentry_open -> fmode_opened -> fput: ->release.
// 2. A descriptor table is read under RCU; a slot is changed under file_lock; a table that was
//    outgrown is freed after a grace period.
#pragma once

#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

// A file without a path, one reference; flags are O_*. Null: out of memory.
file* alloc_empty_file(int flags, const cred& c);
// Gives `f` the place `p` (references are taken) and runs ->open. On error f stays unopened; the
// caller fputs.
Status do_dentry_open(file& f, const path& p);
// Whether `f` may be written: counts it in i_writecount. Error ETXTBSY.
Status get_write_access(inode& i);
void put_write_access(inode& i);

// ->flush, then the reference: what close(2) does with the file it took out of the table.
Status filp_close(file* f);

Result<int> get_unused_fd(task& t, unsigned min_fd, bool cloexec);  // EMFILE, ENOMEM
void fd_install(task& t, int fd, file* f);                          // the reference passes in
void put_unused_fd(task& t, int fd);
Result<file*> take_fd(task& t, int fd);  // removes it from the table; EBADF
// Puts `f` at newfd, whatever is there, and returns what was (null: nothing). The reference passes
// in on success. EBADF: beyond the limit; EBUSY: newfd is being opened by another thread; ENOMEM.
Result<file*> replace_fd(task& t, int newfd, file* f, bool cloexec);
Status set_close_on_exec(task& t, int fd, bool on);  // EBADF
Result<bool> get_close_on_exec(task& t, int fd);     // EBADF
Result<file*> fget(task& t, int fd);      // referenced; EBADF; files opened with O_PATH are EBADF
Result<file*> fget_raw(task& t, int fd);  // O_PATH too

// A descriptor for the length of a call: counted only when the task is shared.
class fd_ref {
 public:
  fd_ref(task& t, int fd, bool raw = false);
  ~fd_ref();
  fd_ref(const fd_ref&) = delete;
  fd_ref& operator=(const fd_ref&) = delete;
  explicit operator bool() const { return f_ != nullptr; }
  file& operator*() const { return *f_; }
  file* operator->() const { return f_; }

 private:
  file* f_ = nullptr;
  bool counted_ = false;
};

HF_NAMESPACE_END
