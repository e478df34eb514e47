// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes: who may see and change which (xattr(7)), sizes, and the way to a handler.
//
// 1. Namespaces: user.* needs access to the file's data, trusted.* CAP_SYS_ADMIN; writing
//    security.* needs CAP_SYS_ADMIN too (there is no security module to decide). system.* is the
//    handler's.
// 2. A change holds write access to the mount, then i_rwsem; reading holds nothing.
#include <sys/xattr.h>

#include <memory>
#include <new>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr size_t value_max = 65536;
constexpr size_t list_max = 65536;
constexpr std::string_view user_prefix = "user.";
constexpr std::string_view trusted_prefix = "trusted.";
constexpr std::string_view security_prefix = "security.";
constexpr std::string_view system_prefix = "system.";
constexpr std::string_view caps_name = "security.capability";
constexpr auto cap_setfcap = static_cast<capability>(31);

Status check_name(std::string_view attr) {
  if (attr.find('\0') != std::string_view::npos) return Error(EINVAL);
  if (attr.empty() || attr.size() > name_max) return Error(ERANGE);
  return {};
}

Result<path_ref> lookup_target(at where, std::string_view name, int at_flags) {
  if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return Error(EINVAL);
  unsigned flags = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : lookup_follow;
  if (at_flags & AT_EMPTY_PATH) flags |= lookup_empty;
  return filename_lookup(where, name, flags);
}

Status may_access_xattr(const mnt_idmap& idmap, inode& i, std::string_view attr, unsigned mask) {
  const bool write = mask & may_write;
  if (write && (i.i_flags & (s_immutable | s_append))) return Error(EPERM);
  if (attr.starts_with(security_prefix) || attr.starts_with(system_prefix)) return {};
  if (attr.starts_with(trusted_prefix)) {
    if (capable(capability::sys_admin)) return {};
    return Error(write ? EPERM : ENODATA);
  }
  if (attr.starts_with(user_prefix)) {
    if (!i.is_reg() && !i.is_dir()) return Error(write ? EPERM : ENODATA);
    if (write && i.is_dir() && (i.i_mode & S_ISVTX) && !inode_owner_or_capable(idmap, i))
      return Error(EPERM);
  }
  return inode_permission(idmap, i, mask);
}

// Without a security module only privileged callers write attributes that one would trust.
Status may_write_security(const mnt_idmap& idmap, const inode& i, std::string_view attr) {
  if (!attr.starts_with(security_prefix)) return {};
  if (attr == caps_name)
    return capable_wrt_inode(idmap, i, cap_setfcap) ? Status{} : Status(Error(EPERM));
  return capable(capability::sys_admin) ? Status{} : Status(Error(EPERM));
}

// File capabilities have one of two published layouts; anything else would be misread later.
bool valid_file_caps(const void* value, size_t size) {
  if (size < 4) return false;
  const auto* p = static_cast<const unsigned char*>(value);
  const unsigned revision = p[3];
  return (revision == 2 && size == 20) || (revision == 3 && size == 24);
}

Result<const xattr_handler*> find_handler(const inode& i, std::string_view& attr) {
  if (!i.i_sb->s_xattr) return Error(EOPNOTSUPP);
  if (const xattr_handler* h = xattr_ops::find_handler(*i.i_sb, attr)) return h;
  for (const xattr_handler* const* h = i.i_sb->s_xattr; *h; ++h) {
    if ((*h)->prefix && attr == (*h)->prefix) return Error(EINVAL);  // a prefix alone names nothing
  }
  return Error(EOPNOTSUPP);
}

Status set_locked(const path& p, inode& i, std::string_view attr, const void* value, size_t size,
                  int flags) HF_REQUIRES(i.i_rwsem) {
  const mnt_idmap& idmap = *p.mnt->idmap;
  if (Status s = may_access_xattr(idmap, i, attr, may_write); !s.ok()) return s;
  if (Status s = may_write_security(idmap, i, attr); !s.ok()) return s;
  if (value && attr.starts_with(security_prefix)) i.i_flags = i.i_flags & ~s_nosec;
  Result<const xattr_handler*> h = find_handler(i, attr);
  if (!h.ok()) return h.error();
  return xattr_ops::set(**h, idmap, p.dent, i, attr, value, size, flags);
}

Status change(const path& p, std::string_view attr, const void* value, size_t size, int flags) {
  inode& i = *p.dent->inode_ptr();
  exclusive_guard g(i.i_rwsem);
  return set_locked(p, i, attr, value, size, flags);
}

Result<size_t> get(const path& p, std::string_view attr, void* value, size_t size) {
  inode& i = *p.dent->inode_ptr();
  if (Status s = check_name(attr); !s.ok()) return s.error();
  if (size > value_max) size = value_max;
  if (Status s = may_access_xattr(*p.mnt->idmap, i, attr, may_read); !s.ok()) return s.error();
  Result<const xattr_handler*> h = find_handler(i, attr);
  if (!h.ok()) return h.error();
  Result<size_t> r = xattr_ops::get(**h, p.dent, i, attr, value, size);
  if (!r.ok() && r.error() == Error(ERANGE) && size >= value_max) return Error(E2BIG);
  return r;
}

// Whether the superblock's handlers have a say in what is listed.
bool list_is_filtered(const super_block& sb) {
  if (!sb.s_xattr) return false;
  for (const xattr_handler* const* h = sb.s_xattr; *h; ++h) {
    if ((*h)->list) return true;
  }
  return false;
}

bool listed(const super_block& sb, dentry& d, std::string_view attr, bool privileged) {
  if (!privileged && attr.starts_with(trusted_prefix)) return false;
  const xattr_handler* h = sb.s_xattr ? xattr_ops::find_handler(sb, attr) : nullptr;
  return !h || xattr_ops::list(*h, d);
}

// The names that may be seen; `list` null or size 0 asks for the length.
Result<size_t> list_filtered(dentry& d, char* list, size_t size, bool privileged) {
  Result<size_t> need = inode_ops::listxattr(d, nullptr, 0);
  if (!need.ok() || *need == 0) return need;
  // Names may appear between the two questions; then the second says ERANGE and both are put again.
  for (;;) {
    std::unique_ptr<char[]> all(new (std::nothrow) char[*need]);
    if (!all) return Error(ENOMEM);
    Result<size_t> got = inode_ops::listxattr(d, all.get(), *need);
    if (!got.ok()) {
      if (got.error() != Error(ERANGE)) return got;
      need = inode_ops::listxattr(d, nullptr, 0);
      if (!need.ok() || *need == 0) return need;
      continue;
    }
    size_t out = 0;
    for (size_t pos = 0; pos < *got;) {
      const std::string_view attr(all.get() + pos);
      const size_t n = attr.size() + 1;
      if (listed(*d.d_sb, d, attr, privileged)) {
        if (size) {
          if (out + n > size) return Error(ERANGE);
          attr.copy(list + out, attr.size());
          list[out + n - 1] = '\0';
        }
        out += n;
      }
      pos += n;
    }
    return out;
  }
}

}  // namespace

Result<size_t> sys_getxattr(task& t, at where, std::string_view name, std::string_view attr,
                            void* value, size_t size, int at_flags) {
  task_scope scope(t);
  operation_scope op("getxattr", name);
  Result<path_ref> p = lookup_target(where, name, at_flags);
  if (!p.ok()) return p.error();
  return get(**p, attr, value, size);
}

Status sys_setxattr(task& t, at where, std::string_view name, std::string_view attr,
                    const void* value, size_t size, int flags, int at_flags) {
  task_scope scope(t);
  operation_scope op("setxattr", name);
  Result<path_ref> p = lookup_target(where, name, at_flags);
  if (!p.ok()) return p.error();
  write_access w(*(*p)->mnt);
  if (!w.ok()) return w.error();
  if (flags & ~(XATTR_CREATE | XATTR_REPLACE)) return Error(EINVAL);
  if (Status s = check_name(attr); !s.ok()) return s;
  if (size > value_max) return Error(E2BIG);
  if (size && attr == caps_name && !valid_file_caps(value, size)) return Error(EINVAL);
  // A null value would mean removal to the handler; an empty one is a value.
  return change(**p, attr, size ? value : "", size, flags);
}

Status sys_removexattr(task& t, at where, std::string_view name, std::string_view attr,
                       int at_flags) {
  task_scope scope(t);
  operation_scope op("removexattr", name);
  Result<path_ref> p = lookup_target(where, name, at_flags);
  if (!p.ok()) return p.error();
  write_access w(*(*p)->mnt);
  if (!w.ok()) return w.error();
  if (Status s = check_name(attr); !s.ok()) return s;
  return change(**p, attr, nullptr, 0, XATTR_REPLACE);
}

Result<size_t> sys_listxattr(task& t, at where, std::string_view name, char* list, size_t size,
                             int at_flags) {
  task_scope scope(t);
  operation_scope op("listxattr", name);
  Result<path_ref> p = lookup_target(where, name, at_flags);
  if (!p.ok()) return p.error();
  dentry& d = *(*p)->dent;
  if (size > list_max) size = list_max;
  const bool privileged = capable(capability::sys_admin);
  Result<size_t> r = privileged && !list_is_filtered(*d.d_sb)
                         ? inode_ops::listxattr(d, list, size)
                         : list_filtered(d, list, size, privileged);
  if (!r.ok() && r.error() == Error(ERANGE) && size >= list_max) return Error(E2BIG);
  return r;
}

HF_NAMESPACE_END
