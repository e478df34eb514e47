// SPDX-License-Identifier: Apache-2.0
//
// The FUSE door: a mount namespace of Holdfast, seen through a mount of the running kernel.
//
// 1. fuse_serve() mounts, serves with several threads, unmounts, and returns when everything it
//    started has ended. It may be called once at a time in a process: SIGTERM, SIGINT and SIGHUP
//    belong to it meanwhile.
// 2. The kernel checks permissions (default_permissions, POSIX ACLs) and applies the callers'
//    credentials; Holdfast is told the caller's ids, which own what is created.
// 3. The namespace's reference stays the caller's. Nobody else may change it while `timeout` is
//    long: the kernel would not notice.
#pragma once

#include "holdfast/mount.h"

HF_NAMESPACE_BEGIN

// Kinds of requests, as counted.
#define HOLDFAST_FUSE_REQUESTS(X) \
  X(lookup)                       \
  X(forget)                       \
  X(getattr)                      \
  X(setattr)                      \
  X(readlink)                     \
  X(mknod)                        \
  X(mkdir)                        \
  X(unlink)                       \
  X(rmdir)                        \
  X(symlink)                      \
  X(rename)                       \
  X(link)                         \
  X(create)                       \
  X(open)                         \
  X(read)                         \
  X(write)                        \
  X(flush)                        \
  X(release)                      \
  X(fsync)                        \
  X(opendir)                      \
  X(readdir)                      \
  X(readdirplus)                  \
  X(releasedir)                   \
  X(fsyncdir)                     \
  X(statfs)                       \
  X(setxattr)                     \
  X(getxattr)                     \
  X(listxattr)                    \
  X(removexattr)                  \
  X(fallocate)                    \
  X(lseek)                        \
  X(ioctl)

enum class fuse_request : uint8_t {
#define HF_FUSE_ID(name) name,
  HOLDFAST_FUSE_REQUESTS(HF_FUSE_ID)
#undef HF_FUSE_ID
};
#define HF_FUSE_ONE(name) +1
inline constexpr size_t fuse_request_kinds = 0 HOLDFAST_FUSE_REQUESTS(HF_FUSE_ONE);
#undef HF_FUSE_ONE
const char* fuse_request_name(fuse_request kind);

class fuse_door;

struct fuse_options {
  mnt_namespace* ns = nullptr;      // what is served: its root
  const char* mountpoint = "";      // an existing directory of the running kernel's
  const char* source = "holdfast";  // shown as the source in /proc/mounts
  const char* type = "";            // shown as fuse.holdfast.<type>
  const char* kernel_options =
      "";                // for mount(2) as in `-o`: "ro,noatime"; every one must be the kernel's
  unsigned workers = 0;  // threads; 0: as many as CPUs and two more, at least four
  // Seconds for which the kernel may believe names and attributes. Long is right while this mount
  // is the only way to the file system.
  double timeout = 3600;
  bool allow_other = false;  // other users may enter; without root, /etc/fuse.conf must permit it
  bool writeback_cache =
      false;  // the kernel gathers writes; times and sizes then come from the kernel
  // Called once, from the serving thread, when requests are answered.
  void (*live)(fuse_door& door, void* arg) = nullptr;
  // Called when no request will come any more, before the door goes away; only after `live`.
  void (*down)(fuse_door& door, void* arg) = nullptr;
  void* arg = nullptr;
};

// Serves until the mount is gone, whoever unmounts it, or a signal asks for the end. The value is
// the signal that ended it, or 0. Errors: EINVAL (options), ENOMEM, EAGAIN (no threads), EIO (the
// kernel refused the mount; the reason is on stderr).
Result<int> fuse_serve(const fuse_options& opt);

// What a live door has done; callable from any thread between `live` and the end of `down`.
struct fuse_status {
  uint64_t requests[fuse_request_kinds] = {};
  uint64_t unknown_nodes = 0;  // requests about nodes that the kernel was not told about
  size_t nodes = 0;            // objects that the kernel holds, the root included
  uint64_t lookups = 0;        // the sum of their lookup counts, the root's left out
  unsigned workers = 0;
};
fuse_status fuse_door_status(const fuse_door& door);

HF_NAMESPACE_END
