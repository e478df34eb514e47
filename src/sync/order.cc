// SPDX-License-Identifier: Apache-2.0
// The lock-order graph; see order.h.
#include "sync/order.h"

#include <cstdio>
#include <new>

#include "holdfast/sync/hooks.h"
#include "sync/raw_lock.h"

HF_NAMESPACE_BEGIN

namespace order_graph {
constinit std::atomic<uint16_t> node_ids[max_classes][8][depths];
constinit std::atomic<uint64_t> good[max_nodes][max_nodes / 64];
}  // namespace order_graph

namespace {

using order_graph::depths;
using order_graph::good;
using order_graph::max_classes;
using order_graph::max_nodes;
using order_graph::node_ids;
constexpr uint32_t max_declared = 256;

using bit_row = std::atomic<uint64_t>[max_nodes / 64];

struct edge_record {
  order_edge edge;
  uint32_t inner = 0;
  edge_record* next = nullptr;
};

struct node {
  order_key key{nullptr, nest::normal, 0};
  edge_record* records = nullptr;
};

struct declared_pair {
  order_key outer{nullptr, nest::normal, 0};
  order_key inner{nullptr, nest::normal, 0};
};

// Ids, good and bad are written under graph_lock, read without.
constinit raw_lock graph_lock;
constinit node nodes[max_nodes] HF_GUARDED_BY(graph_lock);
constinit uint32_t last_node HF_GUARDED_BY(graph_lock) = 0;
constinit bit_row bad[max_nodes];
constinit declared_pair declared[max_declared] HF_GUARDED_BY(graph_lock);
constinit uint32_t declared_count HF_GUARDED_BY(graph_lock) = 0;

bool test(const bit_row* m, uint32_t a, uint32_t b) {
  return (m[a][b / 64].load(std::memory_order_relaxed) >> (b % 64) & 1) != 0;
}
void set(bit_row* m, uint32_t a, uint32_t b) {
  m[a][b / 64].fetch_or(uint64_t{1} << (b % 64), std::memory_order_relaxed);
}

std::atomic<uint16_t>* slot(const order_key& k) {
  uint32_t id = register_lock_class(*k.cls);
  if (id >= max_classes) return nullptr;
  uint32_t d = k.depth < depths ? k.depth : depths - 1;
  return &node_ids[id][static_cast<unsigned>(k.level) & 7][d];
}

uint32_t make_node(const order_key& k) HF_REQUIRES(graph_lock) {
  std::atomic<uint16_t>* s = slot(k);
  if (s == nullptr || last_node + 1 >= max_nodes) {
    static bool said = false;
    if (!said) fputs("holdfast: too many lock classes for the order validator\n", stderr);
    said = true;
    return 0;
  }
  uint32_t id = s->load(std::memory_order_relaxed);
  if (id != 0) return id;
  id = ++last_node;
  nodes[id].key = k;
  s->store(static_cast<uint16_t>(id), std::memory_order_release);
  return id;
}

order_edge bare_edge(uint32_t a, uint32_t b) HF_REQUIRES(graph_lock) {
  order_edge e;
  e.outer = nodes[a].key.cls;
  e.outer_level = nodes[a].key.level;
  e.outer_depth = nodes[a].key.depth;
  e.inner = nodes[b].key.cls;
  e.inner_level = nodes[b].key.level;
  e.inner_depth = nodes[b].key.depth;
  return e;
}

order_edge known_edge(uint32_t a, uint32_t b) HF_REQUIRES(graph_lock) {
  for (edge_record* r = nodes[a].records; r != nullptr; r = r->next)
    if (r->inner == b) return r->edge;
  return bare_edge(a, b);
}

// Breadth first from `from`; true if `to` is reached, with came_from filled on the way.
bool reaches(uint32_t from, uint32_t to, uint16_t* came_from) HF_REQUIRES(graph_lock) {
  static uint16_t pending[max_nodes];
  for (uint32_t i = 0; i < max_nodes; ++i) came_from[i] = 0;
  uint32_t head = 0;
  uint32_t tail = 0;
  pending[tail++] = static_cast<uint16_t>(from);
  came_from[from] = static_cast<uint16_t>(from);
  while (head != tail) {
    uint32_t at = pending[head++];
    if (at == to) return true;
    for (uint32_t next = 1; next <= last_node; ++next) {
      if (came_from[next] != 0 || !test(good, at, next)) continue;
      came_from[next] = static_cast<uint16_t>(at);
      pending[tail++] = static_cast<uint16_t>(next);
    }
  }
  return false;
}

void copy_stack(void** to, uint8_t& count, void* const* from, size_t n) {
  if (n > max_lock_frames) n = max_lock_frames;
  for (size_t i = 0; i < n; ++i) to[i] = from[i];
  count = static_cast<uint8_t>(n);
}

void add_declared(const declared_pair& p) HF_REQUIRES(graph_lock) {
  for (uint8_t d = 0; d < depths; ++d) {
    order_key outer = p.outer;
    order_key inner = p.inner;
    outer.depth = inner.depth = d;
    uint32_t a = make_node(outer);
    uint32_t b = make_node(inner);
    if (a == 0 || b == 0 || test(good, a, b)) continue;
    set(good, a, b);
    if (auto* r = new (std::nothrow) edge_record) {
      r->edge = bare_edge(a, b);
      r->edge.declared = true;
      r->inner = b;
      r->next = nodes[a].records;
      nodes[a].records = r;
    }
  }
}

}  // namespace

order_verdict learn_order(const held_lock& outer, const order_key& inner, void* const* stack,
                          size_t frames, const char* operation, order_edge* chain, size_t& length) {
  static uint16_t came_from[max_nodes];
  raw_guard g(graph_lock);
  length = 0;
  uint32_t a = make_node({outer.cls, outer.level, outer.depth});
  uint32_t b = make_node(inner);
  if (a == 0 || b == 0 || test(good, a, b)) return order_verdict::known;
  if (test(bad, a, b)) return order_verdict::bad_known;
  if (reaches(b, a, came_from)) {
    set(bad, a, b);
    // The path is known from its end.
    uint32_t steps = 0;
    for (uint32_t at = a; at != b; at = came_from[at]) ++steps;
    uint32_t to = a;
    for (uint32_t i = steps; i > 0; --i) {
      uint32_t from = came_from[to];
      if (i <= max_order_chain) chain[i - 1] = known_edge(from, to);
      to = from;
    }
    length = steps < max_order_chain ? steps : max_order_chain;
    return order_verdict::bad_new;
  }
  set(good, a, b);
  if (auto* r = new (std::nothrow) edge_record) {
    r->edge = bare_edge(a, b);
    r->edge.operation = operation;
    copy_stack(r->edge.outer_stack, r->edge.outer_frames, outer.stack, outer.frames);
    copy_stack(r->edge.inner_stack, r->edge.inner_frames, stack, frames);
    r->inner = b;
    r->next = nodes[a].records;
    nodes[a].records = r;
  }
  return order_verdict::added;
}

void reset_orders() {
  raw_guard g(graph_lock);
  for (uint32_t i = 0; i < max_nodes; ++i) {
    for (auto& w : good[i]) w.store(0, std::memory_order_relaxed);
    for (auto& w : bad[i]) w.store(0, std::memory_order_relaxed);
    while (edge_record* r = nodes[i].records) {
      nodes[i].records = r->next;
      delete r;
    }
  }
  for (uint32_t i = 0; i < declared_count; ++i) add_declared(declared[i]);
}

void declare_order(lock_class& outer, nest outer_level, lock_class& inner, nest inner_level) {
  raw_guard g(graph_lock);
  declared_pair p{{&outer, outer_level, 0}, {&inner, inner_level, 0}};
  if (declared_count < max_declared) declared[declared_count++] = p;
  add_declared(p);
}

HF_NAMESPACE_END
