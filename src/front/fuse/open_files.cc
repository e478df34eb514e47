// SPDX-License-Identifier: Apache-2.0
#include "open_files.h"

#include <cerrno>
#include <new>

HF_NAMESPACE_BEGIN

Result<uint64_t> open_files::add(file* f) {
  auto* e = new (std::nothrow) entry;
  if (e == nullptr) {
    fput(f);
    return Error(ENOMEM);
  }
  e->f = f;
  e->shard = thread_shard() % shards;
  shard_type& s = shard_[e->shard];
  plain_guard hold(s.lock);
  s.files.add(e->link);
  return reinterpret_cast<uint64_t>(e);
}

void open_files::drop(uint64_t handle) {
  auto* e = reinterpret_cast<entry*>(handle);
  shard_type& s = shard_[e->shard];
  {
    plain_guard hold(s.lock);
    e->link.del();
  }
  fput(e->f);
  delete e;
}

// The kernel is gone: nobody else is here.
void open_files::clear() HF_NO_THREAD_SAFETY_ANALYSIS {
  for (shard_type& s : shard_) {
    while (list_node* n = s.files.first())
      drop(reinterpret_cast<uint64_t>(&container_of<&entry::link>(*n)));
  }
}

HF_NAMESPACE_END
