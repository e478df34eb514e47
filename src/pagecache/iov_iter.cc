// SPDX-License-Identifier: Apache-2.0
//
// Under ThreadSanitizer the reads of cached data are not tracked: a reader without locks may copy
// bytes that a writer is replacing, as read(2) and write(2) allow, and checks afterwards what it
// must.
#include "pagecache/iov_iter.h"

#include <cstring>

#include "base/copy_bytes.h"
#include "contract/obligations.h"
#include "holdfast/sync/seqlock.h"

#if HF_TSAN
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}
#endif

HF_NAMESPACE_BEGIN
namespace {

// A worker that serves no task has no task's memory to reach.
void tell(const iov_iter& i) {
  if (!i.own) obligations::user_memory_touched();
}

size_t reach(const void* p, size_t n) {
  nofault_filter filter = nofault_reach.load(std::memory_order_relaxed);
  return filter ? filter(p, n) : n;
}

// Calls step(user pointer, bytes, bytes done) for each stretch; step says how many it managed.
template <class Step>
size_t walk(iov_iter& i, size_t n, Step step) {
  if (n > i.count) n = i.count;
  size_t done = 0;
  while (done < n) {
    const size_t room = i.iov->iov_len - i.iov_offset;
    if (room == 0) {
      ++i.iov;
      --i.nr_segs;
      i.iov_offset = 0;
      continue;
    }
    const size_t want = room < n - done ? room : n - done;
    const size_t got = step(static_cast<std::byte*>(i.iov->iov_base) + i.iov_offset, want, done);
    i.iov_offset += got;
    i.count -= got;
    done += got;
    if (got < want) break;
  }
  return done;
}

void copy_out(void* dst, const void* src, size_t n) {
#if HF_TSAN
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
#endif
  copy_bytes(dst, src, n);
#if HF_TSAN
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

const std::byte* at(const void* p, size_t n) {
  return static_cast<const std::byte*>(p) + n;
}
std::byte* at(void* p, size_t n) {
  return static_cast<std::byte*>(p) + n;
}

size_t fault_in(const iov_iter& i, size_t n, bool write) {
  tell(i);
  fault_in_fn fn = fault_in_user.load(std::memory_order_relaxed);
  if (!fn) return 0;
  if (n > i.count) n = i.count;
  size_t skip = i.iov_offset;
  for (const iovec* v = i.iov; n > 0; ++v, skip = 0) {
    const size_t room = v->iov_len - skip;
    const size_t want = room < n ? room : n;
    if (want > 0)
      if (size_t left = fn(static_cast<std::byte*>(v->iov_base) + skip, want, write))
        return n - (want - left);
    n -= want;
  }
  return 0;
}

}  // namespace

size_t copy_to_iter(const void* src, size_t n, iov_iter& to) {
  tell(to);
  return walk(to, n, [&](std::byte* p, size_t len, size_t done) {
    copy_out(p, at(src, done), len);
    return len;
  });
}
size_t copy_from_iter(void* dst, size_t n, iov_iter& from) {
  tell(from);
  return walk(from, n, [&](std::byte* p, size_t len, size_t done) {
    copy_bytes(at(dst, done), p, len);
    return len;
  });
}
size_t copy_to_iter_nofault(const void* src, size_t n, iov_iter& to) {
  tell(to);
  return walk(to, n, [&](std::byte* p, size_t len, size_t done) {
    len = reach(p, len);
    copy_out(p, at(src, done), len);
    return len;
  });
}
size_t copy_from_iter_nofault(void* dst, size_t n, iov_iter& from) {
  tell(from);
  return walk(from, n, [&](std::byte* p, size_t len, size_t done) {
    len = reach(p, len);
    copy_bytes(at(dst, done), p, len);
    return len;
  });
}
size_t iov_iter_zero(size_t n, iov_iter& to) {
  tell(to);
  return walk(to, n, [](std::byte* p, size_t len, size_t) {
    std::memset(p, 0, len);
    return len;
  });
}

void iov_iter_advance(iov_iter& i, size_t n) {
  walk(i, n, [](std::byte*, size_t len, size_t) { return len; });
}

void iov_iter_revert(iov_iter& i, size_t n) {
  i.count += n;
  while (n > i.iov_offset) {
    n -= i.iov_offset;
    --i.iov;
    ++i.nr_segs;
    i.iov_offset = i.iov->iov_len;
  }
  i.iov_offset -= n;
}

void iov_iter_truncate(iov_iter& i, size_t n) {
  if (i.count > n) i.count = n;
}

size_t fault_in_iov_iter_readable(const iov_iter& i, size_t n) {
  return fault_in(i, n, false);
}
size_t fault_in_iov_iter_writeable(const iov_iter& i, size_t n) {
  return fault_in(i, n, true);
}

HF_NAMESPACE_END
