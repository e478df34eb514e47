// SPDX-License-Identifier: Apache-2.0
//
// Starting other programs, and small things about processes.
#pragma once

#include <string>
#include <vector>

namespace holdfast::app {

struct run_result {
  int status = -1;     // the exit status; 128 + n after signal n; 127: it could not be started
  std::string output;  // stdout and stderr, if kept
};

struct run_options {
  std::string cwd;  // empty: as it is
  bool keep_output = true;
};

// Runs a program (searched in PATH) and waits for it; stdin is /dev/null.
run_result run_program(const std::vector<std::string>& argv, const run_options& opt = {});
bool have_program(const std::string& name);

// A descriptor that is closed with its owner.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& o) noexcept : fd_(o.release()) {}
  unique_fd& operator=(unique_fd&& o) noexcept {
    if (this != &o) reset(o.release());
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// The canonical name of an existing place; of one that can't be reached (a dead mount), the
// absolute name.
std::string canonical(const std::string& path);

}  // namespace holdfast::app
