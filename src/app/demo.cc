// SPDX-License-Identifier: Apache-2.0
//
// holdfast demo: mounts a tmpfs with checking on, does real work on it, shows what happened,
// unmounts.
//
// 1. Whatever fails, the mount and its directory do not stay behind.
// 2. A step that fails is shown with what its program said, and the demo ends with 1.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/control.h"
#include "app/errors.h"
#include "app/snapshot.h"

namespace holdfast::app {
namespace {

namespace fs = std::filesystem;

// Holdfast's own sources, beside the program or around the working directory; else what every
// system has.
std::string find_tree() {
  std::error_code e;
  std::vector<fs::path> starts{fs::read_symlink("/proc/self/exe", e).parent_path(),
                               fs::current_path(e)};
  for (const fs::path& start : starts) {
    for (fs::path at = start; !at.empty(); at = at.parent_path()) {
      if (fs::exists(at / "include/holdfast/syscalls.h", e) &&
          fs::exists(at / "CMakeLists.txt", e)) {
        return at.string();
      }
      if (at == at.root_path()) break;
    }
  }
  return "/usr/include";
}

class steps {
 public:
  // One line a step: what, how long.
  void run(const std::string& what, const std::vector<std::string>& argv,
           const run_options& opt = {}) {
    printf("  %-58s", what.c_str());
    fflush(stdout);
    auto begin = std::chrono::steady_clock::now();
    run_result r = run_program(argv, opt);
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    if (r.status == 0) {
      printf("%8lld ms\n", static_cast<long long>(ms.count()));
    } else {
      printf("  failed (%d)\n%s\n", r.status, r.output.c_str());
      ++failed;
    }
  }
  void shell(const std::string& what, const std::string& script, const run_options& opt = {}) {
    run(what, {"sh", "-ec", script}, opt);
  }
  int failed = 0;
};

class temporary_mount {
 public:
  explicit temporary_mount(const std::string& log) {
    char name[] = "/tmp/holdfast-demo.XXXXXX";
    if (mkdtemp(name) == nullptr) throw user_error(std::string(name) + ": " + error_text(errno));
    dir_ = name;
    std::string self = fs::read_symlink("/proc/self/exe").string();
    // Not kept: the server inherits the descriptors, and a pipe would stay open.
    std::vector<std::string> argv = {self, "mount", "-t", "tmpfs", "--check=abort"};
    if (!log.empty()) argv.push_back("--check-log=" + log);
    argv.insert(argv.end(), {"none", dir_});
    run_result r = run_program(argv, {.cwd = {}, .keep_output = false});
    if (r.status != 0) {
      rmdir(dir_.c_str());
      throw user_error("the mount failed");
    }
  }
  ~temporary_mount() {
    try {
      end();
    } catch (const std::exception& e) {
      fprintf(stderr, "holdfast: %s\n", e.what());
      try {
        umount_command(dir_, true);
      } catch (const std::exception&) {
        // Said already.
      }
    }
    rmdir(dir_.c_str());
  }
  temporary_mount(const temporary_mount&) = delete;
  temporary_mount& operator=(const temporary_mount&) = delete;
  void end() {
    if (!ended_) umount_command(dir_, false);
    ended_ = true;
  }
  const std::string& dir() const { return dir_; }

 private:
  std::string dir_;
  bool ended_ = false;
};

// Everything but build trees, the repository's store and what the tree links to outside.
std::string copy_script(const std::string& tree, const std::string& to) {
  return "mkdir '" + to + "'; cd '" + tree +
         "'; tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C '" + to + "'";
}

void work(steps& s, const std::string& tree, const std::string& dir) {
  std::string src = dir + "/tree";
  s.shell("copy " + tree, copy_script(tree, src));
  s.run("cp -a", {"cp", "-a", src, dir + "/copy"});
  s.run("diff -r finds no difference", {"diff", "-r", "--no-dereference", src, dir + "/copy"});
  s.shell("tar there and back",
          "cd '" + dir +
              "'; tar -cf all.tar tree; mkdir back; "
              "tar -xf all.tar -C back; diff -r --no-dereference tree back/tree");
  if (have_program("git")) {
    std::string id =
        "git -c user.name=demo -c user.email=demo@localhost -c commit.gpgsign=false -c gc.auto=0 "
        "-c maintenance.auto=false ";
    s.shell("git init, add, commit, fsck",
            "cd copy; git init -q; git add -A .; " + id +
                "commit -q -m demo; git fsck --strict; "
                "git status --short | (! grep .)",
            {.cwd = dir});
  }
  if (have_program("g++")) {
    s.shell(
        "compile and run a small program",
        "mkdir prog; cd prog; printf '#include <iostream>\\nint main() { std::cout << \"built on "
        "holdfast\\\\n\"; }\\n' > a.cc; g++ -O1 -o a a.cc; ./a",
        {.cwd = dir});
  }
  s.shell("find and grep through all of it",
          "find . -type f | wc -l; grep -rl include tree | wc -l", {.cwd = dir});
  s.shell("rename, link, symlink, truncate, append",
          "mkdir w; cd w; for i in $(seq 100); do echo $i > f$i; ln f$i l$i; ln -s f$i s$i; "
          "mv f$i g$i; echo more >> g$i; truncate -s 4096 l$i; done; test $(ls | wc -l) = 300",
          {.cwd = dir});
  s.shell("eight processes in one directory",
          "mkdir p; cd p; for j in $(seq 8); do (for i in $(seq 50); do echo $j > $j.$i; "
          "mv $j.$i done.$j.$i; cat done.$j.$i >/dev/null; rm done.$j.$i; done) & done; wait; "
          "test -z \"$(ls)\"",
          {.cwd = dir});
  s.run("rm -rf", {"sh", "-ec", "rm -rf ./*; test -z \"$(ls)\""}, {.cwd = dir});
}

bool can_mount(std::string& why) {
  unique_fd fd(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd) {
    why = "/dev/fuse: " + error_text(errno);
    return false;
  }
  if (geteuid() != 0 && !have_program("fusermount3")) {
    why = "fusermount3 is missing (package fuse3)";
    return false;
  }
  return true;
}

}  // namespace

int demo_command(const std::string& log) {
  std::string tree = find_tree();
  std::string why;
  if (!can_mount(why)) {
    printf("No mount is possible here (%s), so the same happens inside this process.\n",
           why.c_str());
    return demo_in_process(tree, log);
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);  // a reader that went away must not leave the mount behind
  steps s;
  temporary_mount mount(log);
  printf("Mounted a tmpfs on %s; every call is checked, a violation aborts.\n",
         mount.dir().c_str());
  work(s, tree, mount.dir());
  server_connection server = connect_to_server(canonical(mount.dir()));
  if (!server) throw user_error("the server is gone; a violation would be in its log");
  nlohmann::json after = nlohmann::json::parse(ask_server(server, "status"));
  server.socket.reset();
  mount.end();
  printf("Unmounted. What happened:\n%s", describe_snapshot(after).c_str());
  uint64_t violations = after["contract"]["violations"].get<uint64_t>();
  if (s.failed != 0) printf("%d steps failed.\n", s.failed);
  return s.failed == 0 && violations == 0 ? 0 : 1;
}

}  // namespace holdfast::app
