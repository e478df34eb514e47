// SPDX-License-Identifier: Apache-2.0
// Waiting for a writer to leave its section.
#include "holdfast/sync/seqlock.h"

#include <sched.h>

#include "host/futex.h"

HF_NAMESPACE_BEGIN
namespace detail {

uint32_t seq_wait_even(const std::atomic<uint32_t>& seq) {
  for (int i = 0;; ++i) {
    uint32_t s = seq.load(std::memory_order_acquire);
    if ((s & 1) == 0) return s;
    // The writer may have been preempted; it has a lock that others wait for too, so it runs soon.
    if (i < 100)
      cpu_relax();
    else
      sched_yield();
    schedule_point(sched_event::wait, &seq);
  }
}

}  // namespace detail
HF_NAMESPACE_END
