// SPDX-License-Identifier: Apache-2.0
//
// Credentials: immutable once published, counted, freed after a grace period.
#include <algorithm>
#include <cerrno>
#include <new>

#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

namespace {

void free_cred_rcu(rcu_head& head) {
  cred& c = container_of<&cred::rcu>(head);
  delete[] c.groups;
  delete &c;
}

}  // namespace

bool cred::in_group(gid_t g) const {
  return g == fsgid || std::binary_search(groups, groups + ngroups, g);
}

cred* create_cred(uid_t uid, gid_t gid, std::span<const gid_t> groups) {
  cred* c = new (std::nothrow) cred;
  if (c == nullptr) return nullptr;
  c->uid = c->euid = c->fsuid = uid;
  c->gid = c->egid = c->fsgid = gid;
  c->caps = uid == 0 ? all_capabilities : 0;
  if (!groups.empty()) {
    c->groups = new (std::nothrow) gid_t[groups.size()];
    if (c->groups == nullptr) {
      delete c;
      return nullptr;
    }
    std::copy(groups.begin(), groups.end(), c->groups);
    std::sort(c->groups, c->groups + groups.size());
    c->ngroups = static_cast<uint32_t>(groups.size());
  }
  return c;
}

void put_cred(const cred* c) {
  if (c == nullptr) return;
  // Counted objects are made by create_cred() and so not const underneath.
  cred* m = const_cast<cred*>(c);
  if (m->usage.fetch_sub(1, std::memory_order_acq_rel) == 1) call_rcu(m->rcu, free_cred_rcu);
}

HF_NAMESPACE_END
