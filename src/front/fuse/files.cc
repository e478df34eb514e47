// SPDX-License-Identifier: Apache-2.0
//
// Requests about open files.
#include <cerrno>

#include "handlers.h"

HF_NAMESPACE_BEGIN

namespace {

// Flags of the caller's open that the file behind it has too. Not O_APPEND: the kernel says where
// every write goes, and write-back of a mapping goes through any descriptor. Not O_DIRECT: what its
// alignment is about is the caller's memory. Not O_TRUNC: truncation comes as SETATTR, with what it
// implies for suid bits.
int open_flags(const fuse_door& door, int flags) {
  int kept = flags & (O_ACCMODE | O_SYNC | O_DSYNC | O_NOATIME);
  // The kernel fills pages around a partial write from the file.
  if (door.opt.writeback_cache && (kept & O_ACCMODE) == O_WRONLY)
    kept = (kept & ~O_ACCMODE) | O_RDWR;
  return kept | O_LARGEFILE;
}

}  // namespace

namespace fuse_handlers {

void create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::create);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter(true)) return;
  int flags = open_flags(c.door, fi->flags) | O_CREAT | O_NOFOLLOW | (fi->flags & O_EXCL);
  Result<file*> f = file_open(c.t(), *dir, name, flags, mode);
  if (!f) return c.fail(f.code());
  path_ref p = path_ref::share((*f)->f_path);
  if (Status s = set_open_reply(c.door, *f, *fi); !s) return c.fail(s.code());
  c.entry(std::move(p), fi);
}

void open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::open);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  Result<file*> f = file_open_path(c.t(), *p, open_flags(c.door, fi->flags));
  if (!f) return c.fail(f.code());
  if (Status s = set_open_reply(c.door, *f, *fi); !s) return c.fail(s.code());
  // A caller that was killed will not send RELEASE.
  if (fuse_reply_open(req, fi) != 0) c.door.files.drop(fi->fh);
}

void read(fuse_req_t req, fuse_ino_t, size_t size, off_t off, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::read);
  if (size > fuse_worker::buffer_size) size = fuse_worker::buffer_size;
  iov_iter to(c.w.buffer.get(), size);
  Result<size_t> n = vfs_read(c.t(), file_of(fi), to, off);
  if (!n) return c.fail(n.code());
  fuse_reply_buf(req, c.w.buffer.get(), *n);
}

void write(fuse_req_t req, fuse_ino_t, const char* buf, size_t size, off_t off,
           fuse_file_info* fi) {
  fuse_call c(req, fuse_request::write);
  iov_iter from(const_cast<char*>(buf), size);
  Result<size_t> n = vfs_write(c.t(), file_of(fi), from, off);
  if (!n) return c.fail(n.code());
  fuse_reply_write(req, *n);
}

// One close(2) of possibly several. file_close() flushes and drops a reference: one taken for it.
void flush(fuse_req_t req, fuse_ino_t, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::flush);
  c.done(file_close(c.t(), get_file(&file_of(fi))));
}

void release(fuse_req_t req, fuse_ino_t, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::release);
  task_scope as(c.t());
  c.door.files.drop(fi->fh);
  c.fail(0);
}

void fsync(fuse_req_t req, fuse_ino_t, int datasync, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::fsync);
  c.done(vfs_fsync(c.t(), file_of(fi), 0, max_lfs_filesize, datasync != 0));
}

void fallocate(fuse_req_t req, fuse_ino_t, int mode, off_t off, off_t len, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::fallocate);
  if (!c.enter()) return;
  c.done(vfs_fallocate(c.t(), file_of(fi), mode, off, len));
}

void lseek(fuse_req_t req, fuse_ino_t, off_t off, int whence, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::lseek);
  Result<loff_t> n = vfs_llseek(c.t(), file_of(fi), off, whence);
  if (!n) return c.fail(n.code());
  fuse_reply_lseek(req, *n);
}

void ioctl(fuse_req_t req, fuse_ino_t, unsigned, void*, fuse_file_info*, unsigned, const void*,
           size_t, size_t) {
  fuse_call c(req, fuse_request::ioctl);
  c.fail(ENOTTY);
}

}  // namespace fuse_handlers

HF_NAMESPACE_END
