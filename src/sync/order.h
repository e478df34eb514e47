// SPDX-License-Identifier: Apache-2.0
//
// The graph of lock orders: nodes are (class, nest, depth), an edge a -> b says that b was taken
// while a was held. It stays free of cycles; an edge that would close one is refused and remembered
// as bad.
//
// 1. Looking up a known edge is one relaxed load; only a new edge takes the graph's lock.
// 2. Stacks of the first time are kept for each edge while memory allows; the edge holds without
//    them.
// 3. At most 256 classes and 1024 nodes; what does not fit is not checked (and said once on
//    stderr).
#pragma once

#include "holdfast/sync/violation.h"

HF_NAMESPACE_BEGIN

struct order_key {
  lock_class* cls;
  nest level;
  uint8_t depth;
};

enum class order_verdict : uint8_t { known, added, bad_known, bad_new };

inline constexpr size_t max_order_chain = 16;

// Number of a key's node, 0 if it has none yet; and whether "a before b" is known. Read without a
// lock, on every acquisition.
namespace order_graph {
inline constexpr uint32_t max_classes = 256;
inline constexpr uint32_t max_nodes = 1024;
inline constexpr uint32_t depths = 4;
extern constinit std::atomic<uint16_t> node_ids[max_classes][8][depths];
extern constinit std::atomic<uint64_t> good[max_nodes][max_nodes / 64];

inline uint16_t find_node(const order_key& k) {
  const uint32_t id = k.cls->id.load(std::memory_order_relaxed);
  if (id == 0 || id >= max_classes) return 0;
  const uint32_t d = k.depth < depths ? k.depth : depths - 1;
  return node_ids[id][static_cast<unsigned>(k.level) & 7][d].load(std::memory_order_acquire);
}
inline bool is_known(uint32_t a, uint32_t b) {
  return a != 0 && b != 0 && (good[a][b / 64].load(std::memory_order_relaxed) >> (b % 64) & 1) != 0;
}
}  // namespace order_graph

// Checks and learns "outer before inner". On bad_new, `chain` gets the known path inner -> ... ->
// outer (cut at max_order_chain edges) and `length` its length. `held` and `frames` give the stacks
// to keep.
order_verdict learn_order(const held_lock& outer, const order_key& inner, void* const* stack,
                          size_t frames, const char* operation, order_edge* chain, size_t& length);
void reset_orders();

HF_NAMESPACE_END
