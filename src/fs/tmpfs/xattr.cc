// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes: user., trusted. and security., in memory, within the inode space of the
// superblock. There are no system. attributes: an ACL that isn't obeyed must not be stored.
//
// The list of an inode is short; it is under xattr_lock, which is a spinlock, so values are copied
// out under it and memory is allocated and freed outside.
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "fs/tmpfs/tmpfs.h"
#include "holdfast/task.h"

HF_NAMESPACE_BEGIN
namespace tmpfs {

struct xattr {
  xattr* next = nullptr;
  uint32_t name_len = 0;
  uint32_t size = 0;
  // The full name and the value follow.
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::string_view name() { return {bytes(), name_len}; }
  char* value() { return bytes() + name_len; }
  uint64_t space() const { return sizeof(xattr) + name_len + size; }
};

namespace {

void destroy(xattr* x) {
  ::operator delete(x);
}

xattr* make(std::string_view prefix, std::string_view name, const void* value, size_t size) {
  if (mem_should_fail()) return nullptr;
  void* mem = ::operator new(sizeof(xattr) + prefix.size() + name.size() + size, std::nothrow);
  if (!mem) return nullptr;
  auto* x = new (mem) xattr;
  x->name_len = static_cast<uint32_t>(prefix.size() + name.size());
  x->size = static_cast<uint32_t>(size);
  std::memcpy(x->bytes(), prefix.data(), prefix.size());
  std::memcpy(x->bytes() + prefix.size(), name.data(), name.size());
  if (size) std::memcpy(x->value(), value, size);
  return x;
}

bool matches(xattr& x, std::string_view prefix, std::string_view name) {
  return x.name_len == prefix.size() + name.size() && x.name().starts_with(prefix) &&
         x.name().substr(prefix.size()) == name;
}

// The link that points to the attribute, or the last one.
xattr** find(tmpfs_inode& ti, std::string_view prefix, std::string_view name)
    HF_REQUIRES(ti.xattr_lock) {
  xattr** at = &ti.xattrs;
  while (*at && !matches(**at, prefix, name)) at = &(*at)->next;
  return at;
}

Result<size_t> get(const xattr_handler& handler, dentry*, inode& i, std::string_view name,
                   void* buffer, size_t size) {
  tmpfs_inode& ti = info_of(i);
  exclusive_guard g(ti.xattr_lock);
  xattr* x = *find(ti, handler.prefix, name);
  if (!x) return Error(ENODATA);
  if (size) {
    if (size < x->size) return Error(ERANGE);
    std::memcpy(buffer, x->value(), x->size);
  }
  return size_t{x->size};
}

Status set(const xattr_handler& handler, const mnt_idmap&, dentry*, inode& i, std::string_view name,
           const void* value, size_t size, int flags) {
  tmpfs_inode& ti = info_of(i);
  sb_info& sbi = info_of(*i.i_sb);
  xattr* fresh = nullptr;
  if (value) {
    const uint64_t space = sizeof(xattr) + std::strlen(handler.prefix) + name.size() + size;
    if (!take_ispace(sbi, space)) return Error(ENOSPC);
    if (!(fresh = make(handler.prefix, name, value, size))) {
      give_ispace(sbi, space);
      return Error(ENOMEM);
    }
  }
  xattr* gone = fresh;
  Status st;
  {
    exclusive_guard g(ti.xattr_lock);
    xattr** at = find(ti, handler.prefix, name);
    if (*at && flags & XATTR_CREATE) {
      st = Error(EEXIST);
    } else if (!*at && (flags & XATTR_REPLACE || !value)) {
      st = Error(ENODATA);
    } else {
      gone = *at;
      if (fresh) {
        fresh->next = gone ? gone->next : nullptr;
        *at = fresh;
      } else {
        *at = gone->next;
      }
    }
  }
  if (gone) {
    give_ispace(sbi, gone->space());
    destroy(gone);
  }
  if (st) touch_ctime(i);
  return st;
}

constexpr xattr_handler user_handler = {.prefix = "user.", .get = get, .set = set};
constexpr xattr_handler trusted_handler = {.prefix = "trusted.", .get = get, .set = set};
constexpr xattr_handler security_handler = {.prefix = "security.", .get = get, .set = set};

}  // namespace

constinit const xattr_handler* const xattr_table[] = {&security_handler, &trusted_handler,
                                                      &user_handler, nullptr};

Result<size_t> listxattr(dentry& d, char* list, size_t size) {
  tmpfs_inode& ti = info_of(*d.inode_ptr());
  const bool privileged = capable(capability::sys_admin);
  exclusive_guard g(ti.xattr_lock);
  size_t need = 0;
  for (xattr* x = ti.xattrs; x; x = x->next) {
    if (!privileged && x->name().starts_with("trusted.")) continue;
    const size_t n = size_t{x->name_len} + 1;
    if (size) {
      if (need + n > size) return Error(ERANGE);
      std::memcpy(list + need, x->bytes(), x->name_len);
      list[need + n - 1] = '\0';
    }
    need += n;
  }
  return need;
}

void drop_xattrs(tmpfs_inode& ti) HF_NO_THREAD_SAFETY_ANALYSIS {
  sb_info& sbi = info_of(*ti.vfs.i_sb);
  while (xattr* x = ti.xattrs) {
    ti.xattrs = x->next;
    give_ispace(sbi, x->space());
    destroy(x);
  }
}

}  // namespace tmpfs
HF_NAMESPACE_END
