// SPDX-License-Identifier: Apache-2.0
//
// A tmpfs mounted by the program for the length of a test, every call checked: a violation ends the
// server, and with it the test.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace holdfast::fuse_test {

// Why nothing can be mounted here; empty if it can.
std::string obstacle();

class mounted : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  // Mounts with these options; once a test.
  void mount(const std::string& options = "");
  // By `holdfast umount`, which waits for the server. Its exit status.
  int unmount();

  std::string at(const std::string& name) const { return dir_ + "/" + name; }
  const std::string& dir() const { return dir_; }
  nlohmann::json status() const;
  // The test asks about nodes that are none; otherwise that fails it.
  void expect_unknown_nodes() { unknown_expected_ = true; }

 private:
  std::string dir_;
  bool mounted_ = false;
  bool unknown_expected_ = false;
};

void write_file(const std::string& path, const std::string& data);
std::string read_file(const std::string& path);
std::string program();  // build/holdfast

// Runs `body` in a child and returns its exit status; what it returns is that. As uid and gid if
// not 0.
template <class F>
int in_child(unsigned id, F&& body);

// Waits, by looking again and again, until `done` holds. False: it never did.
template <class F>
bool eventually(F&& done);

}  // namespace holdfast::fuse_test

#include "mounted_inline.h"
