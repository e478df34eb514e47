// SPDX-License-Identifier: Apache-2.0
//
// What a task's own view is made of: working directory, root, umask.
#include "ops/fs_struct.h"

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

path_ref get_place(fs_struct& fs, std::atomic<vfsmount*>& mnt, std::atomic<dentry*>& dent) {
  exclusive_guard g(fs.lock);
  return path_ref::share(
      {mnt.load(std::memory_order_relaxed), dent.load(std::memory_order_relaxed)});
}

void set_place(fs_struct& fs, std::atomic<vfsmount*>& mnt, std::atomic<dentry*>& dent,
               const path& p) {
  path_ref old;
  path_get(p);
  {
    exclusive_guard g(fs.lock);
    old = path_ref::adopt(
        {mnt.load(std::memory_order_relaxed), dent.load(std::memory_order_relaxed)});
    fs.seq.write_begin();
    mnt.store(p.mnt, std::memory_order_release);
    dent.store(p.dent, std::memory_order_release);
    fs.seq.write_end();
  }
}

Status may_enter(const path& p) {
  return inode_permission(*p.mnt->idmap, *p.dent->inode_ptr(), may_exec | may_chdir);
}

}  // namespace

path_ref get_fs_root(fs_struct& fs) {
  return get_place(fs, fs.root_mnt, fs.root_dent);
}
path_ref get_fs_pwd(fs_struct& fs) {
  return get_place(fs, fs.pwd_mnt, fs.pwd_dent);
}
void set_fs_root(fs_struct& fs, const path& p) {
  set_place(fs, fs.root_mnt, fs.root_dent, p);
}
void set_fs_pwd(fs_struct& fs, const path& p) {
  set_place(fs, fs.pwd_mnt, fs.pwd_dent, p);
}

Status sys_chdir(task& t, std::string_view name) {
  task_scope scope(t);
  operation_scope op("chdir", name);
  Result<path_ref> p = filename_lookup(at_cwd, name, lookup_follow | lookup_directory);
  if (!p.ok()) return p.error();
  if (Status s = may_enter(**p); !s.ok()) return s;
  set_fs_pwd(t.fs, **p);
  return {};
}

Status sys_fchdir(task& t, int fd) {
  task_scope scope(t);
  operation_scope op("fchdir", fd_text(fd).view());
  fd_ref f(t, fd, true);
  if (!f) return Error(EBADF);
  if (!f->f_path.dent->is_dir()) return Error(ENOTDIR);
  if (Status s = may_enter(f->f_path); !s.ok()) return s;
  set_fs_pwd(t.fs, f->f_path);
  return {};
}

Status sys_chroot(task& t, std::string_view name) {
  task_scope scope(t);
  operation_scope op("chroot", name);
  Result<path_ref> p = filename_lookup(at_cwd, name, lookup_follow | lookup_directory);
  if (!p.ok()) return p.error();
  if (Status s = may_enter(**p); !s.ok()) return s;
  if (!capable(capability::sys_chroot)) return Error(EPERM);
  set_fs_root(t.fs, **p);
  return {};
}

umode_t sys_umask(task& t, umode_t mask) {
  task_scope scope(t);
  operation_scope op("umask");
  exclusive_guard g(t.fs.lock);
  const umode_t old = t.fs.umask;
  t.fs.umask = mask & 0777;
  return old;
}

HF_NAMESPACE_END
