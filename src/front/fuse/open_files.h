// SPDX-License-Identifier: Apache-2.0
//
// The files that the kernel holds open through this door.
//
// 1. A handle (fi->fh) is the address of an entry here, which owns one reference on its file.
// RELEASE
//    drops it; so does a reply to OPEN or CREATE that did not arrive.
// 2. A mount that ends while files are open (a signal, a lazy unmount) sends no RELEASE: clear()
//    then closes what is left, so that nothing of the file system is kept or lost.
// 3. Entries lie on lists by shard, each under its own mutex, which is a leaf: files are dropped
//    outside of it.
#pragma once

#include "holdfast/list.h"
#include "holdfast/sync/plain_mutex.h"
#include "holdfast/syscalls.h"

HF_NAMESPACE_BEGIN

class open_files {
 public:
  open_files() = default;
  open_files(const open_files&) = delete;
  open_files& operator=(const open_files&) = delete;

  // Takes the reference over; the handle for the kernel. Error ENOMEM: the file was closed.
  Result<uint64_t> add(file* f);
  // The running task does what ->release asks.
  void drop(uint64_t handle);
  // After the last request.
  void clear();
  static file& of(uint64_t handle) { return *reinterpret_cast<entry*>(handle)->f; }

 private:
  struct entry {
    list_node link;
    file* f = nullptr;
    unsigned shard = 0;
  };
  static constexpr unsigned shards = 16;
  struct alignas(64) shard_type {
    plain_mutex lock;
    list_head files HF_GUARDED_BY(lock);
  };
  shard_type shard_[shards];
};

HF_NAMESPACE_END
