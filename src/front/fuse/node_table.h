// SPDX-License-Identifier: Apache-2.0
//
// What the kernel was told about: node id -> the place it stands for, with the kernel's count of
// look-ups.
//
// 1. An id is the inode number in the root's superblock. The root's id is 1 whatever its number; an
//    inode whose number is 1 has the root's number as its id, so ids stay one to one.
// 2. An id that is not in the table is ESTALE. It is never turned into a pointer, nor searched for
//    elsewhere.
// 3. A node holds one reference on a path and so pins the inode: its number is not reused while the
//    kernel knows it. All names of an inode share its node; a name that was removed is replaced by
//    the next one that is looked up.
// 4. remember() counts one look-up, forget() takes counts back; at zero the node goes. The root is
//    not counted.
// 5. A shard's mutex is a leaf for everything but the reference taken on a path; references are
//    dropped after it is released, since that may block.
#pragma once

#include <atomic>
#include <memory>

#include "holdfast/mount.h"
#include "holdfast/sync/plain_mutex.h"

HF_NAMESPACE_BEGIN

class node_table {
 public:
  static constexpr uint64_t root_id = 1;

  node_table() = default;
  ~node_table();
  node_table(const node_table&) = delete;
  node_table& operator=(const node_table&) = delete;

  // Before anything else. Takes a reference on the root.
  void set_root(const path& root);
  // A reference on the node's place. Error ESTALE.
  Result<path_ref> find(uint64_t id);
  // Counts one look-up of p's inode and returns its id. p must be positive.
  // Errors: ENOMEM, EXDEV (another file system), EIO (an inode without number), ESTALE (the number
  // is in use by an older inode that the kernel still holds).
  Result<uint64_t> remember(path_ref p);
  void forget(uint64_t id, uint64_t count);
  // Everything at once, when the kernel is gone.
  void clear();

  size_t size() const { return nodes_.load(std::memory_order_relaxed) + 1; }
  uint64_t lookups() const { return lookups_.load(std::memory_order_relaxed); }
  uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  struct node {
    node* next = nullptr;
    uint64_t id = 0;
    uint64_t count = 0;
    path_ref place;
  };
  struct alignas(64) shard {
    plain_mutex lock;
    std::unique_ptr<node*[]> buckets HF_GUARDED_BY(lock);
    size_t mask HF_GUARDED_BY(lock) = 0;  // buckets - 1; meaningless without buckets
    size_t used HF_GUARDED_BY(lock) = 0;
  };
  static constexpr size_t shard_count = 64;
  static uint64_t mix(uint64_t id) { return id * 0x9e3779b97f4a7c15u; }
  shard& shard_of(uint64_t id) { return shards_[mix(id) >> 58]; }
  static node** slot_of(shard& s, uint64_t id) HF_REQUIRES(s.lock);
  static void grow(shard& s) HF_REQUIRES(s.lock);
  uint64_t id_of(const inode& i) const;

  path_ref root_;
  shard shards_[shard_count];
  std::atomic<size_t> nodes_{0};
  std::atomic<uint64_t> lookups_{0};
  std::atomic<uint64_t> misses_{0};
};

HF_NAMESPACE_END
