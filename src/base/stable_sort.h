// SPDX-License-Identifier: Apache-2.0
//
// std::stable_sort of libstdc++ 12 uses a buffer that the standard deprecated, which clang makes an
// error. This one sorts positions; for lists of reports and notes, not for hot paths.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

// Equal elements keep their order.
template <class T, class Less>
void stable_sort(std::vector<T>& v, Less less) {
  std::vector<size_t> order(v.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (less(v[a], v[b])) return true;
    return !less(v[b], v[a]) && a < b;
  });
  std::vector<T> sorted;
  sorted.reserve(v.size());
  for (const size_t i : order) sorted.push_back(std::move(v[i]));
  v = std::move(sorted);
}

HF_NAMESPACE_END
