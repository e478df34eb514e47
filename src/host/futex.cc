// SPDX-License-Identifier: Apache-2.0
// The futex system call; see futex.h.
#include "host/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

HF_NAMESPACE_BEGIN

bool futex_wait(const std::atomic<uint32_t>& word, uint32_t expected, int64_t deadline_ns) {
  timespec ts{};
  const timespec* until = nullptr;
  if (deadline_ns != futex_forever) {
    if (deadline_ns < 0) deadline_ns = 0;
    ts.tv_sec = deadline_ns / 1'000'000'000;
    ts.tv_nsec = deadline_ns % 1'000'000'000;
    until = &ts;
  }
  // The bitset form takes an absolute deadline.
  long r = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until,
                   nullptr, FUTEX_BITSET_MATCH_ANY);
  return !(r < 0 && errno == ETIMEDOUT);
}

void futex_wake(const std::atomic<uint32_t>& word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}

HF_NAMESPACE_END
