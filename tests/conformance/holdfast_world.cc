// SPDX-License-Identifier: Apache-2.0
//
// Holdfast's tmpfs as a world: a mount namespace of its own, a task for root and one for a plain
// user.
#include <cstdlib>

#include "holdfast/filesystems.h"
#include "holdfast/syscalls.h"
#include "tests/conformance/script.h"

namespace conformance {

namespace {

namespace hf = holdfast;

template <class T>
long code(const hf::Result<T>& r) {
  if (!r.ok()) return -r.error().code();
  if constexpr (std::is_void_v<T>)
    return 0;
  else
    return static_cast<long>(*r);
}

class holdfast_world final : public world {
 public:
  holdfast_world() {
    static const bool registered = [] {
      hf::Status s = hf::register_tmpfs();
      return s.ok() || s.error() == hf::Error(EBUSY);
    }();
    if (!registered) abort();
    auto ns = hf::create_mnt_namespace("tmpfs", "none", MS_noatime, "mode=755");
    if (!ns.ok()) abort();
    ns_ = *ns;
    root_ = hf::create_task(*ns_);
    if (!root_) abort();
    t_ = root_;
  }
  ~holdfast_world() override {
    hf::destroy_task(root_);
    hf::put_mnt_ns(ns_);
  }
  // One task whose credentials change, so that open files stay usable as they do in a kernel's
  // process.
  long become(unsigned uid) override {
    hf::cred* c = hf::create_cred(uid, uid, {});
    if (!c) return -ENOMEM;
    hf::set_task_cred(*root_, c);
    return 0;
  }
  long set_umask(unsigned mask) override {
    hf::sys_umask(*t_, mask);
    return 0;
  }
  long mkdir(const std::string& p, unsigned mode) override {
    return code(hf::sys_mkdir(*t_, hf::at_cwd, p, mode));
  }
  long unlink(const std::string& p, int f) override {
    return code(hf::sys_unlink(*t_, hf::at_cwd, p, f));
  }
  long mknod(const std::string& p, unsigned mode, uint64_t dev) override {
    return code(hf::sys_mknod(*t_, hf::at_cwd, p, mode, dev));
  }
  long symlink(const std::string& text, const std::string& p) override {
    return code(hf::sys_symlink(*t_, text, hf::at_cwd, p));
  }
  long link(const std::string& a, const std::string& b, int f) override {
    return code(hf::sys_link(*t_, hf::at_cwd, a, hf::at_cwd, b, f));
  }
  long rename(const std::string& a, const std::string& b, unsigned f) override {
    return code(hf::sys_rename(*t_, hf::at_cwd, a, hf::at_cwd, b, f));
  }
  long readlink(const std::string& p, std::string& out) override {
    char buf[4096];
    long n = code(hf::sys_readlink(*t_, hf::at_cwd, p, buf, sizeof buf));
    if (n >= 0) out.assign(buf, static_cast<size_t>(n));
    return n;
  }
  long stat(const std::string& p, int f, attributes& out) override {
    hf::kstat st;
    long r = code(hf::sys_stat(*t_, hf::at_cwd, p, f, st));
    if (r == 0) fill(st, out);
    return r;
  }
  long chmod(const std::string& p, unsigned mode) override {
    return code(hf::sys_chmod(*t_, hf::at_cwd, p, mode, 0));
  }
  long chown(const std::string& p, unsigned uid, unsigned gid, int f) override {
    return code(hf::sys_chown(*t_, hf::at_cwd, p, uid, gid, f));
  }
  long truncate(const std::string& p, int64_t len) override {
    return code(hf::sys_truncate(*t_, hf::at_cwd, p, len));
  }
  long utimens(const std::string& p, const timespec* times, int f) override {
    return code(hf::sys_utimens(*t_, hf::at_cwd, p, times, f));
  }
  long access(const std::string& p, int mode, int f) override {
    return code(hf::sys_access(*t_, hf::at_cwd, p, mode, f));
  }
  long open(const std::string& p, int flags, unsigned mode) override {
    return code(hf::sys_open(*t_, hf::at_cwd, p, flags, mode));
  }
  long close(int fd) override { return code(hf::sys_close(*t_, fd)); }
  long read(int fd, void* b, size_t n) override { return code(hf::sys_read(*t_, fd, b, n)); }
  long write(int fd, const void* b, size_t n) override {
    return code(hf::sys_write(*t_, fd, b, n));
  }
  long pread(int fd, void* b, size_t n, int64_t o) override {
    return code(hf::sys_pread(*t_, fd, b, n, o));
  }
  long pwrite(int fd, const void* b, size_t n, int64_t o) override {
    return code(hf::sys_pwrite(*t_, fd, b, n, o));
  }
  long lseek(int fd, int64_t o, int w) override { return code(hf::sys_lseek(*t_, fd, o, w)); }
  long ftruncate(int fd, int64_t len) override { return code(hf::sys_ftruncate(*t_, fd, len)); }
  long fstat(int fd, attributes& out) override {
    hf::kstat st;
    long r = code(hf::sys_fstat(*t_, fd, st));
    if (r == 0) fill(st, out);
    return r;
  }
  long fchmod(int fd, unsigned mode) override { return code(hf::sys_fchmod(*t_, fd, mode)); }
  long fallocate(int fd, int m, int64_t o, int64_t l) override {
    return code(hf::sys_fallocate(*t_, fd, m, o, l));
  }
  long fsync(int fd) override { return code(hf::sys_fsync(*t_, fd, false)); }
  long getfl(int fd) override { return code(hf::sys_fcntl_getfl(*t_, fd)); }
  long setfl(int fd, int f) override { return code(hf::sys_fcntl_setfl(*t_, fd, f)); }
  long dup(int fd) override { return code(hf::sys_dup(*t_, fd, 0, false)); }
  long getdents(int fd, void* b, size_t n) override {
    return code(hf::sys_getdents(*t_, fd, b, n));
  }
  long setx(const std::string& p, const std::string& name, const std::string& v, int f) override {
    return code(hf::sys_setxattr(*t_, hf::at_cwd, p, name, v.data(), v.size(), f, 0));
  }
  long getx(const std::string& p, const std::string& name, void* b, size_t n) override {
    return code(hf::sys_getxattr(*t_, hf::at_cwd, p, name, b, n, 0));
  }
  long listx(const std::string& p, char* b, size_t n) override {
    return code(hf::sys_listxattr(*t_, hf::at_cwd, p, b, n, 0));
  }
  long rmx(const std::string& p, const std::string& name) override {
    return code(hf::sys_removexattr(*t_, hf::at_cwd, p, name, 0));
  }

 private:
  static constexpr unsigned MS_noatime = 1u << 10;
  static void fill(const hf::kstat& st, attributes& out) {
    out = {st.mode, st.nlink, st.uid, st.gid, st.size, st.rdev, st.atime.tv_sec, st.mtime.tv_sec};
  }
  hf::mnt_namespace* ns_ = nullptr;
  hf::task* root_ = nullptr;
  hf::task* t_ = nullptr;
};

}  // namespace

std::unique_ptr<world> make_holdfast_world() {
  return std::make_unique<holdfast_world>();
}

}  // namespace conformance
