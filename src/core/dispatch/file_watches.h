// SPDX-License-Identifier: Apache-2.0
//
// What goes on inside ->fallocate, ->copy_file_range and ->remap_file_range, for file_ops.cc: their
// rules speak of locks at moments that lie inside the method, and of what others may not do
// meanwhile.
//
// 1. A watch is open only while checking is on; closed, it is one test at each end.
// 2. Own events are judged where they happen, so that the report's stack shows them. What others
// did
//    is collected and judged at the end: an event of theirs counts only if it came between two
//    events of ours, and began after the first. Outside of those the method may not have had its
//    locks yet.
#pragma once

#include "contract/events.h"
#include "holdfast/file.h"
#include "holdfast/inode.h"

HF_NAMESPACE_BEGIN

struct file_range {
  const address_space* mapping;
  uint64_t first;
  uint64_t end;  // behind the last byte

  bool meets(const event_note& n) const {
    return n.object == mapping && n.first < end && first < n.end();
  }
};

class fallocate_watch final : public event_watch {
 public:
  fallocate_watch(const file& f, int mode, loff_t offset, loff_t len);
  ~fallocate_watch() { close(); }
  void listen(gate& g) { gate_ = &g; }
  void judge(gate& g, bool success);

  void seen(const event_note& n) override;
  void seen_elsewhere(const event_note& n) HF_REQUIRES(contract_detail::event_lock) override;

 private:
  enum class part : uint8_t { before, invalidated, updated };
  void require_lock(const char* found);
  bool keeps_old_contents() const;

  const file_range range_;
  const int mode_;
  gate* gate_ = nullptr;
  part part_ HF_GUARDED_BY(contract_detail::event_lock) = part::before;
  // Others filled the range between invalidation and update; and the update came.
  bool filled_ HF_GUARDED_BY(contract_detail::event_lock) = false;
  bool confirmed_ HF_GUARDED_BY(contract_detail::event_lock) = false;
  // Somebody wrote to the range, so its contents tell nothing.
  bool written_ HF_GUARDED_BY(contract_detail::event_lock) = false;
};

class copy_watch final : public event_watch {
 public:
  copy_watch(const file& in, loff_t pos_in, const file& out, loff_t pos_out, uint64_t len);
  ~copy_watch() { close(); }
  void listen(gate& g) { gate_ = &g; }
  void judge(gate& g);

  void seen(const event_note& n) override;
  void seen_elsewhere(const event_note& n) HF_REQUIRES(contract_detail::event_lock) override;

 private:
  const file_range in_;
  const file_range out_;
  gate* gate_ = nullptr;
  uint64_t began_ HF_GUARDED_BY(contract_detail::event_lock) = 0;  // 0: nothing was moved yet
  bool written_ HF_GUARDED_BY(contract_detail::event_lock) = false;
  bool mapped_ HF_GUARDED_BY(contract_detail::event_lock) = false;
  // And we went on after that.
  bool written_inside_ HF_GUARDED_BY(contract_detail::event_lock) = false;
  bool mapped_inside_ HF_GUARDED_BY(contract_detail::event_lock) = false;
};

HF_NAMESPACE_END
