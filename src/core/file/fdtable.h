// SPDX-License-Identifier: Apache-2.0
//
// The table behind a task's descriptors. One block of memory: header, slots, bitmaps.
//
// 1. Slots are read under RCU. Bitmaps and stores to slots belong to file_lock.
// 2. A descriptor is free, reserved (open bit, null slot) or installed (open bit, file).
// 3. `full` has a bit for every word of `open` that has no zero: the search for a free descriptor
//    looks at one bit for 64.
// 4. A table that was outgrown is never written again and freed after a grace period.
#pragma once

#include "core/file/file_internal.h"

HF_NAMESPACE_BEGIN

struct fdtable {
  unsigned max_fds = 0;  // a multiple of 64
  std::atomic<file*>* fd = nullptr;
  uint64_t* open = nullptr;
  uint64_t* cloexec = nullptr;
  uint64_t* full = nullptr;
  rcu_head rcu;
};

inline constexpr unsigned first_table_size = 64;

Status init_files(files_struct& fs);   // ENOMEM
void destroy_files(files_struct& fs);  // frees the table; every slot is empty
unsigned highest_fd(task& t);          // one more than the highest slot of the table

HF_NAMESPACE_END
