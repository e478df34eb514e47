// SPDX-License-Identifier: Apache-2.0
// Slow paths of mutex, spinlock and lockref: spin while the holder may be about to leave, then
// sleep.
#include "holdfast/sync/mutex.h"

#include "holdfast/sync/lockref.h"
#include "holdfast/sync/spinlock.h"
#include "sync/sleep.h"

HF_NAMESPACE_BEGIN
namespace detail {
namespace {

// A pause is tens of cycles: these are one to a few microseconds, below the price of a sleep and a
// wake.
constexpr int mutex_spins = 60;
constexpr int spinlock_spins = 120;

void lock_word(std::atomic<uint32_t>& word, lock_class& c, int spins) {
  contention_scope contention(c);
  for (int i = 0; i < spins; ++i) {
    uint32_t w = word.load(std::memory_order_relaxed);
    if (w == 0 &&
        word.compare_exchange_weak(w, 1, std::memory_order_acquire, std::memory_order_relaxed))
      return;
    if (w == 2) break;  // others sleep already: the holder is slow
    cpu_relax();
  }
  // 2 also when taken: whether more sleep is unknown, one wake too many is harmless.
  while (word.exchange(2, std::memory_order_acquire) != 0) contention.sleep(word, 2, &word);
}

// The lock half of a lockref's word, for the kernel's eyes only.
const std::atomic<uint32_t>& low_half(const std::atomic<uint64_t>& word) {
  return *reinterpret_cast<const std::atomic<uint32_t>*>(&word);
}

}  // namespace

void mutex_lock_slow(std::atomic<uint32_t>& word, lock_class& c) {
  lock_word(word, c, mutex_spins);
}
void spin_lock_slow(std::atomic<uint32_t>& word, lock_class& c) {
  lock_word(word, c, spinlock_spins);
}
void futex_wake_one(std::atomic<uint32_t>& word) {
  futex_wake(word, 1);
}

void lockref_lock_slow(std::atomic<uint64_t>& word, lock_class& c) {
  constexpr uint64_t lock_bits = UINT32_MAX;
  contention_scope contention(c);
  for (int i = 0;; ++i) {
    uint64_t w = word.load(std::memory_order_relaxed);
    uint64_t lock = w & lock_bits;
    if (lock == 0) {
      // After a sleep others may sleep too, so it is taken as 2.
      uint64_t mine = i < spinlock_spins ? 1 : 2;
      if (word.compare_exchange_weak(w, w | mine, std::memory_order_acquire,
                                     std::memory_order_relaxed))
        return;
    } else if (i < spinlock_spins) {
      cpu_relax();
    } else if (lock == 2 ||
               word.compare_exchange_weak(w, (w & ~lock_bits) | 2, std::memory_order_relaxed)) {
      contention.sleep(low_half(word), 2, &word);
    }
  }
}
void lockref_wake(std::atomic<uint64_t>& word) {
  futex_wake(low_half(word), 1);
}

}  // namespace detail
HF_NAMESPACE_END
