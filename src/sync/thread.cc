// SPDX-License-Identifier: Apache-2.0
// Thread state, its end, and stack walks.
#include "sync/thread.h"

#include <pthread.h>

#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN

namespace {

constinit std::atomic<uint32_t> last_shard{0};

// A pthread key rather than a thread_local destructor: keys are destroyed after all of those, and
// again if one of the others' destructors makes us register anew.
void thread_exit(void*) {
  detail::thread_state& t = detail::this_thread;
  rcu_thread_exit();
  release_context(t.own);
}

pthread_key_t exit_key() {
  static const pthread_key_t key = [] {
    pthread_key_t k{};
    pthread_key_create(&k, thread_exit);
    return k;
  }();
  return key;
}

[[gnu::noinline]] void find_stack(detail::thread_state& t) {
  static constexpr char none = 0;
  t.stack_low = t.stack_high = &none;
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) != 0) return;
  void* low = nullptr;
  size_t size = 0;
  if (pthread_attr_getstack(&attr, &low, &size) == 0) {
    t.stack_low = static_cast<const char*>(low);
    t.stack_high = t.stack_low + size;
  }
  pthread_attr_destroy(&attr);
}

}  // namespace

void watch_thread_exit() {
  pthread_setspecific(exit_key(), &detail::this_thread);
}

// The sanitizers' view of other frames' stack memory does not matter here.
#if defined(__clang__)
[[gnu::noinline, clang::no_sanitize("address", "thread", "undefined")]]
#else
[[gnu::noinline, gnu::no_sanitize("address"), gnu::no_sanitize("thread"),
  gnu::no_sanitize("undefined")]]
#endif
size_t capture_stack(void** frames, size_t max, size_t skip) {
  detail::thread_state& t = detail::this_thread;
  if (t.stack_low == nullptr) find_stack(t);
  auto at = reinterpret_cast<const uintptr_t*>(__builtin_frame_address(0));
  size_t n = 0;
  while (n < max) {
    auto address = reinterpret_cast<const char*>(at);
    if (address < t.stack_low || address + 2 * sizeof(uintptr_t) > t.stack_high ||
        reinterpret_cast<uintptr_t>(at) % sizeof(uintptr_t) != 0)
      break;
    uintptr_t up = at[0];
    uintptr_t ret = at[1];
    if (ret < 4096) break;
    if (skip > 0)
      --skip;
    else
      frames[n++] = reinterpret_cast<void*>(ret);
    if (up <= reinterpret_cast<uintptr_t>(at)) break;  // frames lie ever higher
    at = reinterpret_cast<const uintptr_t*>(up);
  }
  return n;
}

void release_context(exec_context& c) {
  delete[] c.held_locks;
  c.held_locks = nullptr;
  c.held_count = 0;
}

namespace detail {

constinit thread_local thread_state this_thread [[gnu::tls_model("initial-exec")]];

uint32_t assign_shard() {
  this_thread.shard = last_shard.fetch_add(1, std::memory_order_relaxed) + 1;
  if (this_thread.shard == 0) this_thread.shard = 1;
  return this_thread.shard;
}

}  // namespace detail

HF_NAMESPACE_END
