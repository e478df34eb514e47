// SPDX-License-Identifier: Apache-2.0
//
// statfs(2): what the file system says, and the flags of mount and superblock.
#include <sys/statvfs.h>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr long st_valid = 0x0020;
constexpr long st_nosymfollow = 0x2000;

long flags_of(const vfsmount& m) {
  const unsigned f = m.mnt_flags;
  const unsigned s = m.mnt_sb->s_flags;
  long r = st_valid;
  if ((f & mnt_readonly) || (s & sb_rdonly)) r |= ST_RDONLY;
  if (f & mnt_nosuid) r |= ST_NOSUID;
  if (f & mnt_nodev) r |= ST_NODEV;
  if (f & mnt_noexec) r |= ST_NOEXEC;
  if (f & mnt_noatime) r |= ST_NOATIME;
  if (f & mnt_nodiratime) r |= ST_NODIRATIME;
  if (f & mnt_relatime) r |= ST_RELATIME;
  if (f & mnt_nosymfollow) r |= st_nosymfollow;
  if (s & sb_synchronous) r |= ST_SYNCHRONOUS;
  if (s & sb_mandlock) r |= ST_MANDLOCK;
  return r;
}

Status statfs_of(const path& p, kstatfs& st) {
  st = {};
  if (Status s = super_ops::statfs(*p.dent, st); !s.ok()) return s;
  if (st.f_frsize == 0) st.f_frsize = st.f_bsize;
  st.f_flags = flags_of(*p.mnt);
  return {};
}

}  // namespace

Status sys_statfs(task& t, at where, std::string_view name, kstatfs& st) {
  task_scope scope(t);
  operation_scope op("statfs", name);
  // A door asks with the path itself, which an empty name then stands for.
  const unsigned flags = lookup_follow | lookup_automount | (where.base ? lookup_empty : 0);
  Result<path_ref> p = filename_lookup(where, name, flags);
  if (!p.ok()) return p.error();
  return statfs_of(**p, st);
}

Status sys_fstatfs(task& t, int fd, kstatfs& st) {
  task_scope scope(t);
  operation_scope op("fstatfs", fd_text(fd).view());
  fd_ref f(t, fd, true);
  if (!f) return Error(EBADF);
  return statfs_of(f->f_path, st);
}

HF_NAMESPACE_END
