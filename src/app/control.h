// SPDX-License-Identifier: Apache-2.0
//
// The way to a server that runs in the background: one Unix socket a mount, in a folder of its
// user's.
//
// Protocol: the client sends one line, "status" or "rules"; the server answers with one line of
// JSON and closes. Only the server's own user and root can reach the socket.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "app/process.h"

namespace holdfast::app {

// $XDG_RUNTIME_DIR/holdfast, /run/holdfast for root, else /tmp/holdfast-UID; made with mode 0700.
// Throws user_error when it is not this user's alone.
std::string runtime_dir();
// The socket (suffix ".sock") or log (".log") of the mount at this canonical place.
std::string control_path(const std::string& mountpoint, const char* suffix = ".sock");

class control_server {
 public:
  using answer_fn = std::function<std::string(const std::string& request)>;
  // Listens from the end of the constructor. Throws user_error.
  control_server(const std::string& mountpoint, answer_fn answer);
  ~control_server();
  control_server(const control_server&) = delete;
  control_server& operator=(const control_server&) = delete;

 private:
  void serve();
  std::string path_;
  answer_fn answer_;
  unique_fd socket_;
  unique_fd stop_;
  std::thread thread_;
};

struct server_connection {
  unique_fd socket;
  int pid = 0;
  std::string mountpoint;
  explicit operator bool() const { return static_cast<bool>(socket); }
};
// The server of the mount that this place is, or lies in. Empty: there is none.
server_connection connect_to_server(const std::string& place);
// One question on a fresh connection. Throws user_error when the server went away.
std::string ask_server(const server_connection& server, const std::string& request);

}  // namespace holdfast::app
