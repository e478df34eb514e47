// SPDX-License-Identifier: Apache-2.0
//
// The templates of mounted.h.
#pragma once

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace holdfast::fuse_test {

template <class F>
int in_child(unsigned id, F&& body) {
  pid_t pid = fork();
  if (pid == 0) {
    if (id != 0 && (setgroups(0, nullptr) != 0 || setgid(id) != 0 || setuid(id) != 0)) _exit(99);
    _exit(body());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <class F>
bool eventually(F&& done) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace holdfast::fuse_test
