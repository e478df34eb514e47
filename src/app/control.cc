// SPDX-License-Identifier: Apache-2.0
//
// See control.h.
#include "app/control.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "app/errors.h"

namespace holdfast::app {
namespace {

constexpr int patience_ms = 10000;
constexpr size_t request_max = 64;

uint64_t fnv1a(const std::string& text) {
  uint64_t h = 0xcbf29ce484222325u;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

std::string file_in(const std::string& dir, const std::string& mountpoint, const char* suffix) {
  char name[17];
  snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(fnv1a(mountpoint)));
  return dir + "/" + name + suffix;
}

bool fill_address(const std::string& path, sockaddr_un& a) {
  a = {};
  a.sun_family = AF_UNIX;
  if (path.size() >= sizeof a.sun_path) return false;
  path.copy(a.sun_path, path.size());
  return true;
}

// Where a server's socket may lie, as seen by this user: its own folder; root looks into all.
std::string own_dir() {
  if (geteuid() == 0) return "/run/holdfast";
  const char* xdg = getenv("XDG_RUNTIME_DIR");
  if (xdg != nullptr && *xdg == '/') return std::string(xdg) + "/holdfast";
  return "/tmp/holdfast-" + std::to_string(geteuid());
}

void make_private(const std::string& dir) {
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    throw user_error("cannot make " + dir + ": " + error_text(errno));
  }
  struct stat st;
  if (lstat(dir.c_str(), &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
      (st.st_mode & 077) != 0) {
    throw user_error(dir +
                     " must be a directory of your own with mode 0700; remove it or fix that");
  }
}

unique_fd connect_to(const std::string& path) {
  sockaddr_un a;
  if (!fill_address(path, a)) return {};
  unique_fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) return {};
  return fd;
}

bool readable(int fd, int timeout_ms) {
  pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
  int n;
  do {
    n = poll(&p, 1, timeout_ms);
  } while (n < 0 && errno == EINTR);
  return n > 0;
}

void send_all(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    ssize_t n = send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    at += static_cast<size_t>(n);
  }
}

}  // namespace

std::string runtime_dir() {
  std::string dir = own_dir();
  make_private(dir);
  return dir;
}

std::string control_path(const std::string& mountpoint, const char* suffix) {
  return file_in(runtime_dir(), mountpoint, suffix);
}

control_server::control_server(const std::string& mountpoint, answer_fn answer)
    : path_(control_path(mountpoint)),
      answer_(std::move(answer)),
      socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_un a;
  // What lies there was left by a server that was killed.
  unlink(path_.c_str());
  if (!socket_ || !stop_ || !fill_address(path_, a) ||
      bind(socket_.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0 ||
      listen(socket_.get(), 8) != 0) {
    throw user_error("cannot listen on " + path_ + ": " + error_text(errno));
  }
  thread_ = std::thread([this] { serve(); });
}

control_server::~control_server() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
  unlink(path_.c_str());
}

void control_server::serve() {
  for (;;) {
    pollfd p[2] = {{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                   {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    if (poll(p, 2, -1) < 0) continue;
    if (p[1].revents != 0) return;
    unique_fd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    // A client that does not ask must not hold up the end of the server for long.
    timeval limit{.tv_sec = 1, .tv_usec = 0};
    setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    std::string request;
    char c;
    while (request.size() < request_max && recv(client.get(), &c, 1, 0) == 1 && c != '\n') {
      request += c;
    }
    if (request.empty()) continue;
    send_all(client.get(), answer_(request) + "\n");
  }
}

server_connection connect_to_server(const std::string& place) {
  for (std::string at = place;;) {
    server_connection found;
    found.socket = connect_to(file_in(own_dir(), at, ".sock"));
    if (found.socket) {
      ucred peer{};
      socklen_t size = sizeof peer;
      getsockopt(found.socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
      found.pid = peer.pid;
      found.mountpoint = at;
      return found;
    }
    if (at.size() <= 1) return {};
    size_t slash = at.rfind('/');
    at = slash == 0 ? "/" : at.substr(0, slash);
  }
}

std::string ask_server(const server_connection& server, const std::string& request) {
  send_all(server.socket.get(), request + "\n");
  std::string answer;
  char buf[4096];
  while (readable(server.socket.get(), patience_ms)) {
    ssize_t n = recv(server.socket.get(), buf, sizeof buf, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    answer.append(buf, static_cast<size_t>(n));
  }
  if (answer.empty() || answer.back() != '\n') {
    throw user_error("the server of " + server.mountpoint + " (process " +
                     std::to_string(server.pid) + ") does not answer");
  }
  return answer;
}

}  // namespace holdfast::app
