// SPDX-License-Identifier: Apache-2.0
//
// The gated side of dentry_ops.h. The "rename_lock" column promises nothing that a thread could
// hold (rules: reading of d_compare), so only d_lock is bound.
#include "core/dispatch/dentry_ops.h"

#include <cerrno>

HF_NAMESPACE_BEGIN

namespace dentry_ops {

namespace {
constexpr dentry_operations no_methods{};

const dentry_operations& ops(const dentry& d) {
  return d.d_op != nullptr ? *d.d_op : no_methods;
}
}  // namespace

namespace checked {

Result<bool> d_revalidate(dentry& d, unsigned flags) {
  return door::through(
      method_id::dentry_d_revalidate,
      [&](gate& g) { g.given(condition::rcu_walk, (flags & lookup_rcu) != 0); },
      [&] { return direct::d_revalidate(d, flags); });
}

Status d_hash(const dentry& dir, qstr& name) {
  return door::through(method_id::dentry_d_hash, [&] { return direct::d_hash(dir, name); });
}

bool d_compare(const dentry& d, std::string_view candidate, const qstr& name) {
  return door::through(method_id::dentry_d_compare,
                       [&] { return direct::d_compare(d, candidate, name); });
}

}  // namespace checked

Result<bool> d_weak_revalidate(dentry& d, unsigned flags) {
  const dentry_operations& op = ops(d);
  if (op.d_weak_revalidate == nullptr) return true;
  return door::through(method_id::dentry_d_weak_revalidate,
                       [&] { return op.d_weak_revalidate(d, flags); });
}

bool d_delete(const dentry& d) {
  const dentry_operations& op = ops(d);
  if (op.d_delete == nullptr) return false;
  return door::through(
      method_id::dentry_d_delete, [&](gate& g) { g.lock(column::d_lock, d.d_lockref, "dentry"); },
      [&] { return op.d_delete(d); });
}

Status d_init(dentry& d) {
  const dentry_operations& op = ops(d);
  if (op.d_init == nullptr) return {};
  return door::through(method_id::dentry_d_init, [&] { return op.d_init(d); });
}

void d_release(dentry& d) {
  const dentry_operations& op = ops(d);
  if (op.d_release == nullptr) return;
  door::through(method_id::dentry_d_release, [&] { op.d_release(d); });
}

void d_prune(dentry& d) {
  const dentry_operations& op = ops(d);
  if (op.d_prune == nullptr) return;
  door::through(
      method_id::dentry_d_prune, [&](gate& g) { g.lock(column::d_lock, d.d_lockref, "dentry"); },
      [&] { op.d_prune(d); });
}

void d_iput(dentry& d, inode& i) {
  const dentry_operations& op = ops(d);
  if (op.d_iput == nullptr) return iput(&i);
  door::through(method_id::dentry_d_iput, [&] { op.d_iput(d, i); });
}

Result<char*> d_dname(dentry& d, char* buffer, size_t buflen) {
  const dentry_operations& op = ops(d);
  if (op.d_dname == nullptr) return Error(EOPNOTSUPP);
  return door::through(method_id::dentry_d_dname, [&] { return op.d_dname(d, buffer, buflen); });
}

Result<vfsmount*> d_automount(path& p) {
  const dentry_operations& op = ops(*p.dent);
  if (op.d_automount == nullptr) return Error(EREMOTE);
  return door::through(method_id::dentry_d_automount, [&] { return op.d_automount(p); });
}

Status d_manage(const path& p, bool rcu_walk) {
  const dentry_operations& op = ops(*p.dent);
  if (op.d_manage == nullptr) return {};
  return door::through(
      method_id::dentry_d_manage, [&](gate& g) { g.given(condition::rcu_walk, rcu_walk); },
      [&] { return op.d_manage(p, rcu_walk); });
}

dentry* d_real(dentry& d, const inode* i) {
  const dentry_operations& op = ops(d);
  if (op.d_real == nullptr) return &d;
  return door::through(method_id::dentry_d_real, [&] { return op.d_real(d, i); });
}

}  // namespace dentry_ops

HF_NAMESPACE_END
