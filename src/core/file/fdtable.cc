// SPDX-License-Identifier: Apache-2.0
//
// Descriptors: the lowest free one, growth, reading under RCU.
#include "core/file/fdtable.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

HF_NAMESPACE_BEGIN

namespace {

bool test_bit(const uint64_t* map, unsigned n) {
  return map[n / 64] >> n % 64 & 1;
}
void set_bit(uint64_t* map, unsigned n) {
  map[n / 64] |= uint64_t{1} << n % 64;
}
void clear_bit(uint64_t* map, unsigned n) {
  map[n / 64] &= ~(uint64_t{1} << n % 64);
}

fdtable* alloc_table(unsigned want) {
  const unsigned max = std::max(first_table_size, std::bit_ceil(want));
  const size_t words = max / 64;
  const size_t full_words = (words + 63) / 64;
  const size_t bytes = sizeof(fdtable) + max * sizeof(std::atomic<file*>) +
                       (2 * words + full_words) * sizeof(uint64_t);
  void* mem = ::operator new(bytes, std::nothrow);
  if (mem == nullptr) return nullptr;
  std::memset(mem, 0, bytes);
  fdtable* t = new (mem) fdtable;
  t->max_fds = max;
  t->fd = new (t + 1) std::atomic<file*>[max]();
  t->open = new (static_cast<void*>(t->fd + max)) uint64_t[words]();
  t->cloexec = new (t->open + words) uint64_t[words]();
  t->full = new (t->cloexec + words) uint64_t[full_words]();
  return t;
}

void free_table(fdtable* t) {
  ::operator delete(t);
}
void free_table_rcu(rcu_head& head) {
  free_table(&container_of<&fdtable::rcu>(head));
}

fdtable& table_of(files_struct& fs) HF_REQUIRES(fs.file_lock) {
  return *fs.fdt.load(std::memory_order_relaxed);
}

void mark_open(fdtable& t, unsigned fd) {
  set_bit(t.open, fd);
  if (~t.open[fd / 64] == 0) set_bit(t.full, fd / 64);
}

void mark_free(files_struct& fs, unsigned fd) HF_REQUIRES(fs.file_lock) {
  fdtable& t = table_of(fs);
  clear_bit(t.open, fd);
  clear_bit(t.cloexec, fd);
  clear_bit(t.full, fd / 64);
  if (fd < fs.next_fd) fs.next_fd = fd;
}

// The lowest free descriptor from `start`; t.max_fds if the table has none.
unsigned find_free(const fdtable& t, unsigned start) {
  unsigned word = start / 64;
  const unsigned words = t.max_fds / 64;
  if (word >= words) return std::max(start, t.max_fds);
  uint64_t taken = t.open[word] | ((uint64_t{1} << start % 64) - 1);
  while (~taken == 0) {
    // The next word that isn't full, 64 words a step.
    for (++word; word < words; word = (word | 63) + 1) {
      const uint64_t full = t.full[word / 64] | ((uint64_t{1} << word % 64) - 1);
      if (~full != 0) {
        word = (word & ~63u) + static_cast<unsigned>(std::countr_one(full));
        break;
      }
    }
    if (word >= words) return t.max_fds;
    taken = t.open[word];
  }
  return word * 64 + static_cast<unsigned>(std::countr_one(taken));
}

// Makes room for `fd`, with file_lock let go for the allocation. ENOMEM.
Status grow(files_struct& fs, unsigned fd) HF_EXCLUDES(fs.file_lock) {
  fdtable* bigger = alloc_table(fd + 1);
  if (bigger == nullptr) return Error(ENOMEM);
  exclusive_guard g(fs.file_lock);
  fdtable& old = table_of(fs);
  if (old.max_fds >= bigger->max_fds) {  // another thread was quicker
    free_table(bigger);
    return {};
  }
  for (unsigned i = 0; i < old.max_fds; ++i)
    bigger->fd[i].store(old.fd[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  std::memcpy(bigger->open, old.open, old.max_fds / 8);
  std::memcpy(bigger->cloexec, old.cloexec, old.max_fds / 8);
  for (unsigned w = 0; w < old.max_fds / 64; ++w)
    if (~bigger->open[w] == 0) set_bit(bigger->full, w);
  fs.fdt.store(bigger, std::memory_order_release);
  call_rcu(old.rcu, free_table_rcu);
  return {};
}

file* slot(const fdtable& t, unsigned fd) {
  return fd < t.max_fds ? t.fd[fd].load(std::memory_order_acquire) : nullptr;
}

// A reference, if the file isn't on its way out.
bool get_file_not_zero(file& f) {
  int64_t n = f.f_count.load(std::memory_order_relaxed);
  while (n > 0)
    if (f.f_count.compare_exchange_weak(n, n + 1, std::memory_order_acquire,
                                        std::memory_order_relaxed))
      return true;
  return false;
}

file* fget_slot(files_struct& fs, int fd) {
  if (fd < 0) return nullptr;
  rcu_read_guard rcu;
  for (;;) {
    file* f = slot(*fs.fdt.load(std::memory_order_acquire), static_cast<unsigned>(fd));
    if (f == nullptr) return nullptr;
    // Closed meanwhile, or closed and its slot given to another: look again.
    if (get_file_not_zero(*f)) {
      if (slot(*fs.fdt.load(std::memory_order_acquire), static_cast<unsigned>(fd)) == f) return f;
      fput(f);
    }
  }
}

}  // namespace

Status init_files(files_struct& fs) {
  fdtable* t = alloc_table(first_table_size);
  if (t == nullptr) return Error(ENOMEM);
  fs.fdt.store(t, std::memory_order_release);
  return {};
}

void destroy_files(files_struct& fs) {
  fdtable* t = fs.fdt.exchange(nullptr, std::memory_order_acq_rel);
  if (t != nullptr) call_rcu(t->rcu, free_table_rcu);
}

unsigned highest_fd(task& t) {
  exclusive_guard g(t.files.file_lock);
  const fdtable& table = table_of(t.files);
  for (unsigned w = table.max_fds / 64; w-- > 0;)
    if (table.open[w] != 0)
      return w * 64 + 64 - static_cast<unsigned>(std::countl_zero(table.open[w]));
  return 0;
}

Result<int> get_unused_fd(task& t, unsigned min_fd, bool cloexec) {
  files_struct& fs = t.files;
  for (;;) {
    unsigned fd;
    {
      exclusive_guard g(fs.file_lock);
      fdtable& table = table_of(fs);
      const unsigned hint = fs.next_fd;
      fd = find_free(table, std::max(min_fd, hint));
      if (fd >= fs.max_open) return Error(EMFILE);
      if (fd < table.max_fds) {
        mark_open(table, fd);
        if (cloexec)
          set_bit(table.cloexec, fd);
        else
          clear_bit(table.cloexec, fd);
        if (min_fd <= hint) fs.next_fd = fd + 1;
        return static_cast<int>(fd);
      }
    }
    HF_TRY(grow(fs, fd));
  }
}

void fd_install(task& t, int fd, file* f) {
  exclusive_guard g(t.files.file_lock);
  fdtable& table = table_of(t.files);
  std::atomic<file*>& s = table.fd[fd];
  assert(test_bit(table.open, static_cast<unsigned>(fd)));
  assert(s.load(std::memory_order_relaxed) == nullptr);
  s.store(f, std::memory_order_release);
}

void put_unused_fd(task& t, int fd) {
  exclusive_guard g(t.files.file_lock);
  mark_free(t.files, static_cast<unsigned>(fd));
}

Result<file*> take_fd(task& t, int fd) {
  if (fd < 0) return Error(EBADF);
  files_struct& fs = t.files;
  exclusive_guard g(fs.file_lock);
  fdtable& table = table_of(fs);
  file* f = slot(table, static_cast<unsigned>(fd));
  if (f == nullptr) return Error(EBADF);
  table.fd[fd].store(nullptr, std::memory_order_release);
  mark_free(fs, static_cast<unsigned>(fd));
  return f;
}

Result<file*> replace_fd(task& t, int newfd, file* f, bool cloexec) {
  files_struct& fs = t.files;
  if (newfd < 0 || static_cast<unsigned>(newfd) >= fs.max_open) return Error(EBADF);
  const unsigned fd = static_cast<unsigned>(newfd);
  for (;;) {
    {
      exclusive_guard g(fs.file_lock);
      fdtable& table = table_of(fs);
      if (fd < table.max_fds) {
        file* old = slot(table, fd);
        if (old == nullptr && test_bit(table.open, fd)) return Error(EBUSY);
        mark_open(table, fd);
        if (cloexec)
          set_bit(table.cloexec, fd);
        else
          clear_bit(table.cloexec, fd);
        table.fd[fd].store(f, std::memory_order_release);
        return old;
      }
    }
    HF_TRY(grow(fs, fd));
  }
}

Status set_close_on_exec(task& t, int fd, bool on) {
  if (fd < 0) return Error(EBADF);
  exclusive_guard g(t.files.file_lock);
  fdtable& table = table_of(t.files);
  if (slot(table, static_cast<unsigned>(fd)) == nullptr) return Error(EBADF);
  if (on)
    set_bit(table.cloexec, static_cast<unsigned>(fd));
  else
    clear_bit(table.cloexec, static_cast<unsigned>(fd));
  return {};
}

Result<bool> get_close_on_exec(task& t, int fd) {
  if (fd < 0) return Error(EBADF);
  exclusive_guard g(t.files.file_lock);
  fdtable& table = table_of(t.files);
  if (slot(table, static_cast<unsigned>(fd)) == nullptr) return Error(EBADF);
  return test_bit(table.cloexec, static_cast<unsigned>(fd));
}

Result<file*> fget_raw(task& t, int fd) {
  file* f = fget_slot(t.files, fd);
  if (f == nullptr) return Error(EBADF);
  return f;
}

Result<file*> fget(task& t, int fd) {
  HF_TRY_ASSIGN(file * f, fget_raw(t, fd));
  if (f->f_mode & fmode_path) {
    fput(f);
    return Error(EBADF);
  }
  return f;
}

fd_ref::fd_ref(task& t, int fd, bool raw) {
  if (fd < 0) return;
  if (t.shared) {
    f_ = fget_slot(t.files, fd);
    counted_ = f_ != nullptr;
  } else {
    // Nobody else can close it or grow the table during this call.
    f_ = slot(*t.files.fdt.load(std::memory_order_relaxed), static_cast<unsigned>(fd));
  }
  if (f_ == nullptr || raw || !(f_->f_mode & fmode_path)) return;
  if (counted_) fput(f_);
  f_ = nullptr;
}

fd_ref::~fd_ref() {
  if (counted_ && f_ != nullptr) fput(f_);
}

HF_NAMESPACE_END
