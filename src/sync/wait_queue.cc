// SPDX-License-Identifier: Apache-2.0
// Sleeping on and waking of one entry.
#include "holdfast/sync/wait_queue.h"

#include "sync/sleep.h"

HF_NAMESPACE_BEGIN
namespace detail {

bool wait_on_word(std::atomic<uint32_t>& word, int64_t deadline_ns, lock_class& c) {
  if (word.load(std::memory_order_acquire) != 0) return true;
  contention_scope contention(c);
  while (word.load(std::memory_order_acquire) == 0) {
    if (!contention.sleep(word, 0, &word, deadline_ns))
      return word.load(std::memory_order_acquire) != 0;
  }
  return true;
}

void wake_word(std::atomic<uint32_t>& word) {
  word.store(1, std::memory_order_release);
  futex_wake(word, 1);
}

}  // namespace detail
HF_NAMESPACE_END
