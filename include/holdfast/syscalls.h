// SPDX-License-Identifier: Apache-2.0
//
// The API for callers: what system calls do, in process, errno-exact, on behalf of a task.
//
// 1. `at` is where a relative path starts: a descriptor (or at_cwd), or a path that the caller
//    holds. The second form is what doors with handles of their own use; it needs no descriptor.
// 2. A name is bytes, not NUL-terminated; a NUL inside is EINVAL. An empty path is ENOENT unless
//    AT_EMPTY_PATH.
// 3. Every call may block unless it says otherwise; none may be made with a Holdfast lock held.
// 4. Errors are those of the man page of the call of the same name.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>

#include "holdfast/iov_iter.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

struct at {
  int fd;
  const path* base;
  constexpr at(int dirfd) : fd(dirfd), base(nullptr) {}    // NOLINT(google-explicit-constructor)
  constexpr at(const path& p) : fd(AT_FDCWD), base(&p) {}  // NOLINT(google-explicit-constructor)
};
inline constexpr int at_cwd = AT_FDCWD;

// ---- names
// The object a path leads to; lookup_* flags (lookup_follow, lookup_directory, lookup_empty).
// Referenced.
Result<path_ref> user_path_at(task& t, at where, std::string_view name,
                              unsigned flags = lookup_follow);
Status sys_stat(task& t, at where, std::string_view name, int at_flags, kstat& st);
Status sys_fstat(task& t, int fd, kstat& st);
Status vfs_getattr_path(task& t, const path& p, kstat& st);
Status sys_access(task& t, at where, std::string_view name, int mode, int at_flags);
Status sys_mkdir(task& t, at where, std::string_view name, umode_t mode);
Status sys_mknod(task& t, at where, std::string_view name, umode_t mode, dev_t dev);
Status sys_symlink(task& t, std::string_view target, at where, std::string_view name);
Status sys_link(task& t, at from, std::string_view old_name, at to, std::string_view new_name,
                int at_flags);
Status sys_unlink(task& t, at where, std::string_view name, int at_flags);  // AT_REMOVEDIR: rmdir
Status sys_rename(task& t, at from, std::string_view old_name, at to, std::string_view new_name,
                  unsigned flags);
Result<size_t> sys_readlink(task& t, at where, std::string_view name, char* buf, size_t size);

// ---- attributes
Status sys_chmod(task& t, at where, std::string_view name, umode_t mode, int at_flags);
Status sys_fchmod(task& t, int fd, umode_t mode);
Status sys_chown(task& t, at where, std::string_view name, uid_t uid, gid_t gid, int at_flags);
Status sys_fchown(task& t, int fd, uid_t uid, gid_t gid);
Status sys_utimens(task& t, at where, std::string_view name, const timespec* times, int at_flags);
Status sys_futimens(task& t, int fd, const timespec* times);
Status sys_truncate(task& t, at where, std::string_view name, loff_t length);
Status sys_ftruncate(task& t, int fd, loff_t length);
// The whole request at once, as a door gets it: applied under one hold of i_rwsem. `f` may be null.
Status sys_setattr(task& t, const path& p, iattr& attr, file* f);

// ---- extended attributes; `at_flags` 0 or AT_SYMLINK_NOFOLLOW or AT_EMPTY_PATH
Result<size_t> sys_getxattr(task& t, at where, std::string_view name, std::string_view attr,
                            void* value, size_t size, int at_flags);
Status sys_setxattr(task& t, at where, std::string_view name, std::string_view attr,
                    const void* value, size_t size, int flags, int at_flags);
Status sys_removexattr(task& t, at where, std::string_view name, std::string_view attr,
                       int at_flags);
Result<size_t> sys_listxattr(task& t, at where, std::string_view name, char* list, size_t size,
                             int at_flags);

// ---- descriptors
Result<int> sys_open(task& t, at where, std::string_view name, int flags, umode_t mode = 0);
Status sys_close(task& t, int fd);
Result<int> sys_dup(task& t, int fd, int min_fd, bool cloexec);
Result<int> sys_dup2(task& t, int oldfd, int newfd, bool cloexec);
Result<int> sys_fcntl_getfl(task& t, int fd);
Status sys_fcntl_setfl(task& t, int fd, int flags);
Result<size_t> sys_read(task& t, int fd, void* buf, size_t count);
Result<size_t> sys_write(task& t, int fd, const void* buf, size_t count);
Result<size_t> sys_pread(task& t, int fd, void* buf, size_t count, loff_t pos);
Result<size_t> sys_pwrite(task& t, int fd, const void* buf, size_t count, loff_t pos);
Result<size_t> sys_readv(task& t, int fd, const iovec* iov, int n);
Result<size_t> sys_writev(task& t, int fd, const iovec* iov, int n);
Result<size_t> sys_preadv(task& t, int fd, const iovec* iov, int n, loff_t pos);
Result<size_t> sys_pwritev(task& t, int fd, const iovec* iov, int n, loff_t pos);
Result<loff_t> sys_lseek(task& t, int fd, loff_t offset, int whence);
Status sys_fsync(task& t, int fd, bool datasync);
Status sys_fallocate(task& t, int fd, int mode, loff_t offset, loff_t len);
// Fills `buf` with linux_dirent64 records; 0 at the end. Errors: ENOTDIR, EINVAL (buffer too
// small), ENOENT.
Result<size_t> sys_getdents(task& t, int fd, void* buf, size_t size);

// ---- file systems
Status sys_statfs(task& t, at where, std::string_view name, kstatfs& st);
Status sys_fstatfs(task& t, int fd, kstatfs& st);
Status sys_mount(task& t, std::string_view source, std::string_view target, std::string_view type,
                 unsigned long ms_flags, std::string_view data);
Status sys_umount(task& t, std::string_view target, int flags);
Status sys_syncfs(task& t, int fd);

// ---- the task itself
Status sys_chdir(task& t, std::string_view name);
Status sys_fchdir(task& t, int fd);
Status sys_chroot(task& t, std::string_view name);
umode_t sys_umask(task& t, umode_t mask);
// The path of the working directory, NUL-terminated; its length with the NUL. ERANGE, ENOENT.
Result<size_t> sys_getcwd(task& t, char* buf, size_t size);

// ---- without descriptors, for doors: the same on a struct file that the caller holds
Result<file*> file_open(task& t, at where, std::string_view name, int flags, umode_t mode = 0);
// Opens what the caller holds a path to, as a door does: no walk, no creation. O_CREAT and O_EXCL
// are ignored.
Result<file*> file_open_path(task& t, const path& p, int flags);
Status file_close(task& t, file* f);  // ->flush, then the reference
Result<size_t> vfs_read(task& t, file& f, iov_iter& to, loff_t pos);
Result<size_t> vfs_write(task& t, file& f, iov_iter& from, loff_t pos);
// O_APPEND is obeyed; `flags` are iocb_*.
Status vfs_fsync(task& t, file& f, loff_t start, loff_t end, bool datasync);
Status vfs_iterate_dir(task& t, file& dir, dir_context& ctx);
Result<loff_t> vfs_llseek(task& t, file& f, loff_t offset, int whence);
Status vfs_fallocate(task& t, file& f, int mode, loff_t offset, loff_t len);
// The child `name` of the directory `dir` (no '/' in it; "." and ".." allowed): a negative dentry
// is ENOENT.
Result<path_ref> lookup_one(task& t, const path& dir, std::string_view name);
// Fills `buf` from the end; the string, NUL-terminated.
Result<std::string_view> d_path(task& t, const path& p, char* buf, size_t size);

HF_NAMESPACE_END
