// SPDX-License-Identifier: Apache-2.0
//
// Requests about names: look-up and forget, everything that creates, removes or moves one.
#include <cerrno>

#include "handlers.h"

HF_NAMESPACE_BEGIN

namespace {

// After something was created: its entry. Another worker may have removed the name already; then
// the caller's operation is answered like a look-up that came too late.
void reply_created(fuse_call& c, const path& parent, const char* name) {
  Result<path_ref> p = lookup_one(c.t(), parent, name);
  if (!p) return c.fail(p.code());
  c.entry(std::move(p).value());
}

}  // namespace

namespace fuse_handlers {

void lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  fuse_call c(req, fuse_request::lookup);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter()) return;
  Result<path_ref> p = lookup_one(c.t(), *dir, name);
  if (p) return c.entry(std::move(p).value());
  if (p.code() != ENOENT || c.door.opt.timeout <= 0) return c.fail(p.code());
  // Entry 0: the kernel may remember the absence.
  fuse_entry_param none{};
  none.entry_timeout = c.door.opt.timeout;
  fuse_reply_entry(req, &none);
}

void forget(fuse_req_t req, fuse_ino_t ino, uint64_t count) {
  fuse_call c(req, fuse_request::forget);
  c.door.nodes.forget(ino, count);
  fuse_reply_none(req);
}

void forget_multi(fuse_req_t req, size_t count, fuse_forget_data* forgets) {
  fuse_call c(req, fuse_request::forget);
  for (size_t i = 0; i < count; ++i) c.door.nodes.forget(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(req);
}

void mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev) {
  fuse_call c(req, fuse_request::mknod);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter(true)) return;
  Status s = sys_mknod(c.t(), *dir, name, mode, rdev);
  if (!s) return c.done(s);
  reply_created(c, *dir, name);
}

void mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  fuse_call c(req, fuse_request::mkdir);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter(true)) return;
  Status s = sys_mkdir(c.t(), *dir, name, mode);
  if (!s) return c.done(s);
  reply_created(c, *dir, name);
}

void symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  fuse_call c(req, fuse_request::symlink);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter()) return;
  Status s = sys_symlink(c.t(), target, *dir, name);
  if (!s) return c.done(s);
  reply_created(c, *dir, name);
}

void link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char* name) {
  fuse_call c(req, fuse_request::link);
  path_ref from = c.node(ino);
  if (!from) return;
  path_ref dir = c.node(new_parent);
  if (!dir || !c.enter()) return;
  Status s = sys_link(c.t(), *from, "", *dir, name, AT_EMPTY_PATH);
  if (!s) return c.done(s);
  reply_created(c, *dir, name);
}

void unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  fuse_call c(req, fuse_request::unlink);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter()) return;
  c.done(sys_unlink(c.t(), *dir, name, 0));
}

void rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  fuse_call c(req, fuse_request::rmdir);
  path_ref dir = c.node(parent);
  if (!dir || !c.enter()) return;
  c.done(sys_unlink(c.t(), *dir, name, AT_REMOVEDIR));
}

void rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  fuse_call c(req, fuse_request::rename);
  path_ref from = c.node(parent);
  if (!from) return;
  path_ref to = c.node(new_parent);
  if (!to || !c.enter()) return;
  c.done(sys_rename(c.t(), *from, name, *to, new_name, flags));
}

void readlink(fuse_req_t req, fuse_ino_t ino) {
  fuse_call c(req, fuse_request::readlink);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  Result<size_t> n = sys_readlink(c.t(), *p, "", c.w.buffer.get(), path_max);
  if (!n) return c.fail(n.code());
  c.w.buffer[*n] = '\0';
  fuse_reply_readlink(req, c.w.buffer.get());
}

}  // namespace fuse_handlers

HF_NAMESPACE_END
