// SPDX-License-Identifier: Apache-2.0
//
// holdfast mount: builds the name space, and serves it from the background.
//
// 1. The fork comes before anything that starts a thread. The parent ends with 0 only when the
//    child has said, through a pipe, that the mount answers; a child that ends before has explained
//    itself on stderr.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "app/commands.h"
#include "app/control.h"
#include "app/errors.h"
#include "app/options.h"
#include "app/snapshot.h"
#include "holdfast/filesystems.h"
#include "holdfast/fuse.h"

namespace holdfast::app {
namespace {

std::string list_types() {
  std::string list;
  for_each_filesystem(
      [](const file_system_type& t, void* arg) {
        auto& out = *static_cast<std::string*>(arg);
        if (!out.empty()) out += ", ";
        out += t.name;
      },
      &list);
  return list;
}

void check_device() {
  unique_fd fd(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (fd) return;
  if (errno == EACCES || errno == EPERM) {
    throw user_error(
        "/dev/fuse may not be opened by you: become root, or ask for mode 0666 on it, the usual "
        "one");
  }
  throw user_error(
      "there is no usable /dev/fuse (" + error_text(errno) +
      "): load the kernel's module with `modprobe fuse`; in a container, start it with --device "
      "/dev/fuse --cap-add SYS_ADMIN");
}

void check_mountpoint(const std::string& dir) {
  struct stat st;
  if (stat(dir.c_str(), &st) != 0) {
    if (errno == ENOTCONN) {
      throw user_error(dir + " is a mount whose server is gone: run `holdfast umount -l " + dir +
                       "` first");
    }
    throw user_error(dir + ": " + error_text(errno) +
                     (errno == ENOENT ? "; make the directory first: mkdir -p " + dir : ""));
  }
  if (!S_ISDIR(st.st_mode)) throw user_error(dir + " is not a directory");
  if (geteuid() != 0) {
    if (!have_program("fusermount3")) {
      throw user_error("fusermount3 is missing, which mounts for users: install the package fuse3");
    }
    if (access(dir.c_str(), W_OK) != 0) {
      throw user_error(dir + " is not writable by you, so you may not mount on it");
    }
  }
}

// Which of several options a file system refuses: each is tried alone.
std::string refused_option(const mount_request& r, unsigned flags, const std::string& data) {
  for (size_t at = 0; at < data.size();) {
    size_t end = data.find(',', at);
    if (end == std::string::npos) end = data.size();
    std::string one = data.substr(at, end - at);
    auto ns = create_mnt_namespace(r.type, r.source, flags, one);
    if (ns) {
      put_mnt_ns(*ns);
    } else if (ns.code() == EINVAL) {
      return one;
    }
    at = end + 1;
  }
  return {};
}

mnt_namespace* build_namespace(const mount_request& r, const mount_options& o) {
  file_system_type* type = get_fs_type(r.type);
  if (type == nullptr) {
    throw user_error("no file system type '" + r.type + "'; there are: " + list_types());
  }
  auto ns = create_mnt_namespace(r.type, r.source, o.ms_flags, o.data);
  if (ns) return *ns;
  std::string takes = type->help != nullptr ? std::string("; it takes: ") + type->help : "";
  if (ns.code() == EINVAL && !o.data.empty()) {
    std::string bad = (type->fs_flags & fs_requires_dev) == 0
                          ? refused_option(r, o.ms_flags, o.data)
                          : std::string();
    throw user_error(r.type + " does not accept " +
                     (bad.empty() ? "these options together: " + o.data : "the option " + bad) +
                     takes);
  }
  throw user_error(r.type + " cannot be mounted from " + r.source + ": " + error_text(ns.code()) +
                   takes);
}

// What a live mount has: its pipe to the parent, its control socket.
struct live_mount {
  const mount_request& request;
  std::string mountpoint;
  std::string log;
  unique_fd parent;
  std::optional<control_server> control;

  void to_background() {
    if (!parent) return;
    setsid();
    if (chdir("/") != 0) perror("holdfast: /");
    unique_fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    dup2(null.get(), 0);
    dup2(null.get(), 1);
    unique_fd messages;
    if (!log.empty()) {
      messages.reset(
          open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    }
    dup2(messages ? messages.get() : null.get(), 2);
    char ok = 1;
    if (write(parent.get(), &ok, 1) != 1) {
      // The parent was killed; the mount lives on.
    }
    parent.reset();
  }

  static void live(fuse_door& door, void* arg) {
    auto& self = *static_cast<live_mount*>(arg);
    try {
      self.control.emplace(self.mountpoint, [&self, &door](const std::string& request) {
        if (request == "rules") return take_rules().dump(-1, ' ', false, lenient);
        nlohmann::json s = take_snapshot(&door);
        s["mountpoint"] = self.mountpoint;
        s["type"] = self.request.type;
        s["source"] = self.request.source;
        if (!self.log.empty()) s["log"] = self.log;
        return s.dump(-1, ' ', false, lenient);
      });
    } catch (const std::exception& e) {
      fprintf(stderr, "holdfast: %s; `holdfast status` will not find this mount\n", e.what());
    }
    self.to_background();
  }
  static void down(fuse_door&, void* arg) { static_cast<live_mount*>(arg)->control.reset(); }
  // A name that is not UTF-8 must not keep the status from being shown.
  static constexpr auto lenient = nlohmann::json::error_handler_t::replace;
};

int serve(const mount_request& r, unique_fd parent) {
  apply_check_mode(r.check, r.check_log);
  register_file_systems();
  mount_options o = parse_mount_options(r.options);
  mnt_namespace* ns = build_namespace(r, o);
  live_mount mount{.request = r,
                   .mountpoint = canonical(r.dir),
                   .log = {},
                   .parent = std::move(parent),
                   .control = {}};
  if (mount.parent && r.check != "off") mount.log = control_path(mount.mountpoint, ".log");
  // libfuse denies both to everybody unless told; root's mounts are as root's mounts are.
  if (geteuid() == 0) {
    o.kernel = "dev,suid" + (o.kernel.empty() ? "" : "," + o.kernel);
    if (!o.allow_other_said) o.allow_other = true;
  }
  fuse_options f;
  f.ns = ns;
  f.mountpoint = mount.mountpoint.c_str();
  f.source = r.source.c_str();
  f.type = r.type.c_str();
  f.kernel_options = o.kernel.c_str();
  f.workers = o.workers;
  f.timeout = o.timeout;
  f.allow_other = o.allow_other;
  f.writeback_cache = o.writeback;
  f.live = live_mount::live;
  f.down = live_mount::down;
  f.arg = &mount;
  Result<int> end = fuse_serve(f);
  put_mnt_ns(ns);
  static_cast<void>(set_contract_log(nullptr));
  // A log in which nothing stands is of no use to anybody.
  struct stat st;
  if (!mount.log.empty() && stat(mount.log.c_str(), &st) == 0 && st.st_size == 0) {
    unlink(mount.log.c_str());
  }
  if (!end) {
    std::string hint;
    if (o.allow_other && geteuid() != 0) {
      hint = "; allow_other needs the line user_allow_other in /etc/fuse.conf";
    }
    throw user_error("mounting on " + r.dir + " failed: " + error_text(end.code()) + hint);
  }
  return 0;
}

}  // namespace

void register_file_systems() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (Status s = register_tmpfs(); !s) {
      throw user_error("cannot register tmpfs: " + error_text(s.code()));
    }
  });
}

void apply_check_mode(const std::string& mode, const std::string& log) {
  check_mode m = mode == "abort"    ? check_mode::abort
                 : mode == "report" ? check_mode::report
                                    : check_mode::off;
  if (m != check_mode::off && !checking_compiled_in) {
    throw user_error(
        "this build has no checks compiled in; configure it with -DHOLDFAST_CHECKING=ON");
  }
  set_check_mode(m);
  open_check_log(log);
}

void open_check_log(const std::string& log) {
  if (log.empty()) return;
  if (Status s = set_contract_log(log.c_str()); !s) {
    throw user_error("cannot write the check log " + log + ": " + error_text(s.code()));
  }
}

int mount_command(const mount_request& r) {
  check_mountpoint(r.dir);
  check_device();
  if (r.foreground) return serve(r, {});
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw user_error("pipe: " + error_text(errno));
  unique_fd reading(ends[0]);
  unique_fd writing(ends[1]);
  pid_t pid = fork();
  if (pid < 0) throw user_error("fork: " + error_text(errno));
  if (pid == 0) {
    reading.reset();
    int status = 1;
    try {
      status = serve(r, std::move(writing));
    } catch (const std::exception& e) {
      fprintf(stderr, "holdfast: %s\n", e.what());
    }
    fflush(nullptr);
    _exit(status);
  }
  writing.reset();
  char ok = 0;
  ssize_t n;
  while ((n = read(reading.get(), &ok, 1)) < 0 && errno == EINTR) {
  }
  if (n == 1) return 0;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    fprintf(stderr, "holdfast: the server was killed by signal %d\n", WTERMSIG(status));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
}

}  // namespace holdfast::app
