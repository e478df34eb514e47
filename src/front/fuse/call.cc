// SPDX-License-Identifier: Apache-2.0
//
// Workers and calls: becoming the caller, common replies. Invariants: door.h.
#include <cerrno>
#include <new>

#include "door.h"

HF_NAMESPACE_BEGIN

namespace {

thread_local fuse_worker* current_worker = nullptr;

timespec to_timespec(const timespec64& t) {
  return {.tv_sec = t.tv_sec, .tv_nsec = static_cast<long>(t.tv_nsec)};
}

}  // namespace

fuse_worker& this_fuse_worker() {
  return *current_worker;
}

void set_this_fuse_worker(fuse_worker* w) {
  current_worker = w;
}

Status fuse_worker::init(mnt_namespace& ns) {
  buffer.reset(new (std::nothrow) char[buffer_size]);
  t = create_task(ns);
  if (!buffer || t == nullptr) return Error(ENOMEM);
  t->rlimit_fsize = max_lfs_filesize;
  umask = 0;
  sys_umask(*t, 0);
  return {};
}

Status fuse_worker::become(uid_t caller_uid, gid_t caller_gid) {
  if (uid == caller_uid && gid == caller_gid) return {};
  const cred* found = nullptr;
  for (auto& slot : creds) {
    if (slot.c != nullptr && slot.uid == caller_uid && slot.gid == caller_gid) found = slot.c;
  }
  if (found == nullptr) {
    cred* c = create_cred(caller_uid, caller_gid, {});
    if (c == nullptr) return Error(ENOMEM);
    c->caps = all_capabilities;
    // These two decide what is shown and what is left for root, not whether an access is permitted.
    if (caller_uid != 0) {
      c->caps &= ~(uint64_t{1} << static_cast<unsigned>(capability::sys_admin));
      c->caps &= ~(uint64_t{1} << static_cast<unsigned>(capability::sys_resource));
    }
    auto& slot = creds[next_cred++ % cached_creds];
    if (slot.c != nullptr) put_cred(slot.c);
    slot = {.c = c, .uid = caller_uid, .gid = caller_gid};
    found = c;
  }
  set_task_cred(*t, get_cred(found));
  uid = caller_uid;
  gid = caller_gid;
  return {};
}

void fuse_worker::destroy() {
  if (t != nullptr) destroy_task(t);
  t = nullptr;
  for (auto& slot : creds) {
    if (slot.c != nullptr) put_cred(slot.c);
    slot = {};
  }
  buffer.reset();
}

bool fuse_call::enter(bool creates) {
  const fuse_ctx* ctx = fuse_req_ctx(req);
  if (Status s = w.become(ctx->uid, ctx->gid); !s) {
    fail(s.code());
    return false;
  }
  if (creates && w.umask != ctx->umask) {
    w.umask = ctx->umask;
    sys_umask(*w.t, ctx->umask);
  }
  return true;
}

struct stat to_stat(const kstat& k) {
  struct stat st{};
  st.st_ino = k.ino;
  st.st_mode = k.mode;
  st.st_nlink = k.nlink;
  st.st_uid = k.uid;
  st.st_gid = k.gid;
  st.st_rdev = k.rdev;
  st.st_size = k.size;
  st.st_blksize = static_cast<blksize_t>(k.blksize);
  st.st_blocks = static_cast<blkcnt_t>(k.blocks);
  st.st_atim = to_timespec(k.atime);
  st.st_mtim = to_timespec(k.mtime);
  st.st_ctim = to_timespec(k.ctime);
  return st;
}

Status fuse_call::fill_entry(path_ref p, fuse_entry_param& e) {
  kstat k;
  HF_TRY(vfs_getattr_path(t(), *p, k));
  uint32_t generation = p->dent->inode_ptr()->i_generation;
  HF_TRY_ASSIGN(uint64_t id, door.nodes.remember(std::move(p)));
  e = {};
  e.ino = id;
  e.generation = generation;
  e.attr = to_stat(k);
  e.attr_timeout = door.opt.timeout;
  e.entry_timeout = door.opt.timeout;
  return {};
}

void fuse_call::entry(path_ref p, fuse_file_info* fi) {
  fuse_entry_param e;
  if (Status s = fill_entry(std::move(p), e); !s) {
    if (fi != nullptr) door.files.drop(fi->fh);
    return fail(s.code());
  }
  int sent = fi != nullptr ? fuse_reply_create(req, &e, fi) : fuse_reply_entry(req, &e);
  if (sent == 0) return;
  // The caller was killed meanwhile: the kernel threw the reply away.
  door.nodes.forget(e.ino, 1);
  if (fi != nullptr) door.files.drop(fi->fh);
}

void fuse_call::attr(const path& p) {
  kstat k;
  if (Status s = vfs_getattr_path(t(), p, k); !s) return fail(s.code());
  struct stat st = to_stat(k);
  fuse_reply_attr(req, &st, door.opt.timeout);
}

Status set_open_reply(fuse_door& door, file* f, fuse_file_info& fi) {
  const bool flushes = f->f_op->flush != nullptr;
  HF_TRY_ASSIGN(fi.fh, door.files.add(f));
  fi.keep_cache = door.opt.timeout > 0;
  // Without a ->flush nothing can go wrong at close that was not reported before, so it needs no
  // request.
  fi.noflush = !flushes;
  return {};
}

HF_NAMESPACE_END
