// SPDX-License-Identifier: Apache-2.0
//
// An inode's timestamps.
//
// 1. Written under i_lock inside i_attr_seq, read with i_attr_seq alone: a reader sees the members
//    of one timestamp, and all timestamps of one change, together.
// 2. "Now" is the coarse clock, so that most changes within a tick find nothing to store:
//    touch_mc() looks before it locks. A file system that counts versions (sb_i_version) is told of
//    every change all the same.
#include "core/inode/inode_internal.h"
#include "host/clock.h"

HF_NAMESPACE_BEGIN

namespace {

struct stamp {
  relaxed<int64_t>& sec;
  relaxed<uint32_t>& nsec;
  void set(const timespec64& t) const {
    sec = t.tv_sec;
    nsec = static_cast<uint32_t>(t.tv_nsec);
  }
};

timespec64 read_stamp(const inode& i, const relaxed<int64_t>& sec, const relaxed<uint32_t>& nsec) {
  for (;;) {
    const uint32_t seq = i.i_attr_seq.read_begin();
    const timespec64 t{sec, static_cast<int64_t>(nsec.load())};
    if (!i.i_attr_seq.read_retry(seq)) return t;
  }
}

bool counts_versions(const inode& i) {
  return (i.i_sb->s_flags & sb_i_version) != 0;
}

}  // namespace

timespec64 timestamp_truncate(timespec64 t, const inode& i) {
  const uint32_t gran = i.i_sb->s_time_gran;
  if (gran == 1) return t;
  if (gran >= 1000000000)
    t.tv_nsec = 0;
  else
    t.tv_nsec -= t.tv_nsec % gran;
  return t;
}

timespec64 current_time(const inode& i) {
  constexpr int64_t per_second = 1000000000;
  const int64_t ns = realtime_coarse_ns();
  return timestamp_truncate({ns / per_second, ns % per_second}, i);
}

timespec64 inode_get_atime(const inode& i) {
  return read_stamp(i, i.i_atime_sec, i.i_atime_nsec);
}
timespec64 inode_get_mtime(const inode& i) {
  return read_stamp(i, i.i_mtime_sec, i.i_mtime_nsec);
}
timespec64 inode_get_ctime(const inode& i) {
  return read_stamp(i, i.i_ctime_sec, i.i_ctime_nsec);
}

void inode_set_times(inode& i, const timespec64* atime, const timespec64* mtime,
                     const timespec64* ctime) {
  exclusive_guard g(i.i_lock);
  i.i_attr_seq.write_begin();
  if (atime != nullptr) stamp{i.i_atime_sec, i.i_atime_nsec}.set(*atime);
  if (mtime != nullptr) stamp{i.i_mtime_sec, i.i_mtime_nsec}.set(*mtime);
  if (ctime != nullptr) stamp{i.i_ctime_sec, i.i_ctime_nsec}.set(*ctime);
  if ((mtime != nullptr || ctime != nullptr) && counts_versions(i)) ++i.i_version;
  i.i_attr_seq.write_end();
}

void inode_set_btime(inode& i, const timespec64& t) {
  exclusive_guard g(i.i_lock);
  i.i_attr_seq.write_begin();
  stamp{i.i_btime_sec, i.i_btime_nsec}.set(t);
  i.i_attr_seq.write_end();
}

void touch_mc(inode& i) {
  const timespec64 now = current_time(i);
  // Racing with another writer of times is harmless: each stores a time within its own call.
  if (!counts_versions(i) && i.i_ctime_sec == now.tv_sec && i.i_mtime_sec == now.tv_sec &&
      i.i_ctime_nsec == now.tv_nsec && i.i_mtime_nsec == now.tv_nsec)
    return;
  inode_set_times(i, nullptr, &now, &now);
}

void touch_ctime(inode& i) {
  const timespec64 now = current_time(i);
  if (!counts_versions(i) && i.i_ctime_sec == now.tv_sec && i.i_ctime_nsec == now.tv_nsec) return;
  inode_set_times(i, nullptr, nullptr, &now);
}

HF_NAMESPACE_END
