// SPDX-License-Identifier: Apache-2.0
//
// iov_iter: where data of a read goes to, or data of a write comes from.
//
// 1. Every byte between a caller's memory and the page cache passes through one of these.
// 2. The copying forms return how much was copied; less than asked means the segments ended or (for
//    user memory that can't be reached) the copy faulted. They advance the iterator by what they
//    return.
// 3. The _nofault forms never block and may be used under spinlocks, RCU or a folio lock.
#pragma once

#include <sys/uio.h>

#include "holdfast/types.h"

HF_NAMESPACE_BEGIN

struct iov_iter {
  const iovec* iov = nullptr;  // current segment
  size_t nr_segs = 0;
  size_t iov_offset = 0;  // into the current segment
  size_t count = 0;       // bytes left
  iovec ubuf{};           // storage for a single segment; then iov == &ubuf
  bool own = false;       // the segments are Holdfast's memory (a loop device's), no task's

  iov_iter() = default;
  iov_iter(void* buf, size_t len) : nr_segs(1), count(len), ubuf{buf, len} { iov = &ubuf; }
  iov_iter(const iovec* v, size_t n, size_t bytes) : iov(v), nr_segs(n), count(bytes) {}
  iov_iter(const iov_iter&) = delete;
  iov_iter& operator=(const iov_iter&) = delete;
};

size_t copy_to_iter(const void* src, size_t n, iov_iter& to);
size_t copy_from_iter(void* dst, size_t n, iov_iter& from);
size_t copy_to_iter_nofault(const void* src, size_t n, iov_iter& to);
size_t copy_from_iter_nofault(void* dst, size_t n, iov_iter& from);
size_t iov_iter_zero(size_t n, iov_iter& to);
void iov_iter_advance(iov_iter& i, size_t n);
void iov_iter_revert(iov_iter& i, size_t n);  // within what was advanced
void iov_iter_truncate(iov_iter& i, size_t n);
// Makes the memory reachable, so that the _nofault form is likely to get through. Returns bytes not
// reachable.
size_t fault_in_iov_iter_readable(const iov_iter& i, size_t n);
size_t fault_in_iov_iter_writeable(const iov_iter& i, size_t n);

HF_NAMESPACE_END
