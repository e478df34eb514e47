// SPDX-License-Identifier: Apache-2.0
//
// open(2) and close(2).
//
// 1. Flags are judged before the path is looked at. A descriptor is reserved before the file is
//    opened, so that a full table creates nothing.
// 2. close() gives the descriptor back whatever ->flush says.
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr int o_tmpfile_bit = O_TMPFILE & ~O_DIRECTORY;
constexpr int o_largefile = 0100000;  // the kernel's; 0 in a 64-bit libc
constexpr int valid_flags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |
                            O_NDELAY | O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT |
                            o_largefile | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC |
                            O_PATH | o_tmpfile_bit;
constexpr int path_flags = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;

struct open_request {
  int flags = 0;
  umode_t mode = 0;
};

// What open(2) makes of its arguments: unknown flags are ignored, contradictions refused.
Result<open_request> validate(int flags, umode_t mode) {
  flags &= valid_flags;
  if (flags & O_PATH) flags &= path_flags;  // beats everything else
  const bool creates = flags & (O_CREAT | o_tmpfile_bit);
  if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT)) return Error(EINVAL);
  if (flags & o_tmpfile_bit) {
    if (!(flags & O_DIRECTORY)) return Error(EINVAL);
    const int access = flags & O_ACCMODE;
    if (access == O_RDONLY) return Error(EINVAL);
  }
  if ((flags & O_SYNC) == O_SYNC) flags |= O_DSYNC;
  return open_request{flags, creates ? mode & 07777 : 0};
}

Result<file*> open_checked(at where, std::string_view name, const open_request& r) {
  return do_filp_open(where, name, r.flags & ~O_CLOEXEC, r.mode);
}

}  // namespace

Result<int> sys_open(task& t, at where, std::string_view name, int flags, umode_t mode) {
  task_scope scope(t);
  operation_scope op("open", name);
  Result<open_request> r = validate(flags, mode);
  if (!r.ok()) return r.error();
  Result<int> fd = get_unused_fd(t, 0, r->flags & O_CLOEXEC);
  if (!fd.ok()) return fd.error();
  Result<file*> f = open_checked(where, name, *r);
  if (!f.ok()) {
    put_unused_fd(t, *fd);
    return f.error();
  }
  fd_install(t, *fd, *f);
  return *fd;
}

Result<file*> file_open(task& t, at where, std::string_view name, int flags, umode_t mode) {
  task_scope scope(t);
  operation_scope op("open", name);
  Result<open_request> r = validate(flags, mode);
  if (!r.ok()) return r.error();
  return open_checked(where, name, *r);
}

Status sys_close(task& t, int fd) {
  task_scope scope(t);
  operation_scope op("close", fd_text(fd).view());
  Result<file*> f = take_fd(t, fd);
  if (!f.ok()) return f.error();
  return filp_close(*f);
}

Status file_close(task& t, file* f) {
  task_scope scope(t);
  operation_scope op("close");
  return filp_close(f);
}

HF_NAMESPACE_END
