// SPDX-License-Identifier: Apache-2.0
//
// stat and its kin, readlink, and lookups for callers that keep the path.
#include <linux/stat.h>

#include <climits>

#include "core/inode/atime.h"
#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr uint32_t basic_stats = STATX_BASIC_STATS;

unsigned flags_of(int at_flags) {
  return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : lookup_follow) |
         (at_flags & AT_EMPTY_PATH ? lookup_empty : 0);
}

}  // namespace

Status getattr_of(const path& p, kstat& st, uint32_t request_mask, unsigned query_flags) {
  st = {};
  if (Status s = inode_ops::getattr(*p.mnt->idmap, p, st, request_mask, query_flags); !s.ok())
    return s;
  st.mnt_id = real_mount(*p.mnt).id;
  return {};
}

Result<path_ref> user_path_at(task& t, at where, std::string_view name, unsigned flags) {
  task_scope scope(t);
  operation_scope op("lookup", name);
  return filename_lookup(where, name, flags);
}

Status sys_stat(task& t, at where, std::string_view name, int at_flags, kstat& st) {
  task_scope scope(t);
  operation_scope op("stat", name);
  // stat never triggers automounts, so AT_NO_AUTOMOUNT says nothing new.
  if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) [[unlikely]]
    return Error(EINVAL);
  return filename_getattr(where, name, flags_of(at_flags), basic_stats, 0, st);
}

Status sys_fstat(task& t, int fd, kstat& st) {
  task_scope scope(t);
  operation_scope op("fstat", fd_text(fd).view());
  fd_ref f(t, fd, true);
  if (!f) return Error(EBADF);
  return getattr_of(f->f_path, st, basic_stats, 0);
}

Status vfs_getattr_path(task& t, const path& p, kstat& st) {
  task_scope scope(t);
  operation_scope op("getattr");
  return getattr_of(p, st, basic_stats, 0);
}

Result<size_t> sys_readlink(task& t, at where, std::string_view name, char* buf, size_t size) {
  task_scope scope(t);
  operation_scope op("readlink", name);
  if (size == 0 || size > INT_MAX) return Error(EINVAL);
  // An empty name reads the link that an O_PATH descriptor stands for.
  Result<path_ref> p = filename_lookup(where, name, lookup_empty);
  if (!p.ok()) return p.error();
  dentry& d = *(*p)->dent;
  inode& i = *d.inode_ptr();
  if (!i.is_lnk() && !i.i_op->readlink) return Error(name.empty() ? ENOENT : EINVAL);
  file_accessed(**p, 0);
  return inode_ops::readlink(d, buf, size);
}

HF_NAMESPACE_END
