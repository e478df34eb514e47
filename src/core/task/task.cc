// SPDX-License-Identifier: Apache-2.0
//
// Tasks: made, entered, ended.
//
// 1. A task holds a reference on its credentials, on its namespace, and two on each of root and
//    working directory's mount and dentry (one of each per path).
// 2. The running task is the execution context's: whoever works for a task borrows or enters it.
#include <cerrno>
#include <new>

#include "core/file/fdtable.h"

HF_NAMESPACE_BEGIN

namespace {

void set_path(std::atomic<vfsmount*>& mnt, std::atomic<dentry*>& dent, const path& p) {
  path_get(p);
  mnt.store(p.mnt, std::memory_order_release);
  dent.store(p.dent, std::memory_order_release);
}

void drop_path(std::atomic<vfsmount*>& mnt, std::atomic<dentry*>& dent) {
  const path p{mnt.exchange(nullptr), dent.exchange(nullptr)};
  path_put(p);
}

}  // namespace

task* create_task(mnt_namespace& ns, const task_options& opt) {
  task* t = new (std::nothrow) task;
  if (t == nullptr) return nullptr;
  t->cr = create_cred(opt.uid, opt.gid, opt.groups);
  if (t->cr == nullptr || !init_files(t->files).ok()) {
    put_cred(t->cr);
    delete t;
    return nullptr;
  }
  t->shared = opt.shared;
  t->pid = opt.pid;
  t->ns = get_mnt_ns(&ns);
  const path root = mnt_ns_root(ns);
  set_path(t->fs.root_mnt, t->fs.root_dent, root);
  set_path(t->fs.pwd_mnt, t->fs.pwd_dent, root);
  return t;
}

void destroy_task(task* t) {
  if (t == nullptr) return;
  {
    task_scope scope(*t);
    for (unsigned end = highest_fd(*t); end > 0; end = highest_fd(*t)) {
      Result<file*> f = take_fd(*t, static_cast<int>(end - 1));
      if (f.ok())
        (void)filp_close(*f);  // nobody is left to tell
      else
        put_unused_fd(*t, static_cast<int>(end - 1));
    }
    drop_path(t->fs.pwd_mnt, t->fs.pwd_dent);
    drop_path(t->fs.root_mnt, t->fs.root_dent);
    destroy_files(t->files);
    put_mnt_ns(t->ns);
  }
  put_cred(t->cr);
  delete t;
}

void set_task_cred(task& t, const cred* c) {
  const cred* old = t.cr;
  t.cr = c;
  put_cred(old);
}

task& current() {
  task* t = this_context().task;
  assert(t != nullptr);
  return *t;
}

task_scope::task_scope(task& t) : prev_(this_context().task) {
  this_context().task = &t;
}

task_scope::~task_scope() {
  this_context().task = prev_;
}

HF_NAMESPACE_END
