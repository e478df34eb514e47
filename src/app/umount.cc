// SPDX-License-Identifier: Apache-2.0
//
// holdfast umount: takes a mount away and waits until its server has ended, so that what it held is
// free.
#include <poll.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "app/commands.h"
#include "app/control.h"
#include "app/errors.h"

namespace holdfast::app {
namespace {

constexpr int patience_ms = 60000;

void take_away(const std::string& dir, bool lazy) {
  if (geteuid() == 0) {
    if (umount2(dir.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0) return;
    int code = errno;
    if (code == EBUSY) {
      throw user_error(dir + " is in use: end what uses it (`fuser -vm " + dir +
                       "` lists it), or detach it with -l");
    }
    if (code == EINVAL) throw user_error(dir + " is not a mount point");
    throw user_error(dir + ": " + error_text(code));
  }
  if (!have_program("fusermount3")) {
    throw user_error("fusermount3 is missing, which unmounts for users: install the package fuse3");
  }
  std::vector<std::string> argv{"fusermount3", "-u"};
  if (lazy) argv.push_back("-z");
  argv.insert(argv.end(), {"--", dir});
  run_result r = run_program(argv);
  if (r.status == 0) return;
  while (!r.output.empty() && r.output.back() == '\n') r.output.pop_back();
  throw user_error(r.output + (lazy ? "" : "; if it is in use, detach it with -l"));
}

}  // namespace

int umount_command(const std::string& given, bool lazy) {
  std::string dir = canonical(given);
  server_connection server = connect_to_server(dir);
  if (server && server.mountpoint != dir) server = {};
  unique_fd process;
  if (server) process.reset(static_cast<int>(syscall(SYS_pidfd_open, server.pid, 0)));
  // The connection itself must not look like a user of the server.
  server.socket.reset();
  take_away(dir, lazy);
  if (lazy || !process) return 0;
  pollfd p{.fd = process.get(), .events = POLLIN, .revents = 0};
  int n;
  while ((n = poll(&p, 1, patience_ms)) < 0 && errno == EINTR) {
  }
  if (n == 0) {
    throw user_error(dir + " is unmounted, but its server, process " + std::to_string(server.pid) +
                     ", has not ended within a minute");
  }
  return 0;
}

}  // namespace holdfast::app
