// SPDX-License-Identifier: Apache-2.0
//
// A task: what a process is to the VFS. Root, working directory, umask, credentials, descriptors.
//
// 1. Nothing in Holdfast reads the real process's ids; whoever calls makes a task and says who it
//    is.
// 2. A task may be used by several threads at once only if it was created `shared`; then descriptor
//    look-ups take a reference and f_pos is locked.
// 3. A cred is immutable once published; changing a task's ids publishes another. Open files keep
//    theirs.
#pragma once

#include <span>

#include "holdfast/file.h"

HF_NAMESPACE_BEGIN

// Capabilities by their Linux numbers.
enum class capability : uint8_t {
  chown = 0,
  dac_override = 1,
  dac_read_search = 2,
  fowner = 3,
  fsetid = 4,
  setgid = 6,
  setuid = 7,
  linux_immutable = 9,
  sys_chroot = 18,
  sys_admin = 21,
  sys_resource = 24,
  mknod = 27,
  lease = 28,
};
inline constexpr uint64_t all_capabilities = (uint64_t{1} << 41) - 1;

struct cred {
  std::atomic<int64_t> usage{1};
  uid_t uid = 0, euid = 0, fsuid = 0;
  gid_t gid = 0, egid = 0, fsgid = 0;
  uint64_t caps = all_capabilities;  // bit per capability
  uint32_t ngroups = 0;
  gid_t* groups = nullptr;  // sorted
  rcu_head rcu;
  bool has(capability c) const { return caps >> static_cast<unsigned>(c) & 1; }
  bool in_group(gid_t g) const;
};
// A new cred with one reference, or null. uid 0 gets all capabilities, others none; set caps before
// use.
cred* create_cred(uid_t uid, gid_t gid, std::span<const gid_t> groups);
inline const cred* get_cred(const cred* c) {
  const_cast<cred*>(c)->usage.fetch_add(1, std::memory_order_relaxed);
  return c;
}
void put_cred(const cred* c);

struct fs_struct {
  spinlock<fs_struct_class> lock;
  // The rest is written under lock, read without: umask alone, the places by seq.
  seqcount seq;
  relaxed<umode_t> umask{022};
  std::atomic<vfsmount*> root_mnt{nullptr};
  std::atomic<dentry*> root_dent{nullptr};
  std::atomic<vfsmount*> pwd_mnt{nullptr};
  std::atomic<dentry*> pwd_dent{nullptr};
};

struct fdtable;
struct files_struct {
  std::atomic<fdtable*> fdt{nullptr};  // RCU readers; replaced under file_lock when it grows
  spinlock<file_table_class> file_lock;
  relaxed<unsigned> next_fd HF_GUARDED_BY(file_lock){0};
  unsigned max_open = 1u << 20;  // RLIMIT_NOFILE
};

struct task {
  const cred* cr = nullptr;
  fs_struct fs;
  files_struct files;
  mnt_namespace* ns = nullptr;
  bool shared = false;
  int32_t pid = 0;          // for people and lock listings
  uint32_t link_count = 0;  // nesting of symlinks in the walk of an outer operation
  loff_t rlimit_fsize = max_lfs_filesize;
  std::atomic<bool> interrupted{false};  // ends interruptible waits with EINTR
};

struct task_options {
  uid_t uid = 0;
  gid_t gid = 0;
  std::span<const gid_t> groups = {};
  bool shared = false;
  int32_t pid = 0;
};
// A task whose root and working directory are the namespace's root. Null: out of memory.
task* create_task(mnt_namespace& ns, const task_options& opt = {});
// Closes every descriptor, drops every reference, frees. No call may be in progress on it.
void destroy_task(task* t);
// Publishes other credentials (the task's reference passes in). Not while a call of the task is
// running.
void set_task_cred(task& t, const cred* c);

// The task that the running call works for; every sys_* sets it for its duration.
task& current();
class task_scope {
 public:
  explicit task_scope(task& t);
  ~task_scope();
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;

 private:
  task* prev_;
};

inline const cred& current_cred() {
  return *current().cr;
}

// Permission of the running task. inode_permission asks the file system and the mount's read-only
// state; generic_permission is the default (mode bits, ACLs, capabilities). Errors: EACCES, EPERM,
// EROFS, ECHILD.
Status inode_permission(const mnt_idmap& idmap, inode& i, unsigned mask);
Status generic_permission(const mnt_idmap& idmap, inode& i, unsigned mask);
bool inode_owner_or_capable(const mnt_idmap& idmap, const inode& i);
bool capable(capability c);
bool capable_wrt_inode(const mnt_idmap& idmap, const inode& i, capability c);
Status setattr_prepare(const mnt_idmap& idmap, dentry& d, iattr& attr);
void setattr_copy(const mnt_idmap& idmap, inode& i, const iattr& attr);

HF_NAMESPACE_END
