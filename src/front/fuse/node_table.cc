// SPDX-License-Identifier: Apache-2.0
//
// See node_table.h for the invariants.
#include "node_table.h"

#include <cerrno>
#include <new>

HF_NAMESPACE_BEGIN

node_table::~node_table() {
  clear();
}

void node_table::set_root(const path& root) {
  root_ = path_ref::share(root);
}

uint64_t node_table::id_of(const inode& i) const {
  const inode* root = root_->dent->inode_ptr();
  if (&i == root) return root_id;
  return i.i_ino == root_id ? root->i_ino : i.i_ino;
}

// Where a pointer to the node is, or would be put. Buckets exist.
node_table::node** node_table::slot_of(shard& s, uint64_t id) {
  node** p = &s.buckets[mix(id) >> 8 & s.mask];
  while (*p != nullptr && (*p)->id != id) p = &(*p)->next;
  return p;
}

// Twice the buckets. Without memory the chains just get longer.
void node_table::grow(shard& s) {
  size_t size = s.buckets ? (s.mask + 1) * 2 : 16;
  std::unique_ptr<node*[]> bigger(new (std::nothrow) node*[size]());
  if (!bigger) return;
  for (size_t b = 0; s.buckets && b <= s.mask; ++b) {
    while (node* n = s.buckets[b]) {
      s.buckets[b] = n->next;
      node*& head = bigger[mix(n->id) >> 8 & (size - 1)];
      n->next = head;
      head = n;
    }
  }
  s.buckets = std::move(bigger);
  s.mask = size - 1;
}

Result<path_ref> node_table::find(uint64_t id) {
  if (id == root_id) return path_ref::share(*root_);
  shard& s = shard_of(id);
  {
    plain_guard guard(s.lock);
    if (s.buckets) {
      if (node* n = *slot_of(s, id)) return path_ref::share(*n->place);
    }
  }
  misses_.fetch_add(1, std::memory_order_relaxed);
  return Error(ESTALE);
}

Result<uint64_t> node_table::remember(path_ref p) {
  const inode* i = p->dent->inode_ptr();
  if (i->i_sb != root_->dent->d_sb) return Error(EXDEV);
  if (i->i_ino == 0) return Error(EIO);
  uint64_t id = id_of(*i);
  if (id == root_id) return id;
  shard& s = shard_of(id);
  path_ref old;  // dropped after the lock
  plain_guard guard(s.lock);
  if (!s.buckets || s.used > s.mask * 2) grow(s);
  if (!s.buckets) return Error(ENOMEM);
  node** slot = slot_of(s, id);
  node* n = *slot;
  if (n == nullptr) {
    n = new (std::nothrow) node;
    if (n == nullptr) return Error(ENOMEM);
    n->id = id;
    n->place = std::move(p);
    *slot = n;
    ++s.used;
    nodes_.fetch_add(1, std::memory_order_relaxed);
  } else if (n->place->dent->inode_ptr() != i) {
    old = std::move(p);
    return Error(ESTALE);
  } else if (n->place->dent != p->dent && d_unhashed(*n->place->dent)) {
    old = std::move(n->place);
    n->place = std::move(p);
  } else {
    old = std::move(p);
  }
  ++n->count;
  lookups_.fetch_add(1, std::memory_order_relaxed);
  return id;
}

void node_table::forget(uint64_t id, uint64_t count) {
  if (id == root_id) return;
  shard& s = shard_of(id);
  std::unique_ptr<node> gone;  // its reference is dropped after the lock
  plain_guard guard(s.lock);
  if (!s.buckets) return;
  node** slot = slot_of(s, id);
  node* n = *slot;
  if (n == nullptr) return;
  // More than was given out would be a bug of the kernel's; it must not wrap the count.
  uint64_t taken = count < n->count ? count : n->count;
  n->count -= taken;
  lookups_.fetch_sub(taken, std::memory_order_relaxed);
  if (n->count != 0) return;
  *slot = n->next;
  --s.used;
  nodes_.fetch_sub(1, std::memory_order_relaxed);
  gone.reset(n);
}

// The kernel is gone: nobody else is here.
void node_table::clear() HF_NO_THREAD_SAFETY_ANALYSIS {
  for (shard& s : shards_) {
    for (size_t b = 0; s.buckets && b <= s.mask; ++b) {
      while (node* n = s.buckets[b]) {
        s.buckets[b] = n->next;
        delete n;
      }
    }
    s.buckets.reset();
    s.used = 0;
  }
  nodes_ = 0;
  lookups_ = 0;
  root_.reset();
}

HF_NAMESPACE_END
