// SPDX-License-Identifier: Apache-2.0
//
// Scripts of file system calls as text, and the worlds they run in.
//
// A script is a list of lines "call arguments [= result]". One world runs them through Holdfast's
// sys_*, the other by system calls in a directory of the running kernel. Both render results the
// same way, so that a case is checked against its expectation, and worlds against each other, by
// comparing text:
//   "ok", "ok <what the call told>", or an errno's name.
//
// Calls (modes and flags octal, "<>" is the empty string, S a slot for an open file, 0..7):
//   as UID | umask M
//   mkdir P M | rmdir P | unlink P | mknod P M DEV | symlink TEXT P | link A B FLAGS | rename A B
//   FLAGS readlink P | stat P FLAGS | times P | chmod P M | chown P UID GID FLAGS | truncate P LEN
//   utimens P ASEC ANSEC MSEC MNSEC FLAGS   (nsec "now", "omit")
//   access P M FLAGS | dents P | open S P FLAGS M | close S | read S N | write S TEXT | pread S N
//   OFF pwrite S TEXT OFF | lseek S OFF WHENCE | ftruncate S LEN | fstat S | fchmod S M | fallocate
//   S M OFF LEN fsync S | getfl S | setfl S FLAGS | dup S S2 | setx P NAME VALUE FLAGS | getx P
//   NAME SIZE | listx P SIZE rmx P NAME
// AT_ flags are given as letters: n = AT_SYMLINK_NOFOLLOW, f = AT_SYMLINK_FOLLOW, e =
// AT_EMPTY_PATH, x = a bit that no call knows, 0 = none. rename: n = NOREPLACE, e = EXCHANGE, w =
// WHITEOUT. open: r, w, rw, then of: c(reat) x(excl) t(runc) a(ppend) d(irectory) n(ofollow) p(ath)
// T(mpfile)
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace conformance {

constexpr unsigned nr_slots = 8;
constexpr unsigned plain_user = 1000;

struct attributes {
  uint32_t mode = 0;
  uint64_t nlink = 0;
  uint32_t uid = 0, gid = 0;
  int64_t size = 0;
  uint64_t rdev = 0;
  int64_t atime = 0, mtime = 0;
};

// Results: < 0 is a negated errno.
class world {
 public:
  virtual ~world() = default;
  virtual long become(unsigned uid) = 0;
  virtual long set_umask(unsigned mask) = 0;
  virtual long mkdir(const std::string& p, unsigned mode) = 0;
  virtual long unlink(const std::string& p, int at_flags) = 0;
  virtual long mknod(const std::string& p, unsigned mode, uint64_t dev) = 0;
  virtual long symlink(const std::string& text, const std::string& p) = 0;
  virtual long link(const std::string& a, const std::string& b, int at_flags) = 0;
  virtual long rename(const std::string& a, const std::string& b, unsigned flags) = 0;
  virtual long readlink(const std::string& p, std::string& out) = 0;
  virtual long stat(const std::string& p, int at_flags, attributes& out) = 0;
  virtual long chmod(const std::string& p, unsigned mode) = 0;
  virtual long chown(const std::string& p, unsigned uid, unsigned gid, int at_flags) = 0;
  virtual long truncate(const std::string& p, int64_t len) = 0;
  virtual long utimens(const std::string& p, const timespec* times, int at_flags) = 0;
  virtual long access(const std::string& p, int mode, int at_flags) = 0;
  virtual long open(const std::string& p, int flags, unsigned mode) = 0;
  virtual long close(int fd) = 0;
  virtual long read(int fd, void* buf, size_t n) = 0;
  virtual long write(int fd, const void* buf, size_t n) = 0;
  virtual long pread(int fd, void* buf, size_t n, int64_t off) = 0;
  virtual long pwrite(int fd, const void* buf, size_t n, int64_t off) = 0;
  virtual long lseek(int fd, int64_t off, int whence) = 0;
  virtual long ftruncate(int fd, int64_t len) = 0;
  virtual long fstat(int fd, attributes& out) = 0;
  virtual long fchmod(int fd, unsigned mode) = 0;
  virtual long fallocate(int fd, int mode, int64_t off, int64_t len) = 0;
  virtual long fsync(int fd) = 0;
  virtual long getfl(int fd) = 0;
  virtual long setfl(int fd, int flags) = 0;
  virtual long dup(int fd) = 0;
  virtual long getdents(int fd, void* buf, size_t n) = 0;
  virtual long setx(const std::string& p, const std::string& name, const std::string& value,
                    int flags) = 0;
  virtual long getx(const std::string& p, const std::string& name, void* buf, size_t n) = 0;
  virtual long listx(const std::string& p, char* buf, size_t n) = 0;
  virtual long rmx(const std::string& p, const std::string& name) = 0;
};

std::unique_ptr<world> make_holdfast_world();
// Null with a reason where the kernel's tmpfs can't be had. The current thread's fs ids change with
// `as`.
std::unique_ptr<world> make_kernel_world(std::string& reason);

// Runs lines in one world and keeps its slots.
class runner {
 public:
  explicit runner(world& w);
  ~runner();
  // One line without its expectation; the result as text.
  std::string run(std::string_view line);
  // The whole tree as text: names, attributes, link bodies, contents, user.* attributes.
  std::string tree();

 private:
  std::string run_words(std::vector<std::string> a);
  void tree_below(const std::string& dir, std::string& out);
  std::string list(const std::string& dir);
  std::string contents(const std::string& p);
  int slot(const std::string& s) const;
  world& w_;
  int slots_[nr_slots];
};

struct line {
  std::string text;
  std::string expected;  // empty: anything that is no error
};
line split_line(std::string_view l);
std::vector<std::string> split_lines(std::string_view script);

struct script_case {
  const char* name;
  const char* script;
};
// The table that Holdfast is held to.
const std::vector<script_case>& name_cases();
const std::vector<script_case>& file_cases();
// Every pair of kinds of object, same and different directory, every flag.
std::vector<std::string> rename_matrix_setup();
std::vector<std::string> rename_matrix_lines();

}  // namespace conformance
