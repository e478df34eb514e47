// SPDX-License-Identifier: Apache-2.0
//
// Object caches: raw memory for objects of one size, fast for the thread that allocates and cheap
// for another thread that frees.
//
// 1. Each thread has, per cache, up to two batches of free objects, linked through the objects'
//    first words. Allocating and freeing touch only these; nothing is shared and nothing is locked.
// 2. A thread that has none left takes a whole batch from the cache's depot; a thread that has too
//    many gives a whole batch to it. So memory that the RCU thread frees comes back to the threads
//    that allocate at one lock for every `slab_batch` objects.
// 3. The depot keeps a bounded number of batches. What is beyond goes to the slabs (64 KiB, aligned
//    to their size, header first); a slab all of whose objects came home is given back to the page
//    allocator, except for a small reserve.
// 4. A cache has static storage duration and a constant initialiser: thread exit may return objects
//    to it at any time.
// 5. Under AddressSanitizer objects come from malloc, so that use after free is found at once.
//    Elsewhere the first two words of a freed object are overwritten.
//
// Locks: the depot's lock is a leaf (only the page allocator's is taken under it). It is a
// plain_mutex, not a checked lock: the checker's own records may come from here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "holdfast/sync/plain_mutex.h"
#include "mem/fail.h"

#if defined(__SANITIZE_ADDRESS__)
#define HOLDFAST_SLAB_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOLDFAST_SLAB_MALLOC 1
#endif
#endif
#ifndef HOLDFAST_SLAB_MALLOC
#define HOLDFAST_SLAB_MALLOC 0
#endif

HF_NAMESPACE_BEGIN

inline constexpr size_t slab_bytes = size_t{64} << 10;
inline constexpr uint32_t slab_batch = 32;          // objects
inline constexpr uint32_t max_slab_caches = 64;     // in one process
inline constexpr uint32_t slab_depot_batches = 64;  // kept per cache

struct slab_stats {
  const char* name = nullptr;
  size_t object_size = 0;
  size_t in_use = 0;  // objects that callers hold; exact while no thread is inside the cache
  size_t cached = 0;  // free objects in threads and depot
  size_t slabs = 0;   // each slab_bytes
};

struct slab_header;

// The untyped part; use slab_cache<T>.
class slab_pool {
 public:
  constexpr slab_pool(const char* name, size_t size, size_t align)
      : name_(name), size_((size + align - 1) / align * align), align_(align) {}
  slab_pool(const slab_pool&) = delete;
  slab_pool& operator=(const slab_pool&) = delete;

  void* allocate();
  void free(void* p);
  slab_stats stats();

 private:
  friend struct slab_thread;
  void* allocate_slow();
  void free_slow(void* p);
  bool enrol();  // gives the cache its number
  void* take_batch(uint32_t& count);
  void give_batch(void* head, uint32_t count);
  void to_slabs(void* head) HF_REQUIRES(lock_);
  bool grow() HF_REQUIRES(lock_);

  const char* name_;
  size_t size_;
  size_t align_;
  std::atomic<uint32_t> id_{0};  // 0: not enrolled; that slot of every thread stays empty
  plain_mutex lock_;
  // Full batches: linked through the second word of the first object.
  void* depot_ HF_GUARDED_BY(lock_) = nullptr;
  uint32_t depot_count_ HF_GUARDED_BY(lock_) = 0;
  slab_header* partial_ HF_GUARDED_BY(lock_) = nullptr;  // slabs with free objects
  uint32_t empty_ HF_GUARDED_BY(lock_) = 0;              // slabs among them with nothing out
  size_t slabs_ HF_GUARDED_BY(lock_) = 0;
  std::atomic<size_t> out_{0};  // objects out of the slabs and of the depot
};

struct slab_slot {
  void* head;                   // free objects in use
  void* spare;                  // a full batch or null
  std::atomic<uint32_t> count;  // in head; written by the owner, read by stats()
};
struct slab_thread_slots {
  slab_slot slot[max_slab_caches];
};
inline constinit thread_local slab_thread_slots slab_slots{};

inline void* slab_pool::allocate() {
  if (mem_should_fail()) [[unlikely]]
    return nullptr;
#if !HOLDFAST_SLAB_MALLOC
  slab_slot& s = slab_slots.slot[id_.load(std::memory_order_relaxed)];
  if (void* p = s.head) [[likely]] {
    s.head = *static_cast<void**>(p);
    s.count.store(s.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    return p;
  }
#endif
  return allocate_slow();
}

inline void slab_pool::free(void* p) {
#if !HOLDFAST_SLAB_MALLOC
  slab_slot& s = slab_slots.slot[id_.load(std::memory_order_relaxed)];
  uint32_t n = s.count.load(std::memory_order_relaxed);
  // An empty slot also takes the slow path, which enrols the thread for clean-up at its exit.
  if (n - 1 < slab_batch - 1 && p) [[likely]] {
    *static_cast<void**>(p) = s.head;
    s.head = p;
    s.count.store(n + 1, std::memory_order_relaxed);
    return;
  }
#endif
  free_slow(p);
}

// Memory for objects of T. The caller constructs (placement new) and destroys.
template <class T>
class slab_cache {
 public:
  explicit constexpr slab_cache(const char* name)
      : pool_(name, sizeof(T) < 2 * sizeof(void*) ? 2 * sizeof(void*) : sizeof(T),
              alignof(T) < alignof(void*) ? alignof(void*) : alignof(T)) {
    static_assert(sizeof(T) <= slab_bytes / 8, "too large for a slab: use the page allocator");
  }
  T* allocate() { return static_cast<T*>(pool_.allocate()); }  // null: out of memory
  void free(T* p) { pool_.free(p); }                           // null is allowed
  slab_stats stats() { return pool_.stats(); }

 private:
  slab_pool pool_;
};

// Every cache that was used so far.
void for_each_slab_cache(void (*fn)(const slab_stats&, void*), void* arg);
// Gives this thread's free objects and the depots' back to the slabs, empty slabs to the system.
void slab_trim();

HF_NAMESPACE_END
