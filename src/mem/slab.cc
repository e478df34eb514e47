// SPDX-License-Identifier: Apache-2.0
#include "mem/slab.h"

#include <cstdlib>

#include "mem/page_alloc.h"

HF_NAMESPACE_BEGIN

// At the start of each slab. A slab that has free objects is on its pool's partial list.
struct slab_header {
  void* free;        // objects that came home, linked through their first words
  std::byte* fresh;  // first byte never handed out
  uint32_t in_use;   // objects outside
  uint32_t capacity;
  slab_header* next;
  slab_header* prev;
  bool listed;
};

namespace {

constexpr unsigned slab_order = 4;
static_assert(slab_bytes == size_t{4096} << slab_order);
constexpr uint32_t reserve_slabs = 4;

void*& first_word(void* p) {
  return static_cast<void**>(p)[0];
}
void*& second_word(void* p) {
  return static_cast<void**>(p)[1];
}

struct registry_t {
  plain_mutex lock;
  slab_pool* pool[max_slab_caches] = {};   // written under lock; read without by who has the number
  uint32_t count HF_GUARDED_BY(lock) = 0;  // the last number given; 0 is nobody's
};
constinit registry_t registry;

// Threads that may hold objects, for statistics.
struct thread_entry {
  slab_thread_slots* slots = nullptr;
  thread_entry* next HF_GUARDED_BY(registry.lock) = nullptr;
  thread_entry* prev HF_GUARDED_BY(registry.lock) = nullptr;
};
constinit thread_entry* threads HF_GUARDED_BY(registry.lock) = nullptr;

enum class phase : uint8_t { fresh, live, gone };
constinit thread_local phase thread_phase = phase::fresh;

}  // namespace

// Gives a thread's objects back when it ends.
struct slab_thread {
  thread_entry entry;
  slab_thread() {
    plain_guard hold(registry.lock);
    entry.slots = &slab_slots;
    entry.next = threads;
    if (threads) threads->prev = &entry;
    threads = &entry;
    thread_phase = phase::live;
  }
  ~slab_thread() {
    drain();
    plain_guard hold(registry.lock);
    (entry.prev ? entry.prev->next : threads) = entry.next;
    if (entry.next) entry.next->prev = entry.prev;
    thread_phase = phase::gone;
  }
  static void drain() {
    for (uint32_t id = 1; id < max_slab_caches; ++id) {
      slab_slot& s = slab_slots.slot[id];
      if (!s.head && !s.spare) continue;
      slab_pool* pool = registry.pool[id];
      if (s.head) pool->give_batch(s.head, s.count.load(std::memory_order_relaxed));
      if (s.spare) pool->give_batch(s.spare, slab_batch);
      s.head = s.spare = nullptr;
      s.count.store(0, std::memory_order_relaxed);
    }
  }
  static slab_stats stats(slab_pool& p, uint32_t id) HF_REQUIRES(registry.lock) {
    slab_stats st;
    st.name = p.name_;
    st.object_size = p.size_;
    plain_guard hold_pool(p.lock_);
    st.slabs = p.slabs_;
    size_t in_threads = 0;
    for (thread_entry* t = threads; t; t = t->next) {
      slab_slot& s = t->slots->slot[id];
      in_threads += s.count.load(std::memory_order_relaxed);
      if (__atomic_load_n(&s.spare, __ATOMIC_RELAXED)) in_threads += slab_batch;
    }
    size_t out = p.out_.load(std::memory_order_relaxed);
    st.in_use = out > in_threads ? out - in_threads : 0;
    st.cached = in_threads + size_t{p.depot_count_} * slab_batch;
    return st;
  }
  static void trim(slab_pool& p) {
    plain_guard hold(p.lock_);
    while (void* b = p.depot_) {
      p.depot_ = second_word(b);
      --p.depot_count_;
      p.to_slabs(b);
    }
    for (slab_header* h = p.partial_; h;) {
      slab_header* next = h->next;
      if (h->in_use == 0) {
        (h->prev ? h->prev->next : p.partial_) = next;
        if (next) next->prev = h->prev;
        --p.empty_;
        --p.slabs_;
        free_pages(reinterpret_cast<std::byte*>(h), slab_order);
      }
      h = next;
    }
  }
};

namespace {

// True if the thread may keep objects. Under AddressSanitizer none keeps any.
[[maybe_unused]] bool thread_ready() {
  if (thread_phase == phase::live) return true;
  if (thread_phase == phase::gone) return false;
  static thread_local slab_thread self;
  return thread_phase == phase::live;
}

}  // namespace

bool slab_pool::enrol() {
  plain_guard hold(registry.lock);
  if (id_.load(std::memory_order_relaxed)) return true;
  if (registry.count + 1 >= max_slab_caches) return false;
  uint32_t id = ++registry.count;
  registry.pool[id] = this;
  id_.store(id, std::memory_order_release);
  return true;
}

bool slab_pool::grow() {
  std::byte* mem = alloc_pages(slab_order, false);
  if (!mem) return false;
  auto* h = reinterpret_cast<slab_header*>(mem);
  size_t start = (sizeof(slab_header) + align_ - 1) / align_ * align_;
  *h = {};
  h->fresh = mem + start;
  h->capacity = static_cast<uint32_t>((slab_bytes - start) / size_);
  h->next = partial_;
  if (partial_) partial_->prev = h;
  partial_ = h;
  h->listed = true;
  ++slabs_;
  ++empty_;
  return true;
}

void* slab_pool::take_batch(uint32_t& count) {
  plain_guard hold(lock_);
  if (void* b = depot_) {
    depot_ = second_word(b);
    --depot_count_;
    out_.store(out_.load(std::memory_order_relaxed) + slab_batch, std::memory_order_relaxed);
    count = slab_batch;
    return b;
  }
  void* head = nullptr;
  void** tail = &head;
  count = 0;
  while (count < slab_batch) {
    if (!partial_ && !grow()) break;
    slab_header* h = partial_;
    if (h->in_use == 0) --empty_;
    void* p = h->free;
    if (p) {
      h->free = first_word(p);
    } else {
      p = h->fresh;
      h->fresh += size_;
    }
    if (++h->in_use == h->capacity) {
      partial_ = h->next;
      if (partial_) partial_->prev = nullptr;
      h->next = nullptr;
      h->listed = false;
    }
    *tail = p;
    tail = &first_word(p);
    ++count;
  }
  *tail = nullptr;
  out_.store(out_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  return head;
}

void slab_pool::to_slabs(void* head) {
  while (head) {
    void* p = head;
    head = first_word(p);
    auto* h = reinterpret_cast<slab_header*>(reinterpret_cast<uintptr_t>(p) & ~(slab_bytes - 1));
    first_word(p) = h->free;
    h->free = p;
    if (!h->listed) {
      h->prev = nullptr;
      h->next = partial_;
      if (partial_) partial_->prev = h;
      partial_ = h;
      h->listed = true;
    }
    if (--h->in_use == 0 && ++empty_ > reserve_slabs) {
      (h->prev ? h->prev->next : partial_) = h->next;
      if (h->next) h->next->prev = h->prev;
      --empty_;
      --slabs_;
      free_pages(reinterpret_cast<std::byte*>(h), slab_order);
    }
  }
}

void slab_pool::give_batch(void* head, uint32_t count) {
  plain_guard hold(lock_);
  out_.store(out_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  if (count == slab_batch && depot_count_ < slab_depot_batches) {
    second_word(head) = depot_;
    depot_ = head;
    ++depot_count_;
    return;
  }
  to_slabs(head);
}

void* slab_pool::allocate_slow() {
#if HOLDFAST_SLAB_MALLOC
  if (!id_.load(std::memory_order_relaxed) && !enrol()) return nullptr;
  void* p = std::aligned_alloc(align_, size_);
  if (p) out_.fetch_add(1, std::memory_order_relaxed);
  return p;
#else
  if (!id_.load(std::memory_order_acquire) && !enrol()) return nullptr;
  uint32_t n = 0;
  if (!thread_ready()) {  // a thread on its way out: one object, the rest back
    void* head = take_batch(n);
    if (head && n > 1) {
      give_batch(first_word(head), n - 1);
    }
    return head;
  }
  slab_slot& s = slab_slots.slot[id_.load(std::memory_order_relaxed)];
  void* head = s.spare;
  if (head) {
    __atomic_store_n(&s.spare, nullptr, __ATOMIC_RELAXED);
    n = slab_batch;
  } else if (!(head = take_batch(n))) {
    return nullptr;
  }
  s.head = first_word(head);
  s.count.store(n - 1, std::memory_order_relaxed);
  return head;
#endif
}

void slab_pool::free_slow(void* p) {
  if (!p) return;
#if HOLDFAST_SLAB_MALLOC
  out_.fetch_sub(1, std::memory_order_relaxed);
  std::free(p);
#else
  if (!thread_ready()) {
    first_word(p) = nullptr;
    give_batch(p, 1);
    return;
  }
  slab_slot& s = slab_slots.slot[id_.load(std::memory_order_relaxed)];
  uint32_t n = s.count.load(std::memory_order_relaxed);
  if (n == slab_batch) {
    if (s.spare)
      give_batch(s.head, n);
    else
      __atomic_store_n(&s.spare, s.head, __ATOMIC_RELAXED);
    s.head = nullptr;
    n = 0;
  }
  first_word(p) = s.head;
  s.head = p;
  s.count.store(n + 1, std::memory_order_relaxed);
#endif
}

slab_stats slab_pool::stats() {
  plain_guard hold(registry.lock);
  return slab_thread::stats(*this, id_.load(std::memory_order_relaxed));
}

void for_each_slab_cache(void (*fn)(const slab_stats&, void*), void* arg) {
  for (uint32_t id = 1; id < max_slab_caches; ++id) {
    slab_stats st;
    {
      plain_guard hold(registry.lock);
      if (id > registry.count) return;
      st = slab_thread::stats(*registry.pool[id], id);
    }
    fn(st, arg);
  }
}

void slab_trim() {
  if (thread_phase == phase::live) slab_thread::drain();
  uint32_t n = 0;
  {
    plain_guard hold(registry.lock);
    n = registry.count;
  }
  for (uint32_t id = 1; id <= n; ++id) slab_thread::trim(*registry.pool[id]);
}

HF_NAMESPACE_END
