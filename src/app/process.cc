// SPDX-License-Identifier: Apache-2.0
//
// See process.h.
#include "app/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

namespace holdfast::app {

void unique_fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

run_result run_program(const std::vector<std::string>& argv, const run_options& opt) {
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  int ends[2] = {-1, -1};
  if (opt.keep_output && pipe2(ends, O_CLOEXEC) != 0) return {};
  unique_fd reading(ends[0]);
  unique_fd writing(ends[1]);
  pid_t pid = fork();
  if (pid < 0) return {};
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, 0);
    if (writing) {
      dup2(writing.get(), 1);
      dup2(writing.get(), 2);
    }
    if (!opt.cwd.empty() && chdir(opt.cwd.c_str()) != 0) _exit(126);
    execvp(args[0], args.data());
    _exit(127);
  }
  run_result r;
  writing.reset();
  char buf[4096];
  while (reading) {
    ssize_t n = read(reading.get(), buf, sizeof buf);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    r.output.append(buf, static_cast<size_t>(n));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return r;
}

bool have_program(const std::string& name) {
  const char* path = getenv("PATH");
  std::string list = path != nullptr ? path : "/usr/bin:/bin";
  for (size_t at = 0; at <= list.size();) {
    size_t end = list.find(':', at);
    if (end == std::string::npos) end = list.size();
    std::string candidate = list.substr(at, end - at) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return true;
    at = end + 1;
  }
  return false;
}

std::string canonical(const std::string& path) {
  char buf[PATH_MAX];
  if (realpath(path.c_str(), buf) != nullptr) return buf;
  std::string absolute = path;
  if (path.empty() || path[0] != '/') {
    if (getcwd(buf, sizeof buf) != nullptr) absolute = std::string(buf) + "/" + path;
  }
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute;
}

}  // namespace holdfast::app
