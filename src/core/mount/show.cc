// SPDX-License-Identifier: Apache-2.0
//
// The list of mounts as people and programs see it (the columns of proc(5), mountinfo).
#include <algorithm>
#include <cstring>

#include "core/dentry/dcache.h"
#include "core/dispatch/super_ops.h"
#include "core/mount/mount_internal.h"
#include "holdfast/file.h"

HF_NAMESPACE_BEGIN

namespace {

template <size_t N>
void copy_text(char (&to)[N], std::string_view from) {
  const size_t n = std::min(from.size(), N - 1);
  std::memcpy(to, from.data(), n);
  to[n] = '\0';
}

void show_flags(seq_file& s, const mount& m) {
  struct flag_name {
    unsigned flag;
    const char* name;
  };
  static constexpr flag_name of_mount[] = {
      {mnt_nosuid, ",nosuid"},          {mnt_nodev, ",nodev"},
      {mnt_noexec, ",noexec"},          {mnt_noatime, ",noatime"},
      {mnt_relatime, ",relatime"},      {mnt_nodiratime, ",nodiratime"},
      {mnt_nosymfollow, ",nosymfollow"}};
  static constexpr flag_name of_super[] = {{sb_synchronous, ",sync"},
                                           {sb_dirsync, ",dirsync"},
                                           {sb_mandlock, ",mand"},
                                           {sb_lazytime, ",lazytime"}};
  s.put(mnt_is_readonly(m.mnt) ? "ro" : "rw");
  for (const flag_name& f : of_mount)
    if (m.mnt.mnt_flags & f.flag) s.put(f.name);
  for (const flag_name& f : of_super)
    if (m.mnt.mnt_sb->s_flags & f.flag) s.put(f.name);
}

// Writes the way from the namespace's root down to m before `end`; returns its first byte, or null
// if it doesn't fit. namespace_sem is held; renames are noticed by the caller.
char* place_of(const mount& m, char* begin, char* end) {
  char* p = end;
  const mount* at = &m;
  const dentry* d = m.mnt.mnt_root;
  for (;;) {
    if (d == at->mnt.mnt_root) {
      const mount* parent = at->mnt_parent;
      if (parent == at) break;
      d = at->mnt_mountpoint;
      at = parent;
      continue;
    }
    const dentry* up = d->parent();
    if (up == d) break;  // unlinked from above: as far as it goes
    const std::string_view name = d->name();
    if (static_cast<size_t>(p - begin) < name.size() + 1) return nullptr;
    p -= name.size();
    std::memcpy(p, name.data(), name.size());
    *--p = '/';
    d = up;
  }
  if (p == end) {
    if (p == begin) return nullptr;
    *--p = '/';
  }
  return p;
}

void show_place(const mount& m, mount_info& info) {
  char buf[sizeof info.mountpoint];
  for (;;) {
    rcu_read_guard rcu;
    const uint32_t seq = rename_lock.read_begin();
    const char* p = place_of(m, buf, buf + sizeof buf - 1);
    if (rename_lock.read_retry(seq)) continue;
    copy_text(
        info.mountpoint,
        p != nullptr ? std::string_view(p, static_cast<size_t>(buf + sizeof buf - 1 - p)) : "");
    return;
  }
}

}  // namespace

void for_each_mount(mnt_namespace& ns, void (*fn)(const mount_info&, void*), void* arg) {
  shared_guard g(namespace_sem);
  for (mount& m : entries<&mount::mnt_list>(ns.list)) {
    mount_info info{};
    const super_block& sb = *m.mnt.mnt_sb;
    info.id = m.id;
    const mount* parent = m.mnt_parent;
    info.parent_id = parent->id;
    info.dev = sb.s_dev;
    copy_text(info.type, sb.s_type->name);
    copy_text(info.source, m.devname);
    seq_file options{info.options, sizeof info.options - 1, 0, false};
    show_flags(options, m);
    (void)super_ops::show_options(options, *m.mnt.mnt_root);  // what is missing is missing
    info.options[options.count] = '\0';
    show_place(m, info);
    fn(info, arg);
  }
}

HF_NAMESPACE_END
