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

// Checks and learns "outer before inner". On bad_new, `chain` gets the known path inner -> ... ->
// outer (cut at max_order_chain edges) and `length` its length. `held` and `frames` give the stacks
// to keep.
order_verdict learn_order(const held_lock& outer, const order_key& inner, void* const* stack,
                          size_t frames, const char* operation, order_edge* chain, size_t& length);
bool order_is_known(const held_lock& outer, const order_key& inner);
void reset_orders();

HF_NAMESPACE_END
