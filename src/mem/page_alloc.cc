// SPDX-License-Identifier: Apache-2.0
//
// A chunk's descriptor has one record a page; the record of a free block's first page links it into
// the free list of its order. Descriptors are found by address through a two-level table.
#include "mem/page_alloc.h"

#include <sys/mman.h>

#include <cassert>
#include <cstdint>
#include <cstring>
#include <new>

#include "holdfast/sync/plain_mutex.h"
#include "holdfast/types.h"

#if defined(__SANITIZE_ADDRESS__)
#define HF_PAGE_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HF_PAGE_POISON 1
#endif
#endif
#ifdef HF_PAGE_POISON
#include <sanitizer/asan_interface.h>
#endif

HF_NAMESPACE_BEGIN
namespace {

constexpr unsigned chunk_shift = page_shift + max_page_order;
constexpr size_t chunk_bytes = size_t{1} << chunk_shift;
constexpr size_t chunk_pages = size_t{1} << max_page_order;
constexpr size_t reserve_chunks = 8;
constexpr uint8_t not_free = 0xff;

struct page_record {
  page_record* next = nullptr;
  page_record* prev = nullptr;
  uint8_t order = not_free;  // of the free block that begins here
  bool zero = false;
};

// Aligned to a power of two above its size, so that a record's own address leads to its chunk.
struct alignas(16384) chunk {
  std::byte* base = nullptr;
  page_record page[chunk_pages];
};

// Address to chunk: 48 bits of address, 21 of them inside a chunk.
constexpr unsigned leaf_bits = 13;
constexpr unsigned top_bits = 48 - chunk_shift - leaf_bits;
struct leaf {
  chunk* slot[size_t{1} << leaf_bits];
};

constexpr uint32_t cache_batch = 32;
constexpr uint32_t cache_max = 2 * cache_batch;

struct thread_pages {
  uintptr_t page[cache_max];  // bit 0: known to be zero
  std::atomic<uint32_t> count;
  bool enrolled;
  bool gone;  // the thread is past its clean-up: nothing may be cached any more
  thread_pages* next;
  thread_pages* prev;
};
constinit thread_local thread_pages cache{};

struct state_t {
  plain_mutex lock;
  page_record* free_list[max_page_order + 1] HF_GUARDED_BY(lock) = {};
  leaf* table[size_t{1} << top_bits] HF_GUARDED_BY(lock) = {};
  size_t chunks HF_GUARDED_BY(lock) = 0;
  size_t free_chunks HF_GUARDED_BY(lock) = 0;
  // Pages out of the buddies, those in thread caches included.
  size_t out HF_GUARDED_BY(lock) = 0;
  thread_pages* threads HF_GUARDED_BY(lock) = nullptr;  // their links, too
};
constinit state_t state;

void poison([[maybe_unused]] const void* p, [[maybe_unused]] size_t n) {
#ifdef HF_PAGE_POISON
  ASAN_POISON_MEMORY_REGION(p, n);
#endif
}
void unpoison([[maybe_unused]] const void* p, [[maybe_unused]] size_t n) {
#ifdef HF_PAGE_POISON
  ASAN_UNPOISON_MEMORY_REGION(p, n);
#endif
}

chunk** table_slot(const std::byte* p, bool make) HF_REQUIRES(state.lock) {
  uintptr_t n = reinterpret_cast<uintptr_t>(p) >> chunk_shift;
  leaf*& l = state.table[n >> leaf_bits & ((size_t{1} << top_bits) - 1)];
  if (!l) {
    if (!make || !(l = new (std::nothrow) leaf{})) return nullptr;
  }
  return &l->slot[n & ((size_t{1} << leaf_bits) - 1)];
}

void push(page_record& r, unsigned order, bool zero) HF_REQUIRES(state.lock) {
  r.order = static_cast<uint8_t>(order);
  r.zero = zero;
  r.prev = nullptr;
  r.next = state.free_list[order];
  if (r.next) r.next->prev = &r;
  state.free_list[order] = &r;
}

void unlink(page_record& r) HF_REQUIRES(state.lock) {
  if (r.prev)
    r.prev->next = r.next;
  else
    state.free_list[r.order] = r.next;
  if (r.next) r.next->prev = r.prev;
  r.order = not_free;
}

struct block_ref {
  chunk* c;
  size_t n;
};
block_ref owner(const std::byte* p) HF_REQUIRES(state.lock) {
  chunk** slot = table_slot(p, false);
  assert(slot && *slot && "not a page of this allocator");
  return {*slot, (reinterpret_cast<uintptr_t>(p) & (chunk_bytes - 1)) >> page_shift};
}

bool map_chunk() HF_REQUIRES(state.lock) {
  void* raw = mmap(nullptr, 2 * chunk_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return false;
  auto* bytes = static_cast<std::byte*>(raw);
  size_t skip =
      (chunk_bytes - (reinterpret_cast<uintptr_t>(raw) & (chunk_bytes - 1))) & (chunk_bytes - 1);
  if (skip) munmap(bytes, skip);
  std::byte* base = bytes + skip;
  if (skip < chunk_bytes) munmap(base + chunk_bytes, chunk_bytes - skip);
  auto* c = new (std::nothrow) chunk;
  chunk** slot = c ? table_slot(base, true) : nullptr;
  if (!slot) {
    delete c;
    munmap(base, chunk_bytes);
    return false;
  }
  // One fault in place of 512 where the system has huge pages to give; only advice.
  madvise(base, chunk_bytes, MADV_HUGEPAGE);
  c->base = base;
  *slot = c;
  ++state.chunks;
  ++state.free_chunks;
  poison(base, chunk_bytes);
  push(c->page[0], max_page_order, true);
  return true;
}

void unmap_chunk(chunk* c) HF_REQUIRES(state.lock) {
  unlink(c->page[0]);
  --state.chunks;
  --state.free_chunks;
  *table_slot(c->base, false) = nullptr;
  unpoison(c->base, chunk_bytes);
  munmap(c->base, chunk_bytes);
  delete c;
}

chunk* chunk_of(page_record& r) {
  return reinterpret_cast<chunk*>(reinterpret_cast<uintptr_t>(&r) & ~(alignof(chunk) - 1));
}

std::byte* take(unsigned order, bool& zero) HF_REQUIRES(state.lock) {
  unsigned o = order;
  while (o <= max_page_order && !state.free_list[o]) ++o;
  if (o > max_page_order) {
    if (!map_chunk()) return nullptr;
    o = max_page_order;
  }
  page_record& r = *state.free_list[o];
  chunk* c = chunk_of(r);
  if (o == max_page_order) --state.free_chunks;
  zero = r.zero;
  unlink(r);
  auto n = static_cast<size_t>(&r - c->page);
  while (o > order) {
    --o;
    push(c->page[n + (size_t{1} << o)], o, zero);
  }
  state.out += size_t{1} << order;
  return c->base + (n << page_shift);
}

void give(std::byte* p, unsigned order, bool zero) HF_REQUIRES(state.lock) {
  auto [c, n] = owner(p);
  state.out -= size_t{1} << order;
  while (order < max_page_order) {
    page_record& buddy = c->page[n ^ (size_t{1} << order)];
    if (buddy.order != order) break;
    zero = zero && buddy.zero;
    unlink(buddy);
    n &= ~(size_t{1} << order);
    ++order;
  }
  push(c->page[n], order, zero);
  if (order == max_page_order && ++state.free_chunks > reserve_chunks) unmap_chunk(c);
}

// Returns cached pages at thread exit.
struct thread_cleanup {
  ~thread_cleanup() {
    plain_guard hold(state.lock);
    uint32_t n = cache.count.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < n; ++i)
      give(reinterpret_cast<std::byte*>(cache.page[i] & ~uintptr_t{1}), 0, cache.page[i] & 1);
    cache.count.store(0, std::memory_order_relaxed);
    cache.gone = true;
    if (cache.prev)
      cache.prev->next = cache.next;
    else
      state.threads = cache.next;
    if (cache.next) cache.next->prev = cache.prev;
  }
};

void enrol_thread() HF_REQUIRES(state.lock) {
  cache.enrolled = true;
  cache.prev = nullptr;
  cache.next = state.threads;
  if (cache.next) cache.next->prev = &cache;
  state.threads = &cache;
}
void arm_cleanup() {
  static thread_local thread_cleanup cleanup;
  static_cast<void>(&cleanup);
}

}  // namespace

std::byte* alloc_pages(unsigned order, bool zero) {
  if (order > max_page_order || mem_should_fail()) [[unlikely]]
    return nullptr;
  std::byte* p = nullptr;
  bool clean = false;
  if (order == 0 && !cache.gone) [[likely]] {
    uint32_t n = cache.count.load(std::memory_order_relaxed);
    if (n == 0) [[unlikely]] {
      if (!cache.enrolled) arm_cleanup();
      plain_guard hold(state.lock);
      if (!cache.enrolled) enrol_thread();
      // Filled from the top down, so that pages come out in the order of their addresses.
      uint32_t got = 0;
      bool z = false;
      uintptr_t batch[cache_batch];
      while (got < cache_batch) {
        std::byte* b = take(0, z);
        if (!b) break;
        batch[got++] = reinterpret_cast<uintptr_t>(b) | (z ? 1u : 0u);
      }
      for (uint32_t i = 0; i < got; ++i) cache.page[i] = batch[got - 1 - i];
      n = got;
      if (n == 0) return nullptr;
    }
    uintptr_t v = cache.page[--n];
    cache.count.store(n, std::memory_order_relaxed);
    p = reinterpret_cast<std::byte*>(v & ~uintptr_t{1});
    clean = v & 1;
  } else {
    plain_guard hold(state.lock);
    p = take(order, clean);
    if (!p) return nullptr;
  }
  unpoison(p, page_size << order);
  if (zero && !clean) std::memset(p, 0, page_size << order);
  return p;
}

void free_pages(std::byte* block, unsigned order) {
  if (!block) return;
  poison(block, page_size << order);
  if (order == 0 && !cache.gone) {
    uint32_t n = cache.count.load(std::memory_order_relaxed);
    if (n < cache_max && cache.enrolled) [[likely]] {
      cache.page[n] = reinterpret_cast<uintptr_t>(block);
      cache.count.store(n + 1, std::memory_order_relaxed);
      return;
    }
    if (!cache.enrolled) arm_cleanup();
    plain_guard hold(state.lock);
    if (!cache.enrolled) enrol_thread();
    if (n == cache_max) {  // the older half goes: it is the colder one
      for (uint32_t i = 0; i < cache_batch; ++i)
        give(reinterpret_cast<std::byte*>(cache.page[i] & ~uintptr_t{1}), 0, cache.page[i] & 1);
      n = cache_max - cache_batch;
      std::memmove(cache.page, cache.page + cache_batch, n * sizeof(cache.page[0]));
    }
    cache.page[n] = reinterpret_cast<uintptr_t>(block);
    cache.count.store(n + 1, std::memory_order_relaxed);
    return;
  }
  plain_guard hold(state.lock);
  give(block, order, false);
}

page_stats page_statistics() {
  plain_guard hold(state.lock);
  page_stats s;
  s.chunks = state.chunks;
  for (thread_pages* t = state.threads; t; t = t->next)
    s.cached += t->count.load(std::memory_order_relaxed);
  s.in_use = state.out - s.cached;
  return s;
}

void page_trim() {
  plain_guard hold(state.lock);
  uint32_t n = cache.count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < n; ++i)
    give(reinterpret_cast<std::byte*>(cache.page[i] & ~uintptr_t{1}), 0, cache.page[i] & 1);
  cache.count.store(0, std::memory_order_relaxed);
  while (page_record* r = state.free_list[max_page_order]) unmap_chunk(chunk_of(*r));
}

HF_NAMESPACE_END
