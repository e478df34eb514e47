// SPDX-License-Identifier: Apache-2.0
#include "pagecache/radix.h"

#include <cassert>
#include <cerrno>
#include <new>

#include "holdfast/list.h"
#include "holdfast/sync/rcu.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr unsigned bits = 6;
constexpr unsigned fanout = 1u << bits;

struct node {
  node* parent = nullptr;
  uint8_t shift = 0;   // a slot covers 2^shift positions
  uint8_t offset = 0;  // which slot of the parent
  uint16_t count = 0;  // slots in use
  rcu_head rcu;
  std::atomic<void*> slot[fanout] = {};
};

constinit slab_cache<node> nodes("radix_node");

bool is_entry(const void* e) {
  return reinterpret_cast<uintptr_t>(e) & 1;
}
void* to_entry(void* value) {
  return static_cast<char*>(value) + 1;
}
void* from_entry(void* e) {
  return static_cast<char*>(e) - 1;
}
bool covers(const node& n, uint64_t index) {
  return index >> n.shift < fanout;
}
unsigned slot_of(const node& n, uint64_t index) {
  return static_cast<unsigned>(index >> n.shift) & (fanout - 1);
}

node* make_node(unsigned shift) {
  node* n = nodes.allocate();
  if (!n) return nullptr;
  new (n) node;
  n->shift = static_cast<uint8_t>(shift);
  return n;
}
void free_cb(rcu_head& head) {
  nodes.free(&container_of<&node::rcu>(head));
}
void drop(node* n, radix_reclaim how) {
  if (how == radix_reclaim::rcu)
    call_rcu(n->rcu, free_cb);
  else
    nodes.free(n);
}

// Lowers the root while only its first slot is in use.
void shrink(radix_root& root, radix_reclaim how) {
  for (;;) {
    void* e = root.load(std::memory_order_relaxed);
    if (!e || is_entry(e)) return;
    node* n = static_cast<node*>(e);
    if (n->count != 1) return;
    void* child = n->slot[0].load(std::memory_order_relaxed);
    if (!child || (is_entry(child) && n->shift != 0)) return;
    if (!is_entry(child)) static_cast<node*>(child)->parent = nullptr;
    root.store(child, std::memory_order_release);
    drop(n, how);
  }
}

// Removes nodes that became empty, from n upwards.
void prune(radix_root& root, node* n, radix_reclaim how) {
  while (n && n->count == 0) {
    node* up = n->parent;
    if (up) {
      up->slot[n->offset].store(nullptr, std::memory_order_release);
      --up->count;
    } else {
      root.store(nullptr, std::memory_order_release);
    }
    drop(n, how);
    n = up;
  }
  shrink(root, how);
}

// The node that holds the slots of an entry of `order` at `index`, null if there is none.
node* find_node(const radix_root& root, uint64_t index, unsigned order) {
  void* e = root.load(std::memory_order_relaxed);
  const unsigned target = order / bits * bits;
  if (!e || is_entry(e) || !covers(*static_cast<node*>(e), index)) return nullptr;
  node* n = static_cast<node*>(e);
  while (n->shift > target) {
    e = n->slot[slot_of(*n, index)].load(std::memory_order_relaxed);
    if (!e || is_entry(e)) return nullptr;
    n = static_cast<node*>(e);
  }
  return n->shift == target ? n : nullptr;
}

}  // namespace

void* radix_lookup(const radix_root& root, uint64_t index) {
  void* e = root.load(std::memory_order_acquire);
  if (is_entry(e)) return index == 0 ? from_entry(e) : nullptr;
  if (!e || !covers(*static_cast<node*>(e), index)) return nullptr;
  do {
    auto* n = static_cast<node*>(e);
    e = n->slot[slot_of(*n, index)].load(std::memory_order_acquire);
  } while (e && !is_entry(e));
  return e ? from_entry(e) : nullptr;
}

void* radix_next(const radix_root& root, uint64_t& index) {
  for (;;) {
    void* e = root.load(std::memory_order_acquire);
    if (!e) return nullptr;
    if (is_entry(e)) return index == 0 ? from_entry(e) : nullptr;
    auto* n = static_cast<node*>(e);
    if (!covers(*n, index)) return nullptr;
    const node* top = n;
    for (;;) {
      unsigned s = slot_of(*n, index);
      e = n->slot[s].load(std::memory_order_acquire);
      while (!e && ++s < fanout) {
        index = ((index >> n->shift) + 1) << n->shift;
        e = n->slot[s].load(std::memory_order_acquire);
      }
      if (!e) {  // this node is done: on from the root with the first position after it
        index = ((index >> n->shift) + 1) << n->shift;
        if (n == top || index == 0) return nullptr;
        break;
      }
      if (is_entry(e)) return from_entry(e);
      n = static_cast<node*>(e);
    }
  }
}

Status radix_insert(radix_root& root, uint64_t index, unsigned order, void* value,
                    radix_reclaim how) {
  const unsigned target = order / bits * bits;
  const unsigned span = 1u << order % bits;
  void* entry = to_entry(value);
  void* e = root.load(std::memory_order_relaxed);
  if (!e && index == 0 && order == 0) {
    root.store(entry, std::memory_order_release);
    return {};
  }
  node* n = nullptr;
  if (!e) {
    unsigned shift = target;
    while (index >> shift >= fanout) shift += bits;
    if (!(n = make_node(shift))) return Error(ENOMEM);
    root.store(n, std::memory_order_release);
  } else {
    if (is_entry(e)) {
      if (index == 0) return Error(EEXIST);
      if (!(n = make_node(0))) return Error(ENOMEM);
      n->slot[0].store(e, std::memory_order_relaxed);
      n->count = 1;
      root.store(n, std::memory_order_release);
    } else {
      n = static_cast<node*>(e);
    }
    while (!covers(*n, index) || n->shift < target) {
      node* up = make_node(n->shift + bits);
      if (!up) {
        shrink(root, how);
        return Error(ENOMEM);
      }
      up->slot[0].store(n, std::memory_order_relaxed);
      up->count = 1;
      n->parent = up;
      n->offset = 0;
      root.store(up, std::memory_order_release);
      n = up;
    }
  }
  while (n->shift > target) {
    unsigned s = slot_of(*n, index);
    e = n->slot[s].load(std::memory_order_relaxed);
    if (is_entry(e)) {
      shrink(root, how);
      return Error(EEXIST);
    }
    if (!e) {
      node* down = make_node(n->shift - bits);
      if (!down) {
        prune(root, n, how);
        return Error(ENOMEM);
      }
      down->parent = n;
      down->offset = static_cast<uint8_t>(s);
      n->slot[s].store(down, std::memory_order_release);
      ++n->count;
      e = down;
    }
    n = static_cast<node*>(e);
  }
  const unsigned first = slot_of(*n, index);
  for (unsigned i = 0; i < span; ++i)
    if (n->slot[first + i].load(std::memory_order_relaxed)) {
      prune(root, n, how);
      return Error(EEXIST);
    }
  for (unsigned i = 0; i < span; ++i) n->slot[first + i].store(entry, std::memory_order_release);
  n->count = static_cast<uint16_t>(n->count + span);
  return {};
}

void* radix_erase(radix_root& root, uint64_t index, unsigned order, radix_reclaim how) {
  void* e = root.load(std::memory_order_relaxed);
  if (is_entry(e)) {
    if (index != 0 || order != 0) return nullptr;
    root.store(nullptr, std::memory_order_release);
    return from_entry(e);
  }
  node* n = find_node(root, index, order);
  if (!n) return nullptr;
  const unsigned first = slot_of(*n, index);
  const unsigned span = 1u << order % bits;
  e = n->slot[first].load(std::memory_order_relaxed);
  if (!is_entry(e)) return nullptr;
  for (unsigned i = 0; i < span; ++i) n->slot[first + i].store(nullptr, std::memory_order_release);
  n->count = static_cast<uint16_t>(n->count - span);
  prune(root, n, how);
  return from_entry(e);
}

void* radix_replace(radix_root& root, uint64_t index, unsigned order, void* value) {
  void* e = root.load(std::memory_order_relaxed);
  if (is_entry(e)) {
    if (index != 0 || order != 0) return nullptr;
    root.store(to_entry(value), std::memory_order_release);
    return from_entry(e);
  }
  node* n = find_node(root, index, order);
  if (!n) return nullptr;
  const unsigned first = slot_of(*n, index);
  e = n->slot[first].load(std::memory_order_relaxed);
  if (!is_entry(e)) return nullptr;
  for (unsigned i = 0; i < 1u << order % bits; ++i)
    n->slot[first + i].store(to_entry(value), std::memory_order_release);
  return from_entry(e);
}

Status radix_split(radix_root& root, uint64_t index, unsigned order, uint64_t at,
                   void* (*part)(uint64_t position, void* ctx), void* ctx) {
  node* n = find_node(root, index, order);
  assert(n && order > 0 && order < 2 * bits);
  const unsigned first = slot_of(*n, index);
  const unsigned span = 1u << order % bits;
  const uint64_t width = uint64_t{1} << n->shift;
  // Only the slot that the boundary runs through needs a node of its own.
  node* inner = nullptr;
  const bool cuts = at % width != 0;
  if (cuts) {
    if (!(inner = make_node(n->shift - bits))) return Error(ENOMEM);
    const uint64_t base = at / width * width;
    for (unsigned i = 0; i < fanout; ++i)
      inner->slot[i].store(to_entry(part(base + i, ctx)), std::memory_order_relaxed);
    inner->count = fanout;
    inner->parent = n;
    inner->offset = static_cast<uint8_t>(slot_of(*n, at));
  }
  for (unsigned i = 0; i < span; ++i) {
    const uint64_t p = index + i * width;
    if (cuts && at / width == p / width)
      n->slot[first + i].store(inner, std::memory_order_release);
    else
      n->slot[first + i].store(to_entry(part(p, ctx)), std::memory_order_release);
  }
  return {};
}

size_t radix_nodes() {
  return nodes.stats().in_use;
}

HF_NAMESPACE_END
