// SPDX-License-Identifier: Apache-2.0
//
// The walk itself: components, `..`, mount crossing, symlinks, and leaving RCU. See nameidata.h.
#include <cstring>

#include "core/cred/permission.h"
#include "core/dentry/name_hash.h"
#include "core/dispatch/dentry_ops.h"
#include "core/dispatch/inode_ops.h"
#include "core/file/file_internal.h"
#include "core/inode/atime.h"
#include "namei/nameidata.h"

HF_NAMESPACE_BEGIN

namespace {

Status cold_permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  return inode_permission(idmap, i, mask);
}

}  // namespace

void nameidata::set_root() {
  fs_struct& fs = t.fs;
  if (rcu()) {
    uint32_t s;
    do {
      s = fs.seq.read_begin();
      root = {fs.root_mnt.load(std::memory_order_acquire),
              fs.root_dent.load(std::memory_order_acquire)};
      root_seq = root.dent->d_seq.read_begin();
    } while (fs.seq.read_retry(s));
  } else {
    exclusive_guard g(fs.lock);
    root = {fs.root_mnt.load(std::memory_order_relaxed),
            fs.root_dent.load(std::memory_order_relaxed)};
    path_get(root);
    root_grabbed = true;
  }
}

Status nameidata::jump_root() {
  if (!root.dent) set_root();
  if (rcu()) {
    p = root;
    ino = p.dent->inode_ptr();
    seq = root_seq;
    if (p.dent->d_seq.read_retry(seq)) return Error(ECHILD);
  } else {
    path_get(root);
    path old = p;
    p = root;
    if (old.dent) path_put(old);
    ino = p.dent->inode_ptr();
  }
  jumped = true;
  return {};
}

Status nameidata::start(unsigned lookup_flags) {
  flags = lookup_flags;
  if (cur == end) flags &= ~lookup_rcu;
  if (rcu()) rcu_read_lock();
  m_seq = mount_lock.read_begin();
  if (cur != end && *cur == '/') {
    Status st = jump_root();
    jumped = true;
    return st;
  }
  if (where.base) {
    p = *where.base;
  } else if (where.fd == AT_FDCWD) {
    fs_struct& fs = t.fs;
    if (rcu()) {
      uint32_t s;
      do {
        s = fs.seq.read_begin();
        p = {fs.pwd_mnt.load(std::memory_order_acquire),
             fs.pwd_dent.load(std::memory_order_acquire)};
        seq = p.dent->d_seq.read_begin();
      } while (fs.seq.read_retry(s));
      ino = p.dent->inode_ptr();
      return {};
    }
    exclusive_guard g(fs.lock);
    p = {fs.pwd_mnt.load(std::memory_order_relaxed), fs.pwd_dent.load(std::memory_order_relaxed)};
    path_get(p);
    ino = p.dent->inode_ptr();
    return {};
  } else {
    fd_ref f(t, where.fd, true);
    if (!f) return Error(EBADF);
    if (cur != end && !f->f_path.dent->is_dir()) return Error(ENOTDIR);
    p = f->f_path;
    if (!rcu()) path_get(p);
    if (rcu()) seq = p.dent->d_seq.read_begin();
    ino = p.dent->inode_ptr();
    return {};
  }
  if (rcu())
    seq = p.dent->d_seq.read_begin();
  else
    path_get(p);
  ino = p.dent->inode_ptr();
  if (cur != end && !p.dent->is_dir()) return Error(ENOTDIR);
  return {};
}

void nameidata::put_link() {
  saved_link& l = stack(--depth);
  if (l.done.fn) l.done.fn(l.done.arg);
  l.done = {};
  if (!rcu()) path_put(l.at);
}

void nameidata::terminate() {
  while (depth != 0) put_link();
  if (rcu()) {
    flags &= ~lookup_rcu;
    rcu_read_unlock();
  } else {
    path_put(p);
    if (root_grabbed) path_put(root);
  }
  p = {};
  root = {};
  root_grabbed = false;
}

bool nameidata::legitimize(path& what, uint32_t at_seq) {
  if (!legitimize_mnt(what.mnt, m_seq)) {
    what = {};
    return false;
  }
  if (!what.dent->d_lockref.get_not_dead()) {
    what.dent = nullptr;
    return false;
  }
  return !what.dent->d_seq.read_retry(at_seq);
}

bool nameidata::legitimize_links() {
  for (unsigned i = 0; i < depth; ++i) {
    if (legitimize(stack(i).at, stack(i).seq)) continue;
    // What lies above was not referenced and must not be put.
    for (unsigned j = i + 1; j < depth; ++j) stack(j).at = {};
    return false;
  }
  return true;
}

bool nameidata::unlazy() {
  bool ok = legitimize_links();
  if (!ok) p = {};
  if (ok) ok = legitimize(p, seq);
  if (ok && root.dent) {
    ok = legitimize(root, root_seq);
    root_grabbed = true;  // or emptied
  } else {
    root = {};
  }
  flags &= ~lookup_rcu;
  rcu_read_unlock();
  return ok;
}

Status nameidata::complete() {
  if (rcu()) {
    root = {};  // nobody needs it any more
    if (!unlazy()) return Error(ECHILD);
  }
  if (!jumped || !(p.dent->d_flags & dcache_op_weak_revalidate)) [[likely]]
    return {};
  Result<bool> valid = dentry_ops::d_weak_revalidate(*p.dent, flags);
  if (!valid.ok()) return valid.error();
  return *valid ? Status{} : Status{Error(ESTALE)};
}

Status nameidata::may_lookup() {
  if (everybody_may_search(*ino)) [[likely]]
    return {};
  const mnt_idmap& idmap = *p.mnt->idmap;
  if (rcu()) {
    Status st = cold_permission(idmap, *ino, may_exec | may_not_block);
    if (st.ok()) return st;
    // In RCU a refusal may be about a dentry that has moved on: ask again when it can't.
    if (!unlazy()) return Error(ECHILD);
    if (st.code() != ECHILD) return st;
  }
  return cold_permission(idmap, *ino, may_exec);
}

Status nameidata::link_path_walk() {
  type = last_type::root;
  trailing_slash = false;
  const unsigned base = depth;
  while (cur != end && *cur == '/') ++cur;
  if (cur == end) return {};
  for (;;) {
    HF_TRY(may_lookup());
    const char* name = cur;
    uint32_t hash;
    cur = hash_component(p.dent, cur, end, whole, hash);
    const auto len = static_cast<size_t>(cur - name);
    if (cur != end && *cur != '/') return Error(EINVAL);  // a NUL inside
    type = last_type::norm;
    if (name[0] == '.') {
      if (len == 1)
        type = last_type::dot;
      else if (len == 2 && name[1] == '.')
        type = last_type::dotdot;
    }
    if (type == last_type::norm) {
      if (len > name_max) return Error(ENAMETOOLONG);
      last = {hash, static_cast<uint32_t>(len), name};
      if (p.dent->d_flags & dcache_op_hash) [[unlikely]]
        HF_TRY(dentry_ops::d_hash(*p.dent, last));
    } else {
      last = {hash, static_cast<uint32_t>(len), name};
    }
    trailing_slash = cur != end;
    while (cur != end && *cur == '/') ++cur;
    bool pushed = false;
    if (cur == end) {
      if (depth == base) return {};
      // The last component of a nested link: go on in the string around it.
      saved_link& l = stack(depth - 1);
      cur = l.cur;
      end = l.end;
      whole = l.whole;
      HF_TRY(walk_component(0, pushed));
    } else {
      HF_TRY(walk_component(walk_more, pushed));
    }
    if (pushed) {
      while (cur != end && *cur == '/') ++cur;
      if (cur != end) continue;
      // A body of slashes alone: the walk is at the root already; resume around the link.
      saved_link& l = stack(depth - 1);
      cur = l.cur;
      end = l.end;
      whole = l.whole;
      put_link();
      if (cur == end) return Error(ENOENT);
    }
    if (!p.dent->is_dir()) [[unlikely]] {
      if (rcu() && !unlazy()) return Error(ECHILD);
      return Error(ENOTDIR);
    }
  }
}

Status nameidata::lookup_fast(dentry*& d) {
  if (rcu()) {
    d = d_lookup_rcu(*p.dent, last, next_seq);
    if (!d) return unlazy() ? Status{} : Status{Error(ECHILD)};
    if (p.dent->d_seq.read_retry(seq)) return Error(ECHILD);
    if (d->d_flags & dcache_op_revalidate) [[unlikely]] {
      Result<bool> valid = dentry_ops::d_revalidate(*d, flags);
      if (!valid.ok() || !*valid) return Error(ECHILD);
    }
    return {};
  }
  d = d_lookup(*p.dent, last);
  if (d && (d->d_flags & dcache_op_revalidate)) [[unlikely]] {
    Result<bool> valid = dentry_ops::d_revalidate(*d, flags);
    if (valid.ok() && *valid) return {};
    if (valid.ok()) d_invalidate(*d);
    dput(d);
    d = nullptr;
    if (!valid.ok()) return valid.error();
  }
  return {};
}

Status nameidata::walk_component(unsigned walk_flags, bool& link) {
  if (type != last_type::norm) [[unlikely]] {
    if (!(walk_flags & walk_more) && depth) put_link();
    return handle_dots(type);
  }
  dentry* d = nullptr;
  HF_TRY(lookup_fast(d));
  if (!d) {
    HF_TRY_ASSIGN(d, lookup_slow(last, *p.dent, flags));
  }
  if (!(walk_flags & walk_more) && depth) put_link();
  return step_into(d, walk_flags, link);
}

Status nameidata::lookup_last(bool& link) {
  if (type == last_type::norm && trailing_slash) flags |= lookup_follow | lookup_directory;
  return walk_component(walk_trailing, link);
}

Status nameidata::cross_mounts_rcu(path& to, inode*& to_inode) {
  uint32_t f = to.dent->d_flags;
  if (!(f & dcache_managed_dentry)) [[likely]]
    return {};
  for (;;) {
    if (f & dcache_manage_transit) {
      Status st = dentry_ops::d_manage(to, true);
      if (!st.ok()) return st.code() == EISDIR ? Status{} : Status{Error(ECHILD)};
      f = to.dent->d_flags;
    }
    if (f & dcache_mounted) {
      if (mount* m = lookup_mnt_rcu(*to.mnt, *to.dent)) {
        to = {&m->mnt, m->mnt.mnt_root};
        next_seq = to.dent->d_seq.read_begin();
        to_inode = to.dent->inode_ptr();
        f = to.dent->d_flags;
        jumped = true;
        if (mount_lock.read_retry(m_seq)) return Error(ECHILD);
        continue;
      }
      if (mount_lock.read_retry(m_seq)) return Error(ECHILD);
    }
    return f & dcache_need_automount ? Status{Error(ECHILD)} : Status{};
  }
}

// `to` holds a reference on its dentry and, once a mount was crossed, on its mount.
Status nameidata::cross_mounts_ref(path& to) {
  while (to.dent->d_flags & dcache_managed_dentry) {
    const uint32_t f = to.dent->d_flags;
    if (f & dcache_manage_transit) {
      Status st = dentry_ops::d_manage(to, false);
      if (!st.ok()) {
        if (st.code() == EISDIR) return {};
        return st;
      }
    }
    if (!(f & dcache_mounted)) break;
    vfsmount* m = lookup_mnt(to);
    if (!m) break;
    dput(to.dent);
    if (to.mnt != p.mnt) mntput(to.mnt);
    to = {m, dget(m->mnt_root)};
    jumped = true;
  }
  return {};
}

Status nameidata::step_into(dentry* d, unsigned walk_flags, bool& link) {
  path to{p.mnt, d};
  inode* i;
  bool symlink;
  if (rcu()) {
    i = d->inode_ptr();
    HF_TRY(cross_mounts_rcu(to, i));
    symlink = to.dent->is_symlink();
    // Type and inode are of one moment, or a name that became a symlink since is followed by the
    // inode that it had before.
    if (to.dent->d_seq.read_retry(next_seq)) return Error(ECHILD);
    if (!i) return Error(ENOENT);  // a negative entry that was seen whole
  } else {
    Status st = cross_mounts_ref(to);
    i = to.dent->inode_ptr();
    symlink = to.dent->is_symlink();
    if (st.ok() && (!i || to.dent->is_negative())) st = Error(ENOENT);
    if (!st.ok()) {
      dput(to.dent);
      if (to.mnt != p.mnt) mntput(to.mnt);
      return st;
    }
  }
  if (!symlink || ((walk_flags & walk_trailing) && !(flags & lookup_follow)) ||
      (walk_flags & walk_nofollow)) {
    if (!rcu()) {
      dput(p.dent);
      if (p.mnt != to.mnt) mntput(p.mnt);
    }
    p = to;
    ino = i;
    seq = next_seq;
    return {};
  }
  return pick_link(to, i, link);
}

Status nameidata::pick_link(path& link_path, inode* i, bool& pushed) {
  auto drop = [&](int code) -> Status {
    if (!rcu()) {
      dput(link_path.dent);
      if (link_path.mnt != p.mnt) mntput(link_path.mnt);
    }
    return Error(code);
  };
  if (total_links++ >= max_symlinks) return drop(ELOOP);
  if ((flags & lookup_no_symlinks) || (link_path.mnt->mnt_flags & mnt_nosymfollow))
    return drop(ELOOP);
  if (!rcu() && link_path.mnt == p.mnt) mntget(link_path.mnt);
  saved_link& l = push();
  l.at = link_path;
  l.seq = next_seq;
  l.done = {};
  l.cur = cur;
  l.end = end;
  l.whole = whole;
  if (atime_needs_update(link_path, *i)) {
    if (rcu() && !unlazy()) return Error(ECHILD);
    touch_atime(l.at);
  }
  const char* body = i->i_link;
  if (!body) {
    Result<const char*> r = rcu() ? inode_ops::get_link(nullptr, *i, l.done)
                                  : inode_ops::get_link(l.at.dent, *i, l.done);
    if (!r.ok() && r.code() == ECHILD && rcu()) {
      if (!unlazy()) return Error(ECHILD);
      r = inode_ops::get_link(l.at.dent, *i, l.done);
    }
    if (!r.ok()) return r.error();
    body = *r;
    if (!body) {  // the file system moved the walk itself
      put_link();
      return {};
    }
  }
  if (body[0] == '\0') return Error(ENOENT);
  cur = whole = body;
  end = body + std::strlen(body);
  if (body[0] == '/') {
    HF_TRY(jump_root());
    while (cur != end && *cur == '/') ++cur;
  }
  pushed = true;
  return {};
}

Status nameidata::handle_dots(last_type which) {
  if (which != last_type::dotdot) return {};
  if (!root.dent) set_root();
  return rcu() ? dotdot_rcu() : dotdot_ref();
}

Status nameidata::dotdot_rcu() {
  if (p != root) {
    if (p.dent == p.mnt->mnt_root) {
      // Up through the mounts; their tree is checked by sequence.
      mount* m = &real_mount(*p.mnt);
      path up{};
      while (m->mnt_parent != m) {
        up = {&m->mnt_parent->mnt, m->mnt_mountpoint};
        m = m->mnt_parent;
        if (up == root || up.dent != up.mnt->mnt_root) break;
      }
      if (mount_lock.read_retry(m_seq)) return Error(ECHILD);
      if (!up.dent) return {};  // nothing above: `..` stays
      p = up;
      seq = p.dent->d_seq.read_begin();
      ino = p.dent->inode_ptr();
      jumped = true;
      if (mount_lock.read_retry(m_seq)) return Error(ECHILD);
      if (p == root || p.dent == p.mnt->mnt_root) return {};
    }
    dentry* parent = p.dent->parent();
    next_seq = parent->d_seq.read_begin();
    if (p.dent->d_seq.read_retry(seq)) return Error(ECHILD);
    path to{p.mnt, parent};
    inode* i = parent->inode_ptr();
    HF_TRY(cross_mounts_rcu(to, i));
    if (to.dent->d_seq.read_retry(next_seq)) return Error(ECHILD);
    p = to;
    ino = i;
    seq = next_seq;
  }
  return {};
}

Status nameidata::dotdot_ref() {
  if (p == root) return {};
  bool climbed = false;
  while (p.dent == p.mnt->mnt_root) {
    if (!follow_up(p)) return {};
    climbed = true;
    if (p == root) break;
  }
  if (climbed) jumped = true;
  if (p != root) {
    path to{p.mnt, dget_parent(*p.dent)};
    Status st = cross_mounts_ref(to);
    if (!st.ok()) {
      dput(to.dent);
      if (to.mnt != p.mnt) mntput(to.mnt);
      return st;
    }
    dput(p.dent);
    if (p.mnt != to.mnt) mntput(p.mnt);
    p = to;
  }
  ino = p.dent->inode_ptr();
  return {};
}

HF_NAMESPACE_END
