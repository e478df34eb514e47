// SPDX-License-Identifier: Apache-2.0
#include "mem/slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "mem/page_alloc.h"

HF_NAMESPACE_BEGIN
namespace {

struct alignas(32) thing {
  char bytes[200];
};

constinit slab_cache<thing> things("test_thing");

TEST(slab, objects_are_distinct_aligned_and_come_back) {
  const slab_stats before = things.stats();
  std::set<thing*> live;
  for (int i = 0; i < 5000; ++i) {
    thing* t = things.allocate();
    ASSERT_NE(t, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t) % alignof(thing), 0u);
    ASSERT_TRUE(live.insert(t).second);
    std::memset(t, i, sizeof *t);
  }
  for (auto it = live.begin(); it != live.end(); ++it) {
    auto next = std::next(it);
    if (next != live.end())
      EXPECT_GE(reinterpret_cast<char*>(*next) - reinterpret_cast<char*>(*it),
                static_cast<ptrdiff_t>(sizeof(thing)));
  }
  EXPECT_EQ(things.stats().in_use, before.in_use + live.size());
  for (thing* t : live) things.free(t);
  EXPECT_EQ(things.stats().in_use, before.in_use);
  slab_trim();
  EXPECT_EQ(things.stats().slabs, before.slabs);
}

TEST(slab, another_thread_frees) {
  constexpr int rounds = 20, many = 2000;
  const size_t before = things.stats().in_use;
  size_t slabs_first = 0;
  for (int r = 0; r < rounds; ++r) {
    std::vector<thing*> v(many);
    for (thing*& t : v) {
      t = things.allocate();
      ASSERT_NE(t, nullptr);
      std::memset(t, r, sizeof *t);
    }
    std::thread([&] {
      for (thing* t : v) things.free(t);
    }).join();
    if (r == 0) slabs_first = things.stats().slabs;
  }
  EXPECT_EQ(things.stats().in_use, before);
  // What the other thread freed was used again: no growth by rounds.
  EXPECT_LE(things.stats().slabs, slabs_first * 2 + 8);
}

TEST(slab, threads_in_parallel) {
  const size_t before = things.stats().in_use;
  std::vector<std::thread> ts;
  for (unsigned n = 0; n < 4; ++n)
    ts.emplace_back([n] {
      std::vector<thing*> mine;
      for (unsigned i = 0; i < 50000; ++i) {
        if (mine.size() < 100 && i * (n + 3) % 7 < 4) {
          thing* t = things.allocate();
          std::memset(t, static_cast<int>(n), sizeof *t);
          mine.push_back(t);
        } else if (!mine.empty()) {
          thing* t = mine.back();
          mine.pop_back();
          for (char c : t->bytes) ASSERT_EQ(c, static_cast<char>(n));
          things.free(t);
        }
      }
      for (thing* t : mine) things.free(t);
    });
  for (auto& t : ts) t.join();
  EXPECT_EQ(things.stats().in_use, before);
}

TEST(slab, injected_failure) {
  mem_fail_after(2);
  thing* a = things.allocate();
  thing* b = things.allocate();
  EXPECT_NE(a, nullptr);
  EXPECT_NE(b, nullptr);
  EXPECT_EQ(things.allocate(), nullptr);
  mem_fail_reset();
  things.free(a);
  things.free(b);
}

TEST(pages, blocks_are_aligned_disjoint_and_zero_when_asked) {
  const page_stats before = page_statistics();
  struct block {
    std::byte* p;
    unsigned order;
    int mark;
  };
  std::vector<block> live;
  unsigned x = 12345;
  size_t pages = 0;
  for (int i = 0; i < 4000; ++i) {
    x = x * 1664525 + 1013904223;
    if (live.size() < 200 && x >> 30) {
      const unsigned order = (x >> 8) % 16 == 0 ? (x >> 16) % (max_page_order + 1) : (x >> 16) % 3;
      std::byte* p = alloc_pages(order, true);
      ASSERT_NE(p, nullptr);
      const size_t bytes = size_t{4096} << order;
      ASSERT_EQ(reinterpret_cast<uintptr_t>(p) % bytes, 0u);
      ASSERT_EQ(p[0], std::byte{0});
      ASSERT_EQ(std::memcmp(p, p + 1, bytes - 1), 0);
      std::memset(p, i & 0x7f, bytes);
      live.push_back({p, order, i & 0x7f});
      pages += size_t{1} << order;
    } else if (!live.empty()) {
      const size_t k = (x >> 4) % live.size();
      block b = live[k];
      live[k] = live.back();
      live.pop_back();
      ASSERT_EQ(b.p[0], static_cast<std::byte>(b.mark));
      ASSERT_EQ(std::memcmp(b.p, b.p + 1, (size_t{4096} << b.order) - 1), 0);
      free_pages(b.p, b.order);
      pages -= size_t{1} << b.order;
    }
    if (i % 500 == 0) EXPECT_EQ(page_statistics().in_use, before.in_use + pages);
  }
  for (const block& b : live) free_pages(b.p, b.order);
  EXPECT_EQ(page_statistics().in_use, before.in_use);
  page_trim();
  EXPECT_LE(page_statistics().chunks, before.chunks + 1);
}

TEST(pages, parts_of_a_block_may_be_freed_alone) {
  const size_t before = page_statistics().in_use;
  std::byte* p = alloc_pages(3, false);
  ASSERT_NE(p, nullptr);
  free_pages(p + 4096, 0);
  free_pages(p, 0);
  free_pages(p + 2 * 4096, 1);
  free_pages(p + 4 * 4096, 2);
  EXPECT_EQ(page_statistics().in_use, before);
}

}  // namespace
HF_NAMESPACE_END
