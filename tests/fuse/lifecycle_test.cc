// SPDX-License-Identifier: Apache-2.0
//
// How a mount begins and ends, what the kernel is remembered to know, and the command around it.
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "app/control.h"
#include "app/process.h"
#include "mounted.h"

namespace holdfast::fuse_test {
namespace {

using namespace holdfast::app;

class fuse_lifecycle : public mounted {
 protected:
  // `holdfast mount -f`, as a child whose exit can be seen; returns when the mount answers.
  pid_t start_in_foreground() {
    pid_t pid = fork();
    if (pid == 0) {
      std::string p = program();
      execl(p.c_str(), p.c_str(), "mount", "-f", "--check=abort", "none", dir().c_str(), nullptr);
      _exit(127);
    }
    EXPECT_TRUE(eventually([this] { return static_cast<bool>(connect_to_server(dir())); }));
    return pid;
  }
  // The exit status of a child; -1 if it does not end.
  static int exit_of(pid_t pid) {
    int status = 0;
    bool ended = eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; });
    if (!ended) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  bool is_mounted() const {
    struct statfs st;
    return statfs(dir().c_str(), &st) == 0 && st.f_type == FUSE_SUPER_MAGIC;
  }
};

TEST_F(fuse_lifecycle, a_signal_unmounts_cleanly) {
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) {
    pid_t pid = start_in_foreground();
    ASSERT_TRUE(is_mounted());
    write_file(at("file"), "data");
    kill(pid, signal);
    EXPECT_EQ(exit_of(pid), 0) << strsignal(signal);
    EXPECT_FALSE(is_mounted());
    EXPECT_FALSE(connect_to_server(dir()));
  }
}

// In a mount namespace of its own, with a device node that everybody may open, as on a desktop, and
// with a copy of the program, since the build folder may be closed to others.
TEST_F(fuse_lifecycle, an_ordinary_user_mounts_through_fusermount) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  if (access("/usr/bin/fusermount3", X_OK) != 0) GTEST_SKIP() << "fusermount3 is not installed";
  constexpr int no_namespace = 77;
  const std::string node = dir() + "-device", copy = dir() + "-program", script = dir() + "-script";
  ASSERT_EQ(mknod(node.c_str(), S_IFCHR | 0666, makedev(10, 229)), 0) << strerror(errno);
  ASSERT_EQ(chmod(node.c_str(), 0666), 0);
  ASSERT_EQ(chown(dir().c_str(), 65534, 65534), 0);
  ASSERT_EQ(system(("cp '" + program() + "' '" + copy + "' && chmod 755 '" + copy + "'").c_str()),
            0);
  write_file(script,
             "if [ \"$1\" != user ]; then\n"
             "  mount --bind '" +
                 node +
                 "' /dev/fuse || exit 77\n"
                 "  exec setpriv --reuid=65534 --regid=65534 --clear-groups sh '" +
                 script +
                 "' user\n"
                 "fi\n"
                 "set -e\n"
                 "'" +
                 copy + "' mount --check=abort none '" + dir() +
                 "'\n"
                 "echo x > '" +
                 dir() +
                 "/file'\n"
                 "owner=$(stat -c %u '" +
                 dir() +
                 "/file')\n"
                 "'" +
                 copy + "' umount '" + dir() +
                 "'\n"
                 "test \"$owner\" = 65534\n");
  const int status = system(("unshare -m true || exit 77; unshare -m sh '" + script + "'").c_str());
  for (const std::string& f : {node, copy, script}) unlink(f.c_str());
  if (WEXITSTATUS(status) == no_namespace) GTEST_SKIP() << "no mount namespace of its own here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(fuse_lifecycle, a_signal_ends_a_mount_in_use) {
  pid_t pid = start_in_foreground();
  write_file(at("file"), "data");
  unique_fd fd(open(at("file").c_str(), O_RDONLY | O_CLOEXEC));
  kill(pid, SIGTERM);
  EXPECT_EQ(exit_of(pid), 0);
  EXPECT_FALSE(is_mounted());
  struct stat st;
  posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  char c;
  EXPECT_EQ(pread(fd.get(), &c, 1, 0), -1);
  EXPECT_EQ(errno, ENOTCONN);
  EXPECT_EQ(stat(dir().c_str(), &st), 0);
}

TEST_F(fuse_lifecycle, umount_ends_the_server) {
  pid_t pid = start_in_foreground();
  write_file(at("file"), "data");
  // While the child is not reaped `holdfast umount` sees it end by its pidfd all the same.
  EXPECT_EQ(run_program({program(), "umount", dir()}).status, 0);
  EXPECT_EQ(exit_of(pid), 0);
  EXPECT_FALSE(is_mounted());
}

TEST_F(fuse_lifecycle, a_busy_mount_is_refused_with_advice) {
  mount();
  unique_fd fd(open(at("f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  run_result r = run_program({program(), "umount", dir()});
  EXPECT_NE(r.status, 0);
  EXPECT_NE(r.output.find("in use"), std::string::npos) << r.output;
  EXPECT_NE(r.output.find("-l"), std::string::npos) << r.output;
}

TEST_F(fuse_lifecycle, status_answers_from_inside_the_mount) {
  mount();
  ASSERT_EQ(mkdir(at("sub").c_str(), 0755), 0);
  run_result r = run_program({program(), "status", "--json", at("sub")});
  ASSERT_EQ(r.status, 0) << r.output;
  nlohmann::json s = nlohmann::json::parse(r.output);
  EXPECT_EQ(s["mountpoint"], dir());
  EXPECT_EQ(s["type"], "tmpfs");
  EXPECT_EQ(s["requests"]["mkdir"], 1);
  EXPECT_EQ(s["contract"]["mode"], "abort");
  EXPECT_GT(s["contract"]["operations"].get<int>(), 0);
  r = run_program({program(), "status", dir()});
  EXPECT_EQ(r.status, 0);
  EXPECT_NE(r.output.find("mkdir 1"), std::string::npos) << r.output;
  r = run_program({program(), "status", "--rules", dir()});
  EXPECT_EQ(r.status, 0);
  EXPECT_NE(r.output.find("mkdir"), std::string::npos);
}

TEST_F(fuse_lifecycle, errors_say_what_to_do) {
  auto fails = [](const std::vector<std::string>& argv, const std::string& with) {
    run_result r = run_program(argv);
    EXPECT_NE(r.status, 0);
    EXPECT_NE(r.output.find(with), std::string::npos) << r.output;
  };
  fails({program(), "mount", "-t", "nofs", "none", dir()}, "tmpfs");
  fails({program(), "mount", "-o", "size=1m,frobnicate=3", "none", dir()}, "frobnicate=3");
  fails({program(), "mount", "-o", "timeout=soon", "none", dir()}, "timeout");
  fails({program(), "mount", "none", at("absent")}, "mkdir -p");
  fails({program(), "status", dir()}, "no Holdfast mount");
  fails({program(), "umount", dir()}, "not a mount point");
  EXPECT_FALSE(is_mounted());
}

TEST_F(fuse_lifecycle, read_only_is_read_only) {
  mount("ro");
  EXPECT_EQ(mkdir(at("d").c_str(), 0755), -1);
  EXPECT_EQ(errno, EROFS);
}

TEST_F(fuse_lifecycle, without_timeouts_everything_still_works) {
  mount("timeout=0,workers=2");
  write_file(at("a"), "1");
  ASSERT_EQ(rename(at("a").c_str(), at("b").c_str()), 0);
  EXPECT_EQ(read_file(at("b")), "1");
  EXPECT_EQ(access(at("a").c_str(), F_OK), -1);
}

TEST_F(fuse_lifecycle, writeback_keeps_what_was_written) {
  mount("writeback");
  {
    unique_fd fd(open(at("w").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(write(fd.get(), "0123456", 7), 7);
    ASSERT_EQ(fsync(fd.get()), 0);
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  std::string data = read_file(at("w"));
  ASSERT_EQ(data.size(), 7000U);
  for (size_t i = 0; i < data.size(); i += 7) ASSERT_EQ(data.substr(i, 7), "0123456");
}

// Look-up counts are exact: what the kernel forgets is gone from the table, and nothing else is.
TEST_F(fuse_lifecycle, forgotten_nodes_leave_the_table) {
  mount();
  ASSERT_EQ(mkdir(at("d").c_str(), 0755), 0);
  for (int i = 0; i < 300; ++i) {
    write_file(at("d/" + std::to_string(i)), "x");
    if (i % 3 == 0) {
      ASSERT_EQ(link(at("d/" + std::to_string(i)).c_str(), at("d/l" + std::to_string(i)).c_str()),
                0);
    }
  }
  std::vector<std::thread> all;  // READDIRPLUS and LOOKUP count at the same time
  for (int t = 0; t < 4; ++t) {
    all.emplace_back([this] {
      for (int round = 0; round < 5; ++round) {
        DIR* d = opendir(at("d").c_str());
        struct stat st;
        while (dirent* e = readdir(d)) fstatat(dirfd(d), e->d_name, &st, 0);
        closedir(d);
      }
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_EQ(status()["kernel"]["nodes"].get<size_t>(), 302U);
  std::ofstream drop("/proc/sys/vm/drop_caches");
  if (!drop) GTEST_SKIP() << "/proc/sys/vm/drop_caches is not writable";
  // Forgets are sent in the background, and the kernel may need two turns: dentries, then inodes.
  EXPECT_TRUE(eventually([&] {
    drop << "2\n" << std::flush;
    return status()["kernel"]["nodes"].get<size_t>() == 1;
  })) << status()["kernel"];
  EXPECT_EQ(status()["kernel"]["lookups"], 0);
  EXPECT_EQ(read_file(at("d/7")), "x");
}

// A file handle names a node by number. The kernel passes on numbers that it does not know itself.
TEST_F(fuse_lifecycle, a_made_up_node_is_stale) {
  if (geteuid() != 0) GTEST_SKIP() << "open_by_handle_at needs root";
  mount();
  write_file(at("f"), "x");
  alignas(file_handle) char space[sizeof(file_handle) + MAX_HANDLE_SZ];
  auto* handle = reinterpret_cast<file_handle*>(space);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  ASSERT_EQ(name_to_handle_at(AT_FDCWD, at("f").c_str(), handle, &mount_id, 0), 0)
      << strerror(errno);
  unique_fd root(open(dir().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  {
    unique_fd good(open_by_handle_at(root.get(), handle, O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(good) << strerror(errno);
  }
  // 64 bits of node id, high half first, then the generation.
  for (uint32_t id : {2U, 0x7fffffffU, 0xdeadbee8U}) {
    for (uint32_t high : {0U, 0x7fffU, 0xffffffffU}) {
      memcpy(handle->f_handle, &high, 4);
      memcpy(handle->f_handle + 4, &id, 4);
      if (high == 0 && id == 2) continue;  // may exist
      unique_fd bad(open_by_handle_at(root.get(), handle, O_RDONLY | O_CLOEXEC));
      EXPECT_FALSE(bad);
      EXPECT_EQ(errno, ESTALE);
    }
  }
  EXPECT_GT(status()["kernel"]["unknown_nodes"].get<int>(), 0);
  expect_unknown_nodes();
  EXPECT_EQ(read_file(at("f")), "x");
}

}  // namespace
}  // namespace holdfast::fuse_test
