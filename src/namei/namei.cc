// SPDX-License-Identifier: Apache-2.0
//
// The walks that others call: to an object, to a parent, to attributes, and single lookups in a
// directory.
#include "namei/namei.h"

#include "core/dentry/name_hash.h"
#include "core/dispatch/dentry_ops.h"
#include "core/dispatch/inode_ops.h"
#include "namei/nameidata.h"

HF_NAMESPACE_BEGIN

Status check_name(std::string_view name, bool may_be_empty) {
  if (name.size() >= path_max) return Error(ENAMETOOLONG);
  if (name.empty() && !may_be_empty) return Error(ENOENT);
  return {};
}

namespace {

// From the start to the object, still in the mode of the walk; the caller completes and terminates.
Status walk_to(nameidata& nd, unsigned flags) {
  HF_TRY(nd.start(flags));
  for (;;) {
    HF_TRY(nd.link_path_walk());
    bool link = false;
    HF_TRY(nd.lookup_last(link));
    if (!link) break;
  }
  if ((nd.flags & lookup_directory) && !nd.p.dent->is_dir()) {
    if (nd.rcu() && !nd.unlazy()) return Error(ECHILD);
    return Error(ENOTDIR);
  }
  return {};
}

}  // namespace

Status path_lookupat(nameidata& nd, unsigned flags) {
  HF_TRY(walk_to(nd, flags));
  return nd.complete();
}

Status path_parentat(nameidata& nd, unsigned flags) {
  HF_TRY(nd.start(flags));
  HF_TRY(nd.link_path_walk());
  return nd.complete();
}

Result<path_ref> filename_lookup(at where, std::string_view name, unsigned flags) {
  HF_TRY(check_name(name, flags & lookup_empty));
  path found{};
  Status st = walk_modes(flags, [&](unsigned mode) {
    nameidata nd(current(), where, name);
    Status s = path_lookupat(nd, mode);
    if (s.ok()) {
      found = nd.p;
      nd.p = {};
    }
    nd.terminate();
    return s;
  });
  if (!st.ok()) return st.error();
  return path_ref::adopt(found);
}

Result<parent_path> filename_parentat(at where, std::string_view name, unsigned flags) {
  HF_TRY(check_name(name, false));
  parent_path out;
  Status st = walk_modes(flags | lookup_parent, [&](unsigned mode) {
    nameidata nd(current(), where, name);
    Status s = path_parentat(nd, mode);
    if (s.ok()) {
      out.parent = path_ref::adopt(nd.p);
      nd.p = {};
      out.last = nd.last;
      out.type = nd.type;
      out.trailing_slash = nd.trailing_slash;
    }
    nd.terminate();
    return s;
  });
  if (!st.ok()) return st.error();
  return out;
}

Status filename_getattr(at where, std::string_view name, unsigned lookup_flags,
                        uint32_t request_mask, unsigned query_flags, kstat& st) {
  HF_TRY(check_name(name, lookup_flags & lookup_empty));
  return walk_modes(lookup_flags, [&](unsigned mode) {
    nameidata nd(current(), where, name);
    Status s = walk_to(nd, mode);
    if (s.ok() && nd.rcu() && (inode_opflags(*nd.ino) & iop_default_getattr) &&
        !(nd.jumped && (nd.p.dent->d_flags & dcache_op_weak_revalidate))) {
      generic_fillattr(*nd.p.mnt->idmap, *nd.ino, st);
      st.mnt_id = real_mount(*nd.p.mnt).id;
      if (nd.p.dent->d_seq.read_retry(nd.seq) || mount_lock.read_retry(nd.m_seq)) s = Error(ECHILD);
    } else if (s.ok()) {
      s = nd.complete();
      if (s.ok()) {
        s = inode_ops::getattr(*nd.p.mnt->idmap, nd.p, st, request_mask, query_flags);
        st.mnt_id = real_mount(*nd.p.mnt).id;
      }
    }
    nd.terminate();
    return s;
  });
}

Status hash_name(const dentry& dir, qstr& name) {
  if (name.len > name_max) return Error(ENAMETOOLONG);
  name.hash = hash_bytes(&dir, name.view());
  if (dir.d_flags & dcache_op_hash) return dentry_ops::d_hash(dir, name);
  return {};
}

namespace {

// The parent's i_rwsem is held in either mode.
Result<dentry*> lookup_locked(const qstr& name, dentry& parent, inode& dir,
                              unsigned flags) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (dir.i_flags & s_dead) return Error(ENOENT);
  for (;;) {
    HF_TRY_ASSIGN(dentry * d, d_alloc_parallel(parent, name));
    if (!(d->d_flags & dcache_par_lookup)) {
      if (d->d_flags & dcache_op_revalidate) {
        Result<bool> valid = dentry_ops::d_revalidate(*d, flags);
        if (!valid.ok() || !*valid) {
          if (valid.ok()) d_invalidate(*d);
          dput(d);
          if (!valid.ok()) return valid.error();
          continue;
        }
      }
      return d;
    }
    Result<dentry*> other = inode_ops::lookup(dir, *d, flags);
    d_lookup_done(*d);
    if (!other.ok() || *other) {
      dput(d);
      return other;
    }
    return d;
  }
}

}  // namespace

Result<dentry*> lookup_slow(const qstr& name, dentry& parent, unsigned flags) {
  inode& dir = *parent.inode_ptr();
  shared_guard g(dir.i_rwsem);
  return lookup_locked(name, parent, dir, flags);
}

Result<dentry*> lookup_one_qstr_excl(const qstr& name, dentry& parent, unsigned flags) {
  inode& dir = *parent.inode_ptr();
  if (dentry* d = d_lookup(parent, name)) {
    if (!(d->d_flags & dcache_op_revalidate)) return d;
    dput(d);
  }
  return lookup_locked(name, parent, dir, flags);
}

Result<path_ref> lookup_one(task& t, const path& dir, std::string_view name) {
  task_scope scope(t);
  if (name.find('/') != std::string_view::npos) return Error(EINVAL);
  if (!dir.dent->is_dir()) return Error(ENOTDIR);
  if (name == "." || (name == ".." && dir.dent == dir.mnt->mnt_root)) return path_ref::share(dir);
  if (name == "..") return path_ref::adopt({mntget(dir.mnt), dget_parent(*dir.dent)});
  qstr q{0, static_cast<uint32_t>(name.size()), name.data()};
  if (name.empty()) return Error(ENOENT);
  HF_TRY(inode_permission(*dir.mnt->idmap, *dir.dent->inode_ptr(), may_exec));
  HF_TRY(hash_name(*dir.dent, q));
  dentry* d = d_lookup(*dir.dent, q);
  if (!d || (d->d_flags & dcache_op_revalidate)) {
    dput(d);
    HF_TRY_ASSIGN(d, lookup_slow(q, *dir.dent, 0));
  }
  if (d->is_negative()) {
    dput(d);
    return Error(ENOENT);
  }
  return path_ref::adopt({mntget(dir.mnt), d});
}

HF_NAMESPACE_END
