// SPDX-License-Identifier: Apache-2.0
//
// The tree against std::map, by random operations: orders, order of iteration, no node left behind.
#include "pagecache/radix.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>

#include "holdfast/sync/rcu.h"
#include "mem/fail.h"

HF_NAMESPACE_BEGIN
namespace {

struct alignas(16) value {
  uint64_t index;
  unsigned order;
};

class radix_model : public testing::TestWithParam<uint64_t> {};

TEST_P(radix_model, behaves_like_a_map) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed << " span " << GetParam());
  std::mt19937_64 rng(seed);
  const size_t nodes_before = radix_nodes();
  radix_root root{nullptr};
  std::map<uint64_t, value*> model;  // by first position
  auto covering = [&](uint64_t i) -> value* {
    auto it = model.upper_bound(i);
    if (it == model.begin()) return nullptr;
    value* v = std::prev(it)->second;
    return i < v->index + (uint64_t{1} << v->order) ? v : nullptr;
  };
  for (int step = 0; step < 30000; ++step) {
    uint64_t i = rng() % GetParam();
    switch (rng() % 5) {
      case 0:
      case 1: {
        const unsigned order = rng() % 4 ? 0 : static_cast<unsigned>(rng() % 10);
        i &= ~((uint64_t{1} << order) - 1);
        auto next = model.lower_bound(i);
        const bool free =
            !covering(i) && (next == model.end() || next->first >= i + (uint64_t{1} << order));
        auto* v = new value{i, order};
        Status st = radix_insert(root, i, order, v, radix_reclaim::at_once);
        ASSERT_EQ(st.ok(), free) << "at " << i << " order " << order;
        if (free) {
          model[i] = v;
        } else {
          EXPECT_EQ(st.code(), EEXIST);
          delete v;
        }
        break;
      }
      case 2: {
        value* v = covering(i);
        if (!v) break;
        ASSERT_EQ(radix_erase(root, v->index, v->order, radix_reclaim::at_once), v);
        model.erase(v->index);
        delete v;
        break;
      }
      case 3:
        ASSERT_EQ(radix_lookup(root, i), covering(i)) << "at " << i;
        break;
      default: {
        value* want = covering(i);
        uint64_t where = i;
        if (!want) {
          auto it = model.lower_bound(i);
          if (it != model.end()) {
            want = it->second;
            where = it->first;
          }
        }
        uint64_t at = i;
        ASSERT_EQ(radix_next(root, at), want) << "from " << i;
        if (want) ASSERT_EQ(at, where);
      }
    }
  }
  uint64_t at = 0;
  for (auto& [index, v] : model) {
    ASSERT_EQ(radix_next(root, at), v);
    at = index + (uint64_t{1} << v->order);
  }
  for (auto& [index, v] : model) {
    EXPECT_EQ(radix_erase(root, index, v->order, radix_reclaim::at_once), v);
    delete v;
  }
  EXPECT_EQ(root.load(), nullptr);
  EXPECT_EQ(radix_nodes(), nodes_before);
}

INSTANTIATE_TEST_SUITE_P(spans, radix_model,
                         testing::Values(uint64_t{64}, uint64_t{5000}, uint64_t{1} << 20,
                                         uint64_t{1} << 62));

TEST(radix, highest_position) {
  radix_root root{nullptr};
  value v{UINT64_MAX, 0};
  ASSERT_TRUE(radix_insert(root, UINT64_MAX, 0, &v, radix_reclaim::at_once));
  EXPECT_EQ(radix_lookup(root, UINT64_MAX), &v);
  uint64_t at = 0;
  EXPECT_EQ(radix_next(root, at), &v);
  EXPECT_EQ(at, UINT64_MAX);
  EXPECT_EQ(radix_erase(root, UINT64_MAX, 0, radix_reclaim::at_once), &v);
}

TEST(radix, out_of_memory_changes_nothing) {
  const size_t before = radix_nodes();
  radix_root root{nullptr};
  value low{0, 0}, high{1u << 30, 0};
  ASSERT_TRUE(radix_insert(root, 0, 0, &low, radix_reclaim::at_once));
  for (int n = 0; n < 20; ++n) {
    mem_fail_after(n);
    Status st = radix_insert(root, high.index, 0, &high, radix_reclaim::at_once);
    mem_fail_reset();
    EXPECT_EQ(radix_lookup(root, 0), &low);
    if (st) {
      EXPECT_EQ(radix_erase(root, high.index, 0, radix_reclaim::at_once), &high);
      EXPECT_GT(n, 1);
      break;
    }
    EXPECT_EQ(st.code(), ENOMEM);
    EXPECT_EQ(radix_nodes(), before) << "after failure number " << n;
  }
  EXPECT_EQ(radix_erase(root, 0, 0, radix_reclaim::at_once), &low);
  EXPECT_EQ(radix_nodes(), before);
}

struct split_ctx {
  value* left;
  value* right;
  uint64_t at;
};

TEST(radix, split_keeps_every_position) {
  for (unsigned order : {1u, 3u, 5u, 6u, 7u, 9u})
    for (uint64_t at = 1; at < uint64_t{1} << order; at += at < 70 ? 1 : 61) {
      radix_root root{nullptr};
      const uint64_t base = uint64_t{1} << 10;
      value whole{base, order}, left{base, 0}, right{base + at, 0};
      ASSERT_TRUE(radix_insert(root, base, order, &whole, radix_reclaim::at_once));
      split_ctx ctx{&left, &right, base + at};
      auto part = [](uint64_t p, void* c) -> void* {
        auto& s = *static_cast<split_ctx*>(c);
        return p < s.at ? s.left : s.right;
      };
      ASSERT_TRUE(radix_split(root, base, order, base + at, part, &ctx));
      for (uint64_t p = base; p < base + (uint64_t{1} << order); ++p)
        ASSERT_EQ(radix_lookup(root, p), p < base + at ? &left : &right)
            << "order " << order << " at " << at << " position " << p - base;
      EXPECT_EQ(radix_lookup(root, base - 1), nullptr);
      // Erase by units that divide both parts.
      for (uint64_t p = base; p < base + (uint64_t{1} << order); ++p) {
        if (radix_erase(root, p, 0, radix_reclaim::at_once)) continue;
        radix_erase(root, p, 6, radix_reclaim::at_once);
      }
      ASSERT_EQ(root.load(), nullptr);
    }
}

}  // namespace
HF_NAMESPACE_END
