// SPDX-License-Identifier: Apache-2.0
//
// Requests about attributes: of an object, extended, of the file system.
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include "handlers.h"

HF_NAMESPACE_BEGIN

namespace {

// The kernel has combined a chmod, chown, truncate or utimens with what it implies (privilege bits
// taken away, times set). It goes to the file system as it is, in one step.
void to_iattr(const struct stat& st, int to_set, iattr& a) {
  auto asked = [to_set](int bit) { return (to_set & bit) != 0; };
  if (asked(FUSE_SET_ATTR_MODE)) {
    a.ia_valid |= attr_mode;
    a.ia_mode = st.st_mode;
  }
  if (asked(FUSE_SET_ATTR_UID)) {
    a.ia_valid |= attr_uid;
    a.ia_uid = st.st_uid;
  }
  if (asked(FUSE_SET_ATTR_GID)) {
    a.ia_valid |= attr_gid;
    a.ia_gid = st.st_gid;
  }
  if (asked(FUSE_SET_ATTR_SIZE)) {
    a.ia_valid |= attr_size;
    a.ia_size = st.st_size;
  }
  if (asked(FUSE_SET_ATTR_ATIME_NOW)) {
    a.ia_valid |= attr_atime;
  } else if (asked(FUSE_SET_ATTR_ATIME)) {
    a.ia_valid |= attr_atime | attr_atime_set;
    a.ia_atime = {.tv_sec = st.st_atim.tv_sec, .tv_nsec = st.st_atim.tv_nsec};
  }
  if (asked(FUSE_SET_ATTR_MTIME_NOW)) {
    a.ia_valid |= attr_mtime;
  } else if (asked(FUSE_SET_ATTR_MTIME)) {
    a.ia_valid |= attr_mtime | attr_mtime_set;
    a.ia_mtime = {.tv_sec = st.st_mtim.tv_sec, .tv_nsec = st.st_mtim.tv_nsec};
  }
}

bool is_acl(const char* name) {
  return strcmp(name, "system.posix_acl_access") == 0 ||
         strcmp(name, "system.posix_acl_default") == 0;
}

}  // namespace

namespace fuse_handlers {

void getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  fuse_call c(req, fuse_request::getattr);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  c.attr(*p);
}

void setattr(fuse_req_t req, fuse_ino_t ino, struct stat* st, int to_set, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::setattr);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  iattr a;
  to_iattr(*st, to_set, a);
  // Nothing asked for is chown(path, -1, -1), whose only effect is a new ctime.
  Status s = sys_setattr(c.t(), *p, a, fi != nullptr ? &file_of(fi) : nullptr);
  if (!s) return c.done(s);
  c.attr(*p);
}

void getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size) {
  fuse_call c(req, fuse_request::getxattr);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  // The kernel asks with 64 KiB at most, which the buffer holds.
  if (size > fuse_worker::buffer_size) return c.fail(E2BIG);
  Result<size_t> n = sys_getxattr(c.t(), *p, "", name, c.w.buffer.get(), size, AT_EMPTY_PATH);
  if (!n) {
    // The kernel checks ACLs for us and would take "not supported" for a failed check.
    bool no_acl = n.code() == EOPNOTSUPP && is_acl(name);
    return c.fail(no_acl ? ENODATA : n.code());
  }
  if (size == 0) {
    fuse_reply_xattr(req, *n);
  } else {
    fuse_reply_buf(req, c.w.buffer.get(), *n);
  }
}

void setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size,
              int flags) {
  fuse_call c(req, fuse_request::setxattr);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  c.done(sys_setxattr(c.t(), *p, "", name, value, size, flags, AT_EMPTY_PATH));
}

void listxattr(fuse_req_t req, fuse_ino_t ino, size_t size) {
  fuse_call c(req, fuse_request::listxattr);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  if (size > fuse_worker::buffer_size) return c.fail(E2BIG);
  Result<size_t> n = sys_listxattr(c.t(), *p, "", c.w.buffer.get(), size, AT_EMPTY_PATH);
  if (!n) return c.fail(n.code());
  if (size == 0) {
    fuse_reply_xattr(req, *n);
  } else {
    fuse_reply_buf(req, c.w.buffer.get(), *n);
  }
}

void removexattr(fuse_req_t req, fuse_ino_t ino, const char* name) {
  fuse_call c(req, fuse_request::removexattr);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  c.done(sys_removexattr(c.t(), *p, "", name, AT_EMPTY_PATH));
}

void statfs(fuse_req_t req, fuse_ino_t) {
  fuse_call c(req, fuse_request::statfs);
  // One superblock behind the door, so the root answers for every node.
  path_ref root = c.node(node_table::root_id);
  if (!root || !c.enter()) return;
  kstatfs k;
  if (Status s = sys_statfs(c.t(), *root, ".", k); !s) return c.done(s);
  struct statvfs st{};
  st.f_bsize = static_cast<unsigned long>(k.f_bsize);
  st.f_frsize = static_cast<unsigned long>(k.f_frsize != 0 ? k.f_frsize : k.f_bsize);
  st.f_blocks = k.f_blocks;
  st.f_bfree = k.f_bfree;
  st.f_bavail = k.f_bavail;
  st.f_files = k.f_files;
  st.f_ffree = k.f_ffree;
  st.f_favail = k.f_ffree;
  st.f_namemax = static_cast<unsigned long>(k.f_namelen);
  fuse_reply_statfs(req, &st);
}

}  // namespace fuse_handlers

HF_NAMESPACE_END
