// SPDX-License-Identifier: Apache-2.0
//
// A radix tree from 64-bit positions to pointers, 64 ways a node.
//
// 1. An entry is a pointer with bit 0 set (radix_entry below); anything else that is not null is a
//    node. An entry of order n stands at 2^(n mod 6) slots of the level n / 6.
// 2. Readers take no lock: they hold an RCU section, or whatever excludes the writers. A reader
//    sees each slot before or after a change, never between. Removed nodes keep their contents for
//    readers that are inside, and are freed after a grace period when `radix_rcu` was asked for,
//    else at once.
// 3. No node is empty, and the root is as low as its contents allow: a single entry at position 0
//    needs no node at all.
// 4. Writers take turns by a lock of the caller's.
#pragma once

#include <atomic>
#include <cstdint>

#include "holdfast/result.h"
#include "holdfast/types.h"

HF_NAMESPACE_BEGIN

using radix_root = std::atomic<void*>;
enum class radix_reclaim : uint8_t { at_once, rcu };

// Null: nothing there.
void* radix_lookup(const radix_root& root, uint64_t index);
// The first entry at or after `index`, which becomes a position of it; null: none. Under RCU alone
// it may miss what is inserted and report what is removed meanwhile.
void* radix_next(const radix_root& root, uint64_t& index);
// Errors: EEXIST, ENOMEM. `index` is a multiple of 2^order; `value` is aligned to 2.
Status radix_insert(radix_root& root, uint64_t index, unsigned order, void* value,
                    radix_reclaim how);
// Removes the entry of `order` at `index`, if there is one; returns it.
void* radix_erase(radix_root& root, uint64_t index, unsigned order, radix_reclaim how);
// Stores another value over an entry of the same order; the one before, or null if there was none
// (then nothing is stored).
void* radix_replace(radix_root& root, uint64_t index, unsigned order, void* value);
// Replaces an entry of order 1..11 by smaller ones on the same positions, of which one begins at
// `at`. part(p, ctx) names the entry for position p, and is called for one position of each slot.
// Each position has its old or its new entry at every moment. Error: ENOMEM, nothing changed.
Status radix_split(radix_root& root, uint64_t index, unsigned order, uint64_t at,
                   void* (*part)(uint64_t position, void* ctx), void* ctx);
// Nodes in existence, over all trees; for tests.
size_t radix_nodes();

HF_NAMESPACE_END
