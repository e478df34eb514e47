// SPDX-License-Identifier: Apache-2.0
//
// Open files, and what their methods exchange.
//
// 1. f_count: descriptors, transfers in flight. The last fput() runs ->release and drops the path.
// 2. f_pos belongs to f_pos_lock where two users are possible (fmode_atomic_pos and a shared table
//    or file).
// 3. f_flags is written under f_lock and read without; f_mode, f_op, f_path, f_inode, f_cred are
//    constant after open.
#pragma once

#include "holdfast/mount.h"

HF_NAMESPACE_BEGIN

struct file {
  fmode_t f_mode = 0;
  relaxed<unsigned> f_flags{0};  // O_*
  const file_operations* f_op = nullptr;
  inode* f_inode = nullptr;
  address_space* f_mapping = nullptr;
  path f_path;
  std::atomic<int64_t> f_count{1};
  relaxed<loff_t> f_pos{0};
  mutex<f_pos_lock_class> f_pos_lock;
  spinlock<f_lock_class> f_lock;
  const cred* f_cred = nullptr;
  void* private_data = nullptr;
  relaxed<uint32_t> f_wb_err{0};
  relaxed<uint32_t> f_sb_err{0};
  relaxed<uint64_t> f_version{0};
  void* f_owner_task = nullptr;
  rcu_head f_rcu;
  deferred_work f_deferred;
};

inline file* get_file(file* f) {
  f->f_count.fetch_add(1, std::memory_order_relaxed);
  return f;
}
void fput(file* f);  // may block; null is allowed

// One read or write on its way.
inline constexpr unsigned iocb_append = 1u << 1;
inline constexpr unsigned iocb_direct = 1u << 2;
inline constexpr unsigned iocb_nowait = 1u << 3;
inline constexpr unsigned iocb_dsync = 1u << 4;
inline constexpr unsigned iocb_sync = 1u << 5;
inline constexpr unsigned iocb_hipri = 1u << 6;
inline constexpr unsigned iocb_noupdate_time = 1u << 7;
struct kiocb {
  file* ki_filp = nullptr;
  loff_t ki_pos = 0;
  unsigned ki_flags = 0;
  void (*ki_complete)(kiocb&, long result) = nullptr;  // null: synchronous
  void* priv = nullptr;
  folio* ki_folio = nullptr;  // of swap I/O: the locked folio whose contents are moved
};

// Directory reading: `actor` returns false when it has enough. `pos` is where the next call
// continues.
struct dir_context {
  bool (*actor)(dir_context& ctx, std::string_view name, loff_t off, uint64_t ino,
                unsigned type) = nullptr;
  loff_t pos = 0;
  bool emit(std::string_view name, uint64_t ino, unsigned type) {
    return actor(*this, name, pos, ino, type);
  }
};
bool dir_emit_dots(file& f, dir_context& ctx);

struct delayed_call {
  void (*fn)(void*) = nullptr;
  void* arg = nullptr;
};

// A bounded text buffer that methods like ->show_options append to. overflow(): text was cut.
struct seq_file {
  char* buf = nullptr;
  size_t size = 0;
  size_t count = 0;
  bool overflowed = false;
  void put(std::string_view s);
  void put_num(uint64_t v);
  void put_octal(uint64_t v);
  void put_escaped(std::string_view s, std::string_view specials);  // \ooo, as /proc/mounts does
};

HF_NAMESPACE_END
