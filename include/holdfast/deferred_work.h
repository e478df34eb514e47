// SPDX-License-Identifier: Apache-2.0
//
// Work that a context that may not block leaves to a thread that may: the last reference to an
// inode, a file or a mount, dropped under a spinlock or in an RCU section.
//
// 1. A node belongs to one object and is queued at most once at a time: whoever queues it hands
//    over the reference that keeps the object alive, so nobody else can drop the last one
//    meanwhile.
// 2. Queueing never blocks, allocates nothing and can't fail.
#pragma once

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

struct deferred_work {
  deferred_work* next = nullptr;
  void (*run)(deferred_work&) = nullptr;
};

// Runs w.run(w) on the worker thread, in no particular order. `run` is set before.
void defer_work(deferred_work& w);
// Waits until everything queued before the call has run, and what that queued. May block; no lock
// held that deferred work could want. No effect on the worker thread itself.
void flush_deferred_work();

HF_NAMESPACE_END
