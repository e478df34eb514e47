// SPDX-License-Identifier: Apache-2.0
//
// From a path to its text, as seen from the running task's root: getcwd(2) and d_path.
//
// 1. The text grows from the end of the buffer, component by component, upwards through dentries
//    and mounts.
// 2. It is read under RCU without locks, and read again if rename_lock or mount_lock moved
//    meanwhile; the bytes of a name stay valid in the RCU section.
// 3. A place that can't be reached from the root says so: "(unreachable)" in front. A name that is
//    gone has " (deleted)" behind it.
#include <cstring>

#include "core/dentry/dcache.h"
#include "core/dispatch/dentry_ops.h"
#include "ops/fs_struct.h"
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

struct backwards {
  char* begin;
  char* p;  // first byte of what was written
  bool full = false;
  void put(std::string_view s) {
    if (full || s.size() > static_cast<size_t>(p - begin)) {
      full = true;
      return;
    }
    p -= s.size();
    std::memcpy(p, s.data(), s.size());
  }
};

enum class reach : uint8_t { root, top, detached };

// One attempt; the caller re-checks the sequences. In an RCU section.
reach climb(const path& from, const path& root, backwards& out) {
  const dentry* d = from.dent;
  const mount* m = &real_mount(*from.mnt);
  while (d != root.dent || &m->mnt != root.mnt) {
    const dentry* parent = d->parent();
    if (d == m->mnt.mnt_root) {
      const mount* above = m->mnt_parent;
      if (above == m) return m->mnt_ns ? reach::top : reach::detached;
      d = m->mnt_mountpoint;
      m = above;
      continue;
    }
    if (d == parent) return reach::detached;  // a tree of its own: moved out from under its mount
    out.put(d->name());
    out.put("/");
    d = parent;
  }
  return reach::root;
}

reach write_path(const path& from, const path& root, backwards& out) {
  const backwards start = out;
  for (;;) {
    rcu_read_guard rcu;
    out = start;
    const uint32_t names = rename_lock.read_begin();
    const uint32_t mounts = mount_lock.read_begin();
    const reach r = climb(from, root, out);
    if (!rename_lock.read_retry(names) && !mount_lock.read_retry(mounts)) {
      if (out.p == start.p) out.put("/");
      return r;
    }
  }
}

bool is_deleted(const dentry& d) {
  return d_unhashed(d) && !d.is_root();
}

}  // namespace

Result<size_t> sys_getcwd(task& t, char* buf, size_t size) {
  task_scope scope(t);
  operation_scope op("getcwd");
  path_ref pwd = get_fs_pwd(t.fs);
  path_ref root = get_fs_root(t.fs);
  if (is_deleted(*pwd->dent)) return Error(ENOENT);
  char text[path_max];
  backwards out{text, text + sizeof text};
  out.put({"", 1});
  if (write_path(*pwd, *root, out) != reach::root) out.put("(unreachable)");
  if (out.full) return Error(ENAMETOOLONG);
  const size_t len = static_cast<size_t>(text + sizeof text - out.p);
  if (len > size) return Error(ERANGE);
  std::memcpy(buf, out.p, len);
  return len;
}

Result<std::string_view> d_path(task& t, const path& p, char* buf, size_t size) {
  task_scope scope(t);
  operation_scope op("d_path");
  dentry& d = *p.dent;
  if (size == 0) return Error(ENAMETOOLONG);
  if (d.d_op && d.d_op->d_dname && (!d.is_root() || &d != p.mnt->mnt_root)) {
    Result<char*> r = dentry_ops::d_dname(d, buf, size);
    if (!r.ok()) return r.error();
    return std::string_view(*r);
  }
  path_ref root = get_fs_root(t.fs);
  backwards out{buf, buf + size};
  out.put({"", 1});
  if (is_deleted(d)) out.put(" (deleted)");
  const char* end = buf + size - 1;
  write_path(p, *root, out);
  if (out.full) return Error(ENAMETOOLONG);
  return std::string_view(out.p, static_cast<size_t>(end - out.p));
}

HF_NAMESPACE_END
