// SPDX-License-Identifier: Apache-2.0
//
// The life of a mount: mounted, served, ended.
//
// 1. Workers read requests until the connection is gone (ENODEV after an unmount, by whomever) or
//    the session is told to exit. The thread that called fuse_serve() waits for signals and for the
//    workers.
// 2. On a signal the mount is taken away first, while the workers go on: the kernel writes back
//    what it holds. A mount in use is detached, and what still uses it gets ENOTCONN.
// 3. Everything is torn down in reverse: workers joined, nodes dropped, tasks destroyed.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "handlers.h"

HF_NAMESPACE_BEGIN

namespace {

// Interrupts a worker in read(2); its handler does nothing.
constexpr int kick_signal = SIGUSR1;
void on_kick(int) {}

constexpr int poll_again_ms = 20;
constexpr unsigned least_workers = 4;

class scoped_fd {
 public:
  explicit scoped_fd(int fd) : fd_(fd) {}
  ~scoped_fd() {
    if (fd_ >= 0) close(fd_);
  }
  scoped_fd(const scoped_fd&) = delete;
  scoped_fd& operator=(const scoped_fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Where the handlers of signals leave word: an eventfd, and which signal it was.
std::atomic<int> signal_event{-1};
std::atomic<int> last_signal{0};
constexpr int ending_signals[] = {SIGTERM, SIGINT, SIGHUP};
void on_ending_signal(int number) {
  int saved = errno;
  last_signal.store(number);
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(signal_event.load(), &one, sizeof one);
  errno = saved;
}

// What fuse_serve() changes of the process, and gives back. Handlers, not a mask: a thread that was
// started earlier, by whomever, may be the one that a signal meets.
class signal_state {
 public:
  explicit signal_state(int event) {
    last_signal.store(0);
    signal_event.store(event);
    struct sigaction end{};
    end.sa_handler = on_ending_signal;
    end.sa_flags = SA_RESTART;
    for (size_t i = 0; i < std::size(ending_signals); ++i) {
      sigaction(ending_signals[i], &end, &old_[i]);
    }
    struct sigaction kick{};
    kick.sa_handler = on_kick;  // no SA_RESTART: the point is EINTR
    sigaction(kick_signal, &kick, &old_kick_);
  }
  ~signal_state() {
    sigaction(kick_signal, &old_kick_, nullptr);
    for (size_t i = 0; i < std::size(ending_signals); ++i) {
      sigaction(ending_signals[i], &old_[i], nullptr);
    }
    signal_event.store(-1);
  }
  signal_state(const signal_state&) = delete;
  signal_state& operator=(const signal_state&) = delete;

 private:
  struct sigaction old_[std::size(ending_signals)];
  struct sigaction old_kick_;
};

void raise_event(int fd) {
  uint64_t one = 1;
  // A full counter is an event already raised.
  [[maybe_unused]] ssize_t n = write(fd, &one, sizeof one);
}

void serve_requests(fuse_door& door, fuse_worker& w) {
  set_this_fuse_worker(&w);
  fuse_buf buf{};
  while (!fuse_session_exited(door.session)) {
    int n = fuse_session_receive_buf(door.session, &buf);
    if (n == -EINTR || n == -EAGAIN) continue;
    if (n <= 0) break;
    fuse_session_process_buf(door.session, &buf);
  }
  free(buf.mem);
  set_this_fuse_worker(nullptr);
  door.running.fetch_sub(1);
  raise_event(door.wake);
}

int run(const char* const* argv) {
  pid_t pid;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, const_cast<char* const*>(argv), environ) != 0) {
    return -1;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Takes the mount away. True: nobody used it, the kernel ends the connection by itself.
bool unmount(const char* mountpoint) {
  if (geteuid() == 0) {
    if (umount2(mountpoint, UMOUNT_NOFOLLOW) == 0) return true;
    if (errno == EBUSY) {
      // What was written through mappings reaches the file system before the users lose it.
      scoped_fd root(open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (root.get() >= 0) syncfs(root.get());
    }
    umount2(mountpoint, UMOUNT_NOFOLLOW | MNT_DETACH);
    return false;
  }
  const char* plain[] = {"fusermount3", "-u", "-q", "--", mountpoint, nullptr};
  if (run(plain) == 0) return true;
  const char* lazy[] = {"fusermount3", "-u", "-z", "-q", "--", mountpoint, nullptr};
  run(lazy);
  return false;
}

// libfuse's own unmount, which frees what its mount allocated. The mount is gone by now, and
// whatever lies at that place is somebody else's: a descriptor in error state tells libfuse so.
void forget_mount(fuse_session* session) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == 0) {
    close(ends[0]);
    dup3(ends[1], fuse_session_fd(session), O_CLOEXEC);
    close(ends[1]);
  }
  fuse_session_unmount(session);
}

unsigned wanted_workers(const fuse_options& opt) {
  if (opt.workers != 0) return opt.workers;
  unsigned n = std::thread::hardware_concurrency() + 2;
  return n < least_workers ? least_workers : n;
}

// libfuse's own argument vector.
Result<fuse_session*> new_session(fuse_door& door) {
  const fuse_options& opt = door.opt;
  char* text = nullptr;
  std::string source = std::string("fsname=") + opt.source;
  std::string subtype = std::string("subtype=holdfast");
  if (*opt.type != '\0') subtype += std::string(".") + opt.type;
  bool ok = fuse_opt_add_opt(&text, "default_permissions") == 0 &&
            fuse_opt_add_opt_escaped(&text, source.c_str()) == 0 &&
            fuse_opt_add_opt_escaped(&text, subtype.c_str()) == 0 &&
            (!opt.allow_other || fuse_opt_add_opt(&text, "allow_other") == 0) &&
            (*opt.kernel_options == '\0' || fuse_opt_add_opt(&text, opt.kernel_options) == 0);
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  ok = ok && fuse_opt_add_arg(&args, "holdfast") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
       fuse_opt_add_arg(&args, text) == 0;
  free(text);
  if (!ok) {
    fuse_opt_free_args(&args);
    return Error(ENOMEM);
  }
  fuse_session* s =
      fuse_session_new(&args, &fuse_door_operations, sizeof fuse_door_operations, &door);
  fuse_opt_free_args(&args);
  if (s == nullptr) return Error(EINVAL);
  return s;
}

class threads {
 public:
  explicit threads(fuse_door& door) : door_(door) {}
  ~threads() { join(); }
  threads(const threads&) = delete;
  threads& operator=(const threads&) = delete;

  Status start() {
    try {
      all_.reserve(door_.worker_count);
      for (unsigned i = 0; i < door_.worker_count; ++i) {
        door_.running.fetch_add(1);
        all_.emplace_back(serve_requests, std::ref(door_), std::ref(door_.workers[i]));
      }
    } catch (const std::system_error&) {
      door_.running.fetch_sub(1);
      return Error(EAGAIN);
    } catch (const std::bad_alloc&) {
      return Error(ENOMEM);
    }
    return {};
  }
  // A signal that meets a worker just before read(2) is lost, so it is sent until the worker has
  // ended.
  void stop() {
    fuse_session_exit(door_.session);
    while (door_.running.load() != 0) {
      for (std::thread& t : all_) pthread_kill(t.native_handle(), kick_signal);
      pollfd p{.fd = door_.wake, .events = POLLIN, .revents = 0};
      poll(&p, 1, poll_again_ms);
      uint64_t n;
      [[maybe_unused]] ssize_t got = read(door_.wake, &n, sizeof n);
    }
  }
  void join() {
    for (std::thread& t : all_) {
      if (t.joinable()) t.join();
    }
  }

 private:
  fuse_door& door_;
  std::vector<std::thread> all_;
};

// Waits for the end. Returns the signal that caused it, or 0.
int supervise(fuse_door& door, threads& pool, int signals) {
  bool told = false;
  int caught = 0;
  bool detaching = false;
  std::thread detacher;  // umount(2) blocks until the workers have answered what the kernel sends
  while (door.running.load() != 0) {
    pollfd p[2] = {{.fd = door.wake, .events = POLLIN, .revents = 0},
                   {.fd = signals, .events = POLLIN, .revents = 0}};
    if (poll(p, 2, -1) < 0) continue;
    if (p[0].revents != 0) {
      uint64_t n;
      [[maybe_unused]] ssize_t got = read(door.wake, &n, sizeof n);
      if (door.initialised.load() && !told) {
        told = true;
        if (door.opt.live != nullptr) door.opt.live(door, door.opt.arg);
      }
      // One worker saw the end of the connection; the others will, but for those in no read.
      if (fuse_session_exited(door.session)) pool.stop();
    }
    if (p[1].revents == 0) continue;
    uint64_t count;
    if (read(signals, &count, sizeof count) != static_cast<ssize_t>(sizeof count)) continue;
    caught = last_signal.load();
    if (detaching) {  // asked twice: do not wait for anybody
      pool.stop();
      continue;
    }
    detaching = true;
    try {
      detacher = std::thread([&door] {
        if (!unmount(door.opt.mountpoint)) {
          fuse_session_exit(door.session);
          raise_event(door.wake);
        }
      });
    } catch (const std::system_error&) {
      fuse_session_exit(door.session);
      raise_event(door.wake);
    }
  }
  if (detacher.joinable()) detacher.join();
  pool.join();
  if (told && door.opt.down != nullptr) door.opt.down(door, door.opt.arg);
  return caught;
}

}  // namespace

const fuse_lowlevel_ops fuse_door_operations = [] {
  fuse_lowlevel_ops o{};
  namespace h = fuse_handlers;
  o.init = fuse_door_init;
  o.lookup = h::lookup;
  o.forget = h::forget;
  o.forget_multi = h::forget_multi;
  o.getattr = h::getattr;
  o.setattr = h::setattr;
  o.readlink = h::readlink;
  o.mknod = h::mknod;
  o.mkdir = h::mkdir;
  o.unlink = h::unlink;
  o.rmdir = h::rmdir;
  o.symlink = h::symlink;
  o.rename = h::rename;
  o.link = h::link;
  o.create = h::create;
  o.open = h::open;
  o.read = h::read;
  o.write = h::write;
  o.flush = h::flush;
  o.release = h::release;
  o.fsync = h::fsync;
  o.opendir = h::opendir;
  o.readdir = h::readdir;
  o.readdirplus = h::readdirplus;
  o.releasedir = h::releasedir;
  o.fsyncdir = h::fsyncdir;
  o.statfs = h::statfs;
  o.setxattr = h::setxattr;
  o.getxattr = h::getxattr;
  o.listxattr = h::listxattr;
  o.removexattr = h::removexattr;
  o.fallocate = h::fallocate;
  o.lseek = h::lseek;
  o.ioctl = h::ioctl;
  return o;
}();

// Capabilities are named one by one: libfuse's defaults fit file systems that change behind the
// kernel. Left out on purpose:
//  - ATOMIC_O_TRUNC, HANDLE_KILLPRIV: without them the kernel takes suid bits and file capabilities
//  away by
//    requests of its own, and knows the result; with them its cached mode stays behind.
//  - AUTO_INVAL_DATA: nothing changes behind the kernel, so it needn't drop pages when times
//  change.
//  - SPLICE_*: data is copied to and from folios, so a pipe between would be a detour.
//  - NO_OPEN_SUPPORT, NO_OPENDIR_SUPPORT: a file system's ->open and ->release are part of its
//  contract.
void fuse_door_init(void* userdata, fuse_conn_info* conn) {
  auto& door = *static_cast<fuse_door*>(userdata);
  unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_DONT_MASK |
                  FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_DIO |
                  FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_POSIX_ACL;
  if (door.opt.timeout > 0) want |= FUSE_CAP_CACHE_SYMLINKS;
  if (door.opt.writeback_cache) want |= FUSE_CAP_WRITEBACK_CACHE;
  if (door.opt.timeout <= 0) want |= FUSE_CAP_AUTO_INVAL_DATA;
  conn->want = want & conn->capable;
  conn->max_write = static_cast<unsigned>(fuse_worker::buffer_size);
  conn->max_background = 64;
  conn->congestion_threshold = 48;
  conn->time_gran = door.nodes.find(node_table::root_id).value()->dent->d_sb->s_time_gran;
  door.initialised.store(true);
  raise_event(door.wake);
}

Result<int> fuse_serve(const fuse_options& opt) {
  if (opt.ns == nullptr || *opt.mountpoint == '\0') return Error(EINVAL);
  scoped_fd signal_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  scoped_fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (signal_fd.get() < 0 || wake.get() < 0) return Error(errno);
  signal_state signals(signal_fd.get());

  fuse_door door;
  door.opt = opt;
  door.wake = wake.get();
  door.nodes.set_root(mnt_ns_root(*opt.ns));
  door.worker_count = wanted_workers(opt);
  door.workers.reset(new (std::nothrow) fuse_worker[door.worker_count]);
  if (!door.workers) return Error(ENOMEM);
  auto destroy_workers = [&door] {
    for (unsigned i = 0; i < door.worker_count; ++i) door.workers[i].destroy();
  };
  for (unsigned i = 0; i < door.worker_count; ++i) {
    if (Status s = door.workers[i].init(*opt.ns); !s) {
      destroy_workers();
      return s.error();
    }
  }
  auto session = new_session(door);
  if (!session) {
    destroy_workers();
    return session.error();
  }
  door.session = *session;
  Result<int> result = Error(EIO);
  if (fuse_session_mount(door.session, opt.mountpoint) == 0) {
    threads pool(door);
    if (Status s = pool.start(); s) {
      result = supervise(door, pool, signal_fd.get());
    } else {
      unmount(opt.mountpoint);
      pool.stop();
      result = s.error();
    }
    pool.join();
    forget_mount(door.session);
  }
  fuse_session_destroy(door.session);
  {
    task_scope as(*door.workers[0].t);
    door.files.clear();
  }
  door.nodes.clear();
  destroy_workers();
  return result;
}

const char* fuse_request_name(fuse_request kind) {
  static constexpr const char* names[] = {
#define HF_FUSE_NAME(name) #name,
      HOLDFAST_FUSE_REQUESTS(HF_FUSE_NAME)
#undef HF_FUSE_NAME
  };
  return names[static_cast<size_t>(kind)];
}

fuse_status fuse_door_status(const fuse_door& door) {
  fuse_status st;
  for (unsigned i = 0; i < door.worker_count; ++i) {
    for (size_t k = 0; k < fuse_request_kinds; ++k) st.requests[k] += door.workers[i].requests[k];
  }
  st.unknown_nodes = door.nodes.misses();
  st.nodes = door.nodes.size();
  st.lookups = door.nodes.lookups();
  st.workers = door.worker_count;
  return st;
}

HF_NAMESPACE_END
