// SPDX-License-Identifier: Apache-2.0
//
// The published lock order, as data: what the kernel's documents and the comments heading its files
// say about which lock is taken inside which.
//
// 1. Loaded into the validator before main(), so that a wrong order is reported the first time it
//    happens, not when both orders were seen.
// 2. Pairs are direct statements; what follows from several is found by the validator.
// 3. A class that nothing uses yet is listed all the same: whoever brings it is born checked.
#pragma once

#include <span>

#include "holdfast/sync/lock_class.h"

HF_NAMESPACE_BEGIN

struct published_order {
  lock_class& outer;
  nest outer_level;
  lock_class& inner;
  nest inner_level;
  const char* source;  // who says so
};

std::span<const published_order> published_orders();
// Once, before main(): report.cc does.
void declare_published_orders();

HF_NAMESPACE_END
