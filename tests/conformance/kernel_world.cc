// SPDX-License-Identifier: Apache-2.0
//
// The running kernel's tmpfs as a world. As root a fresh one, mounted and detached at once: its
// root descriptor keeps it alive, ".." of its root is its root, and nothing is left behind when the
// test dies. Otherwise a new directory on /dev/shm.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/conformance/script.h"

namespace conformance {

namespace {

long neg(long r) {
  return r < 0 ? -errno : r;
}

class kernel_world final : public world {
 public:
  kernel_world(int root, std::string dir)
      : root_(root), dir_(std::move(dir)), umask_(::umask(022)) {}
  ~kernel_world() override {
    become(0);
    ::umask(umask_);
    ::close(root_);
    if (!dir_.empty()) {
      std::string cmd = "rm -rf '" + dir_ + "'";
      if (system(cmd.c_str()) != 0) fprintf(stderr, "could not remove %s\n", dir_.c_str());
    }
  }
  long become(unsigned uid) override {
    if (geteuid() != 0) return uid == geteuid() ? 0 : 0;
    // The raw calls change this thread alone; fs capabilities follow the fs uid.
    syscall(SYS_setgroups, 0, nullptr);
    syscall(SYS_setfsuid, 0);
    syscall(SYS_setfsgid, uid);
    syscall(SYS_setfsuid, uid);
    return 0;
  }
  long set_umask(unsigned mask) override {
    ::umask(mask);
    return 0;
  }
  long mkdir(const std::string& p, unsigned mode) override {
    return neg(mkdirat(root_, p.c_str(), mode));
  }
  long unlink(const std::string& p, int f) override { return neg(unlinkat(root_, p.c_str(), f)); }
  long mknod(const std::string& p, unsigned mode, uint64_t dev) override {
    return neg(syscall(SYS_mknodat, root_, p.c_str(), mode, static_cast<unsigned>(dev)));
  }
  long symlink(const std::string& t, const std::string& p) override {
    return neg(symlinkat(t.c_str(), root_, p.c_str()));
  }
  long link(const std::string& a, const std::string& b, int f) override {
    return neg(linkat(root_, a.c_str(), root_, b.c_str(), f));
  }
  long rename(const std::string& a, const std::string& b, unsigned f) override {
    return neg(syscall(SYS_renameat2, root_, a.c_str(), root_, b.c_str(), f));
  }
  long readlink(const std::string& p, std::string& out) override {
    char buf[4096];
    long n = neg(readlinkat(root_, p.c_str(), buf, sizeof buf));
    if (n >= 0) out.assign(buf, static_cast<size_t>(n));
    return n;
  }
  long stat(const std::string& p, int f, attributes& out) override {
    struct ::stat st;
    long r = neg(fstatat(root_, p.c_str(), &st, f));
    if (r == 0) fill(st, out);
    return r;
  }
  long chmod(const std::string& p, unsigned mode) override {
    return neg(syscall(SYS_fchmodat, root_, p.c_str(), mode));
  }
  long chown(const std::string& p, unsigned uid, unsigned gid, int f) override {
    return neg(fchownat(root_, p.c_str(), uid, gid, f));
  }
  long truncate(const std::string& p, int64_t len) override {
    return neg(syscall(SYS_truncate, at(p).c_str(), len));
  }
  long utimens(const std::string& p, const timespec* t, int f) override {
    return neg(syscall(SYS_utimensat, root_, p.c_str(), t, f));
  }
  long access(const std::string& p, int mode, int f) override {
    return neg(syscall(SYS_faccessat2, root_, p.c_str(), mode, f));
  }
  long open(const std::string& p, int flags, unsigned mode) override {
    return neg(syscall(SYS_openat, root_, p.c_str(), flags, mode));
  }
  long close(int fd) override { return neg(::close(fd)); }
  long read(int fd, void* b, size_t n) override { return neg(::read(fd, b, n)); }
  long write(int fd, const void* b, size_t n) override { return neg(::write(fd, b, n)); }
  long pread(int fd, void* b, size_t n, int64_t o) override { return neg(::pread(fd, b, n, o)); }
  long pwrite(int fd, const void* b, size_t n, int64_t o) override {
    return neg(::pwrite(fd, b, n, o));
  }
  long lseek(int fd, int64_t o, int w) override { return neg(::lseek(fd, o, w)); }
  long ftruncate(int fd, int64_t len) override { return neg(::ftruncate(fd, len)); }
  long fstat(int fd, attributes& out) override {
    struct ::stat st;
    long r = neg(::fstat(fd, &st));
    if (r == 0) fill(st, out);
    return r;
  }
  long fchmod(int fd, unsigned mode) override { return neg(::fchmod(fd, mode)); }
  long fallocate(int fd, int m, int64_t o, int64_t l) override {
    return neg(::fallocate(fd, m, o, l));
  }
  long fsync(int fd) override { return neg(::fsync(fd)); }
  long getfl(int fd) override { return neg(fcntl(fd, F_GETFL)); }
  long setfl(int fd, int f) override { return neg(fcntl(fd, F_SETFL, f)); }
  long dup(int fd) override { return neg(::dup(fd)); }
  long getdents(int fd, void* b, size_t n) override {
    return neg(syscall(SYS_getdents64, fd, b, n));
  }
  long setx(const std::string& p, const std::string& name, const std::string& v, int f) override {
    return neg(::setxattr(at(p).c_str(), name.c_str(), v.data(), v.size(), f));
  }
  long getx(const std::string& p, const std::string& name, void* b, size_t n) override {
    return neg(::getxattr(at(p).c_str(), name.c_str(), b, n));
  }
  long listx(const std::string& p, char* b, size_t n) override {
    return neg(::listxattr(at(p).c_str(), b, n));
  }
  long rmx(const std::string& p, const std::string& name) override {
    return neg(::removexattr(at(p).c_str(), name.c_str()));
  }

 private:
  static void fill(const struct ::stat& st, attributes& out) {
    out = {st.st_mode, st.st_nlink, st.st_uid,         st.st_gid,
           st.st_size, st.st_rdev,  st.st_atim.tv_sec, st.st_mtim.tv_sec};
  }
  // For calls without a form that takes a directory. The empty path stays empty.
  std::string at(const std::string& p) const {
    return p.empty() ? p : "/proc/self/fd/" + std::to_string(root_) + "/" + p;
  }
  int root_;
  std::string dir_;
  mode_t umask_;
};

}  // namespace

std::unique_ptr<world> make_kernel_world(std::string& reason) {
  char dir[] = "/tmp/holdfast_kernel_XXXXXX";
  if (geteuid() == 0 && mkdtemp(dir)) {
    const bool mounted = ::mount("none", dir, "tmpfs", MS_NOATIME, "mode=755") == 0;
    const int fd = mounted ? ::open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (mounted) umount2(dir, MNT_DETACH);
    ::rmdir(dir);
    if (fd >= 0) return std::make_unique<kernel_world>(fd, "");
  }
  struct statfs fs;
  char shm[] = "/dev/shm/holdfast_kernel_XXXXXX";
  if (statfs("/dev/shm", &fs) != 0 || fs.f_type != TMPFS_MAGIC) {
    reason = "neither may mount a tmpfs nor is /dev/shm one";
    return nullptr;
  }
  if (!mkdtemp(shm)) {
    reason = std::string("/dev/shm: ") + strerror(errno);
    return nullptr;
  }
  chmod(shm, 0755);
  const int fd = ::open(shm, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    reason = std::string(shm) + ": " + strerror(errno);
    return nullptr;
  }
  return std::make_unique<kernel_world>(fd, shm);
}

}  // namespace conformance
