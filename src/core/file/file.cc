// SPDX-License-Identifier: Apache-2.0
//
// Open files: allocation, opening, the last reference.
//
//   alloc_empty_file -> do_dentry_open -> (fmode_opened) -> last fput: ->release, counts, path,
//   credentials
//
// 1. The memory outlives the file by a grace period: a table's reader may find it and must then
//    fail to count it.
// 2. What do_dentry_open() took is given back by fput(), by the mode bits: fmode_writer,
//    fmode_opened; or by do_dentry_open() itself where it fails before ->open succeeded.
// 3. ->flush belongs to close(2), once a descriptor; ->release to the last reference, once a file.
#include <dirent.h>

#include <cerrno>
#include <new>

#include "core/dispatch/file_ops.h"
#include "core/file/file_internal.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN

namespace {

constinit slab_cache<file> file_cache("file");
constexpr file_operations path_only_operations{};

constexpr uint32_t errseq_seen = 1u << 12;

// Where a reporter of write errors starts: an error that nobody has seen yet is still news to it.
uint32_t errseq_start(const std::atomic<uint32_t>& err) {
  const uint32_t now = err.load(std::memory_order_acquire);
  return (now & errseq_seen) != 0 ? now : 0;
}

fmode_t mode_of(int flags) {
  if (flags & O_PATH) return fmode_path;
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return fmode_read;
    case O_WRONLY:
      return fmode_write;
    case O_RDWR:
      return fmode_read | fmode_write;
    default:
      return 0;  // the kernel's "check only" value 3
  }
}

bool is_special(umode_t mode) {
  return S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
}

void free_file_rcu(rcu_head& head) {
  file& f = container_of<&file::f_rcu>(head);
  f.~file();
  file_cache.free(&f);
}

void drop_write_access(file& f) {
  if (!(f.f_mode & fmode_writer)) return;
  put_write_access(*f.f_inode);
  mnt_put_write_access(*f.f_path.mnt);
  f.f_mode &= ~fmode_writer;
}

void finish(file& f) {
  if (f.f_mode & fmode_opened) {
    if ((f.f_flags & O_ASYNC) && f.f_op->fasync != nullptr) (void)file_ops::fasync(-1, f, false);
    if (f.f_op->release != nullptr) file_ops::release(*f.f_inode, f);
  }
  drop_write_access(f);
  path_put(f.f_path);
  put_cred(f.f_cred);
  call_rcu(f.f_rcu, free_file_rcu);
}

void finish_deferred(deferred_work& w) {
  finish(container_of<&file::f_deferred>(w));
}

}  // namespace

file* alloc_empty_file(int flags, const cred& c) {
  void* mem = file_cache.allocate();
  if (mem == nullptr) return nullptr;
  file* f = new (mem) file;
  f->f_flags = static_cast<unsigned>(flags);
  f->f_mode = mode_of(flags);
  f->f_cred = get_cred(&c);
  return f;
}

void fput(file* f) {
  if (f == nullptr || f->f_count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (may_block()) [[likely]] {
    finish(*f);
    return;
  }
  f->f_deferred.run = finish_deferred;
  defer_work(f->f_deferred);
}

Status filp_close(file* f) {
  Status s;
  if ((f->f_mode & fmode_opened) && f->f_op->flush != nullptr) s = file_ops::flush(*f);
  fput(f);
  return s;
}

Status get_write_access(inode& i) {
  int32_t n = i.i_writecount.load(std::memory_order_relaxed);
  while (n >= 0)
    if (i.i_writecount.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel,
                                             std::memory_order_relaxed))
      return {};
  return Error(ETXTBSY);
}

void put_write_access(inode& i) {
  i.i_writecount.fetch_sub(1, std::memory_order_acq_rel);
}

Status do_dentry_open(file& f, const path& p) {
  inode& i = *p.dent->inode_ptr();
  path_get(p);
  f.f_path = p;
  f.f_inode = &i;
  f.f_mapping = i.i_mapping;
  f.f_wb_err = errseq_start(i.i_mapping->wb_err);
  if (f.f_mode & fmode_path) {
    f.f_op = &path_only_operations;
    f.f_mode |= fmode_opened;
    return {};
  }
  Status s;
  if ((f.f_mode & fmode_write) && !is_special(i.i_mode)) {
    s = get_write_access(i);
    if (s.ok()) {
      s = mnt_get_write_access(*p.mnt);
      if (s.ok())
        f.f_mode |= fmode_writer;
      else
        put_write_access(i);
    }
  }
  if (s.ok()) {
    if (i.is_reg() || i.is_dir()) f.f_mode |= fmode_atomic_pos;
    f.f_mode |= fmode_lseek | fmode_pread | fmode_pwrite;
    f.f_op = i.i_fop;
    if (f.f_op->open != nullptr) s = file_ops::open(i, f);
  }
  if (!s.ok()) {
    drop_write_access(f);
    path_put(f.f_path);
    f.f_path = {};
    f.f_inode = nullptr;
    f.f_mapping = nullptr;
    f.f_op = nullptr;
    return s;
  }
  f.f_mode |= fmode_opened;
  if (f.f_op->llseek == nullptr) f.f_mode &= ~fmode_lseek;
  if (f.f_mapping->a_ops != nullptr && f.f_mapping->a_ops->direct_IO != nullptr)
    f.f_mode |= fmode_can_odirect;
  f.f_flags &= ~static_cast<unsigned>(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
  // Opened already: the caller's fput() runs ->release.
  if ((f.f_flags & O_DIRECT) && !(f.f_mode & fmode_can_odirect)) return Error(EINVAL);
  return {};
}

bool dir_emit_dots(file& f, dir_context& ctx) {
  dentry& d = *f.f_path.dent;
  if (ctx.pos == 0) {
    if (!ctx.emit(".", d.inode_ptr()->i_ino, DT_DIR)) return false;
    ctx.pos = 1;
  }
  if (ctx.pos == 1) {
    dentry* parent = dget_parent(d);
    const uint64_t ino = parent->inode_ptr()->i_ino;
    dput(parent);
    if (!ctx.emit("..", ino, DT_DIR)) return false;
    ctx.pos = 2;
  }
  return true;
}

HF_NAMESPACE_END
