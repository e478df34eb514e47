// SPDX-License-Identifier: Apache-2.0
//
// Reading directories.
//
// 1. One pass holds f_pos_lock, then the directory's i_rwsem shared: several readers of one
//    directory run at once, two passes over one open directory don't.
// 2. A removed directory has no entries, not even "." and ".."; that is ENOENT, as the walk into it
//    says.
#include <dirent.h>

#include <cstring>

#include "core/inode/atime.h"
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

// The pass itself; continues at ctx.pos, leaves f_pos behind what was taken.
Status iterate(file& f, dir_context& ctx) HF_REQUIRES(f.f_pos_lock) {
  if (!f.f_op->iterate_shared) return Error(ENOTDIR);
  shared_guard g(f.f_inode->i_rwsem);
  if (f.f_inode->i_flags & s_dead) return Error(ENOENT);
  Status s = file_ops::iterate_shared(f, ctx);
  f.f_pos = ctx.pos;
  file_accessed(f.f_path, f.f_flags);
  return s;
}

constexpr size_t name_at = offsetof(dirent64, d_name);

// Fills a caller's buffer with records. The offset of a record is the position of the one after it,
// so it is known only when that one comes, or at the end.
struct record_writer : dir_context {
  char* buf = nullptr;
  size_t left = 0;
  char* last = nullptr;
  int error = 0;

  bool add(std::string_view name, loff_t off, uint64_t ino, unsigned type) {
    if (name.empty() || name.find('/') != std::string_view::npos) {
      error = EIO;  // a file system that emits this would make programs leave the directory
      return false;
    }
    const size_t len = (name_at + name.size() + 1 + 7) & ~size_t{7};
    error = EINVAL;  // counts only if nothing fits
    if (len > left) return false;
    end_last(off);
    char* p = buf;
    const auto reclen = static_cast<uint16_t>(len);
    std::memcpy(p + offsetof(dirent64, d_ino), &ino, sizeof ino);
    std::memcpy(p + offsetof(dirent64, d_reclen), &reclen, sizeof reclen);
    p[offsetof(dirent64, d_type)] = static_cast<char>(type);
    std::memcpy(p + name_at, name.data(), name.size());
    std::memset(p + name_at + name.size(), 0, len - name_at - name.size());
    last = p;
    buf += len;
    left -= len;
    return true;
  }
  void end_last(loff_t off) {
    if (last) std::memcpy(last + offsetof(dirent64, d_off), &off, sizeof off);
  }
};

bool write_record(dir_context& ctx, std::string_view name, loff_t off, uint64_t ino,
                  unsigned type) {
  return static_cast<record_writer&>(ctx).add(name, off, ino, type);
}

}  // namespace

Result<size_t> sys_getdents(task& t, int fd, void* buf, size_t size) {
  task_scope scope(t);
  operation_scope op("getdents", fd_text(fd).view());
  fd_ref f(t, fd);
  if (!f) return Error(EBADF);
  record_writer w;
  w.actor = write_record;
  w.buf = static_cast<char*>(buf);
  w.left = size;
  file& dir = *f;
  Status s;
  {
    exclusive_guard lock(dir.f_pos_lock);
    w.pos = dir.f_pos;
    s = iterate(dir, w);
  }
  if (w.last) {
    w.end_last(w.pos);
    return size - w.left;
  }
  if (!s.ok()) return s.error();
  if (w.error) return Error(w.error);
  return size_t{0};
}

// Begins at ctx.pos, which is where the last pass of any kind ended, or what the door's client
// says.
Status vfs_iterate_dir(task& t, file& dir, dir_context& ctx) {
  task_scope scope(t);
  operation_scope op("readdir");
  exclusive_guard lock(dir.f_pos_lock);
  if (ctx.pos != dir.f_pos) {
    // A file system may keep a cursor, which only ->llseek moves.
    if (!(dir.f_mode & fmode_lseek)) return Error(ESPIPE);
    if (Result<loff_t> r = file_ops::llseek(dir, ctx.pos, SEEK_SET); !r.ok()) return r.error();
  }
  return iterate(dir, ctx);
}

HF_NAMESPACE_END
