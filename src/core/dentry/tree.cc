// SPDX-License-Identifier: Apache-2.0
//
// Walks over the tree below a dentry: shrinking, taking a whole file system down, counting
// children.
//
// 1. A walk holds one d_lock, or a parent's and a child's. Going down it drops the parent's and the
//    child's becomes the one; going up it finds the parent under RCU and starts over if the child
//    left meanwhile or anything was renamed.
// 2. Visitors run under the child's d_lock and may be called again for a dentry that they saw,
//    after a restart: they must not mind.
#include <cstdio>
#include <thread>

#include "core/dentry/dcache.h"
#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace {

enum class visit : uint8_t { descend, skip, stop };

// The child's lock, taken below the parent's, is the walk's only one from here on.
void relabel(dentry& d) {
  forget_held(&d.d_lockref, d_lock_class, held::exclusive);
  after_acquire(&d.d_lockref, d_lock_class, nest::normal, 0, held::exclusive);
}

template <class Visitor>
void d_walk(dentry& top, Visitor&& visitor) HF_NO_THREAD_SAFETY_ANALYSIS {
  for (;;) {
    const uint32_t seq = rename_lock.read_begin();
    dentry* at = &top;
    at->d_lockref.lock();
    list_node* next = at->d_subdirs.root.next;
    bool restart = false;
    for (;;) {
      if (!at->d_subdirs.is_root(*next)) {
        dentry* d = &container_of<&dentry::d_child>(*next);
        next = next->next;
        d->d_lockref.lock(d_nest_child);
        const visit v = visitor(*d);
        if (v == visit::stop) {
          d->d_lockref.unlock();
          at->d_lockref.unlock();
          return;
        }
        if (v == visit::skip || d->d_subdirs.empty()) {
          d->d_lockref.unlock();
          continue;
        }
        at->d_lockref.unlock();
        relabel(*d);
        at = d;
        next = at->d_subdirs.root.next;
        continue;
      }
      if (at == &top) break;
      rcu_read_guard rcu;
      dentry* child = at;
      at = child->parent();
      child->d_lockref.unlock();
      at->d_lockref.lock();
      if ((child->d_flags & dcache_dentry_killed) || child->parent() != at ||
          rename_lock.read_retry(seq)) {
        restart = true;
        break;
      }
      next = child->d_child.next;
    }
    at->d_lockref.unlock();
    if (!restart) return;
  }
}

}  // namespace

void shrink_dcache_parent(dentry& top) {
  for (;;) {
    list_head dispose;
    bool others = false;
    size_t taken = 0;
    d_walk(top, [&](dentry& d) HF_REQUIRES(d.d_lockref) {
      if (d.d_flags & dcache_shrink_list) {
        others = true;
      } else if (d.d_lockref.count() == 0) {
        d_to_shrink_list(d, dispose);
        ++taken;
      }
      return taken >= 1024 ? visit::stop : visit::descend;
    });
    if (taken != 0) {
      shrink_dentry_list(dispose);
      continue;
    }
    if (!others) return;
    std::this_thread::yield();  // somebody else is about to kill what it listed
  }
}

void d_genocide(dentry& top) {
  d_walk(top, [](dentry& d) HF_REQUIRES(d.d_lockref) {
    if ((d.d_flags & dcache_unhashed) || d.is_negative()) return visit::skip;
    if (!(d.d_flags & dcache_genocide)) {
      d.d_flags = d.d_flags | dcache_genocide;
      d.d_lockref.add_locked(-1);
    }
    return visit::descend;
  });
}

void shrink_dcache_for_umount(super_block& sb) {
  dentry* root = sb.s_root;
  if (!root) return;
  shrink_dcache_parent(*root);
  d_walk(*root, [&sb](dentry& d) HF_REQUIRES(d.d_lockref) {
    if (d.d_subdirs.empty())
      std::fprintf(stderr, "holdfast: %s: dentry '%.*s' still has %d references at unmount\n",
                   sb.s_id, static_cast<int>(d.name_len()), d.name().data(),
                   static_cast<int>(d.d_lockref.count()));
    return visit::descend;
  });
  sb.s_root = nullptr;
  d_drop(*root);
  dput(root);
}

void d_invalidate(dentry& d) {
  {
    exclusive_guard g(d.d_lockref);
    if (d.d_flags & dcache_unhashed) return;
    d_drop_locked(d);
  }
  if (d.inode_ptr()) shrink_dcache_parent(d);
}

size_t simple_positive_children(dentry& parent) HF_NO_THREAD_SAFETY_ANALYSIS {
  exclusive_guard g(parent.d_lockref);
  size_t n = 0;
  for (dentry& d : entries<&dentry::d_child>(parent.d_subdirs)) {
    exclusive_guard gd(d.d_lockref, d_nest_child);
    if (d.is_positive() && !(d.d_flags & dcache_unhashed)) ++n;
  }
  return n;
}

HF_NAMESPACE_END
