// SPDX-License-Identifier: Apache-2.0
//
// Dispatchers of dentry_operations (release 6.6; semantics.md 1). The only callers of its methods.
//
// Null d_op, or a null method, is answered with the default that stands beside each function.
// d_hash and d_compare never block; the others that RCU-walk calls may block outside of it.
#pragma once

#include "core/dispatch/door.h"
#include "holdfast/inode.h"
#include "holdfast/mount.h"

HF_NAMESPACE_BEGIN

namespace dentry_ops {

// One call site each, for the dispatchers below and their checked twins.
namespace direct {
inline Result<bool> d_revalidate(dentry& d, unsigned flags) {
  return d.d_op->d_revalidate(d, flags);
}
inline Status d_hash(const dentry& dir, qstr& name) {
  return dir.d_op->d_hash(dir, name);
}
inline bool d_compare(const dentry& d, std::string_view candidate, const qstr& name) {
  return d.d_op->d_compare(d, candidate, name);
}
}  // namespace direct
namespace checked {
Result<bool> d_revalidate(dentry& d, unsigned flags);
Status d_hash(const dentry& dir, qstr& name);
bool d_compare(const dentry& d, std::string_view candidate, const qstr& name);
}  // namespace checked

// With lookup_rcu in flags: RCU-walk, where it may not block. Null: valid.
inline Result<bool> d_revalidate(dentry& d, unsigned flags) {
  if (d.d_op == nullptr || d.d_op->d_revalidate == nullptr) return true;
  if (checking_on()) [[unlikely]]
    return checked::d_revalidate(d, flags);
  return direct::d_revalidate(d, flags);
}

// REF-walk only. Null: valid.
Result<bool> d_weak_revalidate(dentry& d, unsigned flags);

// Null: name.hash becomes the hash of the bytes.
inline Status d_hash(const dentry& dir, qstr& name) {
  if (dir.d_op == nullptr || dir.d_op->d_hash == nullptr) {
    name.hash = full_name_hash(&dir, name.view());
    return {};
  }
  if (checking_on()) [[unlikely]]
    return checked::d_hash(dir, name);
  return direct::d_hash(dir, name);
}

// Null: equal bytes. The document's "rename_lock: yes" is a read section (or RCU): nothing to hold.
inline bool d_compare(const dentry& d, std::string_view candidate, const qstr& name) {
  if (d.d_op == nullptr || d.d_op->d_compare == nullptr) return candidate == name.view();
  if (checking_on()) [[unlikely]]
    return checked::d_compare(d, candidate, name);
  return direct::d_compare(d, candidate, name);
}

// d_lock held; may not block. Null: false, keep it cached.
bool d_delete(const dentry& d) HF_REQUIRES(d.d_lockref);
// A dentry under construction, nobody else has it. Null: success.
Status d_init(dentry& d);
// The last moment of a dentry. Null: nothing.
void d_release(dentry& d);
// d_lock held; may not block. Null: nothing.
void d_prune(dentry& d) HF_REQUIRES(d.d_lockref);
// Takes over the dentry's reference on i; no lock held. Null: iput.
void d_iput(dentry& d, inode& i);
// May not block. Null: EOPNOTSUPP; the caller then builds the path from the tree.
Result<char*> d_dname(dentry& d, char* buffer, size_t buflen);
// REF-walk only. Null: EREMOTE.
Result<vfsmount*> d_automount(path& p);
// Null: go on.
Status d_manage(const path& p, bool rcu_walk);
// Null: the dentry itself.
dentry* d_real(dentry& d, const inode* i);

}  // namespace dentry_ops

HF_NAMESPACE_END
