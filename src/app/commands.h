// SPDX-License-Identifier: Apache-2.0
//
// The commands behind `holdfast`. Each returns the exit status; errors for people are user_error.
#pragma once

#include <string>

namespace holdfast::app {

struct mount_request {
  std::string type = "tmpfs";
  std::string options;
  std::string check = "off";
  std::string check_log;
  bool foreground = false;
  std::string source;
  std::string dir;
};

// Every file system that is built in, registered once a process. Throws user_error.
void register_file_systems();
// "off", "report", "abort". Throws user_error, also where checking is not compiled in.
void apply_check_mode(const std::string& mode, const std::string& log);

int mount_command(const mount_request& r);
int umount_command(const std::string& dir, bool lazy);
int status_command(const std::string& dir, bool json, bool rules);
int types_command();
int demo_command();
// The demo without the kernel: a tree copied into a Holdfast name space, worked on, removed.
int demo_in_process(const std::string& source_tree);

}  // namespace holdfast::app
