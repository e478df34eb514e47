// SPDX-License-Identifier: Apache-2.0
//
// See mounted.h.
#include "mounted.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "app/control.h"
#include "app/process.h"

namespace holdfast::fuse_test {

using namespace holdfast::app;

std::string program() {
  return std::string(HOLDFAST_BINARY_DIR) + "/holdfast";
}

std::string obstacle() {
  unique_fd fd(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd) return std::string("/dev/fuse: ") + strerror(errno);
  if (geteuid() != 0 && !have_program("fusermount3")) return "no fusermount3";
  return {};
}

void mounted::SetUp() {
  if (std::string why = obstacle(); !why.empty()) GTEST_SKIP() << why;
  char name[] = "/tmp/holdfast-test.XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  dir_ = name;
}

void mounted::mount(const std::string& options) {
  std::vector<std::string> argv{program(), "mount", "-t", "tmpfs", "--check=abort"};
  if (!options.empty()) argv.insert(argv.end(), {"-o", options});
  argv.insert(argv.end(), {"none", dir_});
  // The output is not kept: the server would hold its pipe open.
  run_result r = run_program(argv, {.cwd = {}, .keep_output = false});
  ASSERT_EQ(r.status, 0) << "holdfast mount failed";
  mounted_ = true;
}

int mounted::unmount() {
  mounted_ = false;
  run_result r = run_program({program(), "umount", dir_});
  if (r.status != 0) {
    run_program({program(), "umount", "-l", dir_});
    ADD_FAILURE() << r.output;
  }
  return r.status;
}

void mounted::TearDown() {
  if (mounted_) {
    nlohmann::json s = status();
    if (s.is_object()) {
      EXPECT_EQ(s["contract"]["violations"], 0);
      EXPECT_EQ(s["kernel"]["unknown_nodes"].get<int>() != 0, unknown_expected_);
    }
    EXPECT_EQ(unmount(), 0);
  }
  if (dir_.empty() || rmdir(dir_.c_str()) == 0) return;
  // A server that died left its mount; it must not stay behind.
  run_program({program(), "umount", "-l", dir_});
  rmdir(dir_.c_str());
}

nlohmann::json mounted::status() const {
  server_connection server = connect_to_server(canonical(dir_));
  if (!server) {
    ADD_FAILURE() << "no server; its log is " << control_path(canonical(dir_), ".log") << "\n"
                  << read_file(control_path(canonical(dir_), ".log"));
    return {};
  }
  return nlohmann::json::parse(ask_server(server, "status"));
}

void write_file(const std::string& path, const std::string& data) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << data;
  out.close();
  ASSERT_TRUE(out.good()) << path;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace holdfast::fuse_test
