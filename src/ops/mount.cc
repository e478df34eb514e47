// SPDX-License-Identifier: Apache-2.0
//
// mount(2) and umount(2): permission, the split of MS_* flags between mount and superblock, and the
// choice among the things mount(2) can do. New mounts and remounts are done; bind mounts, moves and
// propagation changes are refused with EINVAL.
#include <sys/mount.h>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

// Not in every libc's sys/mount.h; values of linux/mount.h.
constexpr unsigned long ms_nosymfollow = 256;
constexpr unsigned long ms_nouser = 1ul << 31;
constexpr unsigned long ms_lazytime = 1ul << 25;
constexpr unsigned long ms_posixacl = 1ul << 16;
constexpr unsigned long ms_magic_mask = 0xffff0000;
constexpr unsigned long ms_magic = 0xC0ED0000;
constexpr unsigned atime_mask = mnt_noatime | mnt_nodiratime | mnt_relatime;
constexpr unsigned long unsupported =
    MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

unsigned mount_flags(unsigned long ms, const vfsmount& at_mount) {
  unsigned f = ms & MS_NOATIME ? 0 : mnt_relatime;
  if (ms & MS_NOSUID) f |= mnt_nosuid;
  if (ms & MS_NODEV) f |= mnt_nodev;
  if (ms & MS_NOEXEC) f |= mnt_noexec;
  if (ms & MS_NOATIME) f |= mnt_noatime;
  if (ms & MS_NODIRATIME) f |= mnt_nodiratime;
  if (ms & MS_STRICTATIME) f &= ~(mnt_relatime | mnt_noatime);
  if (ms & MS_RDONLY) f |= mnt_readonly;
  if (ms & ms_nosymfollow) f |= mnt_nosymfollow;
  // A remount that says nothing about access times keeps what there is.
  if ((ms & MS_REMOUNT) && !(ms & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
    f = (f & ~atime_mask) | (at_mount.mnt_flags & atime_mask);
  return f;
}

unsigned superblock_flags(unsigned long ms) {
  constexpr unsigned long mask = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC | MS_SILENT |
                                 ms_posixacl | ms_lazytime | MS_I_VERSION;
  return static_cast<unsigned>(ms & mask);
}

}  // namespace

Status sys_mount(task& t, std::string_view source, std::string_view target, std::string_view type,
                 unsigned long ms_flags, std::string_view data) {
  task_scope scope(t);
  operation_scope op("mount", source, target);
  Result<path_ref> where = filename_lookup(at_cwd, target, lookup_follow);
  if (!where.ok()) return where.error();
  unsigned long ms = ms_flags;
  if ((ms & ms_magic_mask) == ms_magic) ms &= ~ms_magic_mask;
  if (ms & ms_nouser) return Error(EINVAL);
  if (!capable(capability::sys_admin)) return Error(EPERM);
  const unsigned mnt = mount_flags(ms, *(*where)->mnt);
  const unsigned sb = superblock_flags(ms);
  if ((ms & (MS_REMOUNT | MS_BIND)) == (MS_REMOUNT | MS_BIND))
    return do_reconfigure_mnt(**where, mnt);
  if (ms & unsupported) return Error(EINVAL);
  if (ms & MS_REMOUNT) return do_remount(**where, sb, mnt, data);
  if (type.empty()) return Error(EINVAL);
  return do_new_mount(**where, type, sb, mnt, source, data);
}

Status sys_umount(task& t, std::string_view target, int flags) {
  task_scope scope(t);
  operation_scope op("umount", target);
  if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) return Error(EINVAL);
  unsigned lookup = lookup_mountpoint | (flags & UMOUNT_NOFOLLOW ? 0 : lookup_follow);
  Result<path_ref> where = filename_lookup(at_cwd, target, lookup);
  if (!where.ok()) return where.error();
  const path& p = **where;
  if (!capable(capability::sys_admin)) return Error(EPERM);
  if (p.dent != p.mnt->mnt_root) return Error(EINVAL);
  if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH))) return Error(EINVAL);
  return do_umount(p, flags);
}

HF_NAMESPACE_END
