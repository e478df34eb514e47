// SPDX-License-Identifier: Apache-2.0
// See thread_id.h.
#include "host/thread_id.h"

#include <sys/syscall.h>
#include <unistd.h>

HF_NAMESPACE_BEGIN

int32_t thread_id() {
  return static_cast<int32_t>(syscall(SYS_gettid));
}

HF_NAMESPACE_END
