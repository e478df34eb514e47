// SPDX-License-Identifier: Apache-2.0
//
// What the request handlers share: the door, a worker, one call.
//
// 1. A worker is a thread with a task of its own, a cache of credentials and a buffer. A handler
//    runs on one worker from request to reply; nothing of a worker is shared but its counters.
// 2. A task's credentials have every capability that the kernel's checks replace: the request's
//    supplementary groups are not sent, so the answer here could only be wrong. The ids are the
//    caller's.
// 3. Every request is answered exactly once. What a reply gave to the kernel (a look-up, an open
//    file) is taken back when the reply did not arrive.
// 4. fi->fh of an open file is a handle of open_files, which owns the reference. The kernel hands
//    back only what it was given.
#pragma once

#include <fuse_lowlevel.h>

#include "holdfast/fuse.h"
#include "holdfast/syscalls.h"
#include "node_table.h"
#include "open_files.h"

HF_NAMESPACE_BEGIN

struct fuse_worker {
  static constexpr size_t buffer_size = size_t{1} << 20;
  static constexpr unsigned cached_creds = 8;

  task* t = nullptr;
  umode_t umask = 022;  // as last given to the task
  uid_t uid = 0;
  gid_t gid = 0;
  std::unique_ptr<char[]> buffer;
  struct {
    const cred* c = nullptr;
    uid_t uid = 0;
    gid_t gid = 0;
  } creds[cached_creds];
  unsigned next_cred = 0;  // the one to replace
  relaxed<uint64_t> requests[fuse_request_kinds];

  Status init(mnt_namespace& ns);  // ENOMEM
  // The task becomes this caller. Error ENOMEM.
  Status become(uid_t caller_uid, gid_t caller_gid);
  void destroy();
};

class fuse_door {
 public:
  fuse_options opt;
  node_table nodes;
  open_files files;
  fuse_session* session = nullptr;
  std::unique_ptr<fuse_worker[]> workers;
  unsigned worker_count = 0;
  int wake = -1;  // eventfd: INIT was answered, or a worker ended
  std::atomic<bool> initialised{false};
  std::atomic<unsigned> running{0};
};

extern const fuse_lowlevel_ops fuse_door_operations;
void fuse_door_init(void* userdata, fuse_conn_info* conn);

// The worker of this thread.
fuse_worker& this_fuse_worker();
void set_this_fuse_worker(fuse_worker* w);

// A request on its way: who asks, for whom the task works.
class fuse_call {
 public:
  fuse_call(fuse_req_t r, fuse_request kind)
      : req(r), door(*static_cast<fuse_door*>(fuse_req_userdata(r))), w(this_fuse_worker()) {
    relaxed<uint64_t>& n = w.requests[static_cast<size_t>(kind)];
    n += 1;
  }
  // The task with the caller's ids (and umask, for what creates). Null: the error was replied.
  bool enter(bool creates = false);
  // The place of a node; empty: the error was replied.
  path_ref node(fuse_ino_t id) {
    Result<path_ref> p = door.nodes.find(id);
    if (!p) {
      fail(p.code());
      return {};
    }
    return std::move(p).value();
  }
  task& t() { return *w.t; }

  void fail(int code) { fuse_reply_err(req, code); }
  void done(const Status& s) { fuse_reply_err(req, s.code()); }
  // Replies with the object as a new name of it: counts a look-up. `fi`: of CREATE, its file open.
  void entry(path_ref p, fuse_file_info* fi = nullptr);
  void attr(const path& p);
  // Prepares an entry, the look-up counted. Error: nothing was counted.
  Status fill_entry(path_ref p, fuse_entry_param& e);

  fuse_req_t req;
  fuse_door& door;
  fuse_worker& w;
};

struct stat to_stat(const kstat& k);
inline file& file_of(const fuse_file_info* fi) {
  return open_files::of(fi->fh);
}
// Hands the file's reference to the door's table. Error ENOMEM: the file was closed.
Status set_open_reply(fuse_door& door, file* f, fuse_file_info& fi);

HF_NAMESPACE_END
