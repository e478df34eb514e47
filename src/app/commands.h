// SPDX-License-Identifier: Apache-2.0
//
// The commands behind `holdfast`. Each returns the exit status; errors for people are user_error.
#pragma once

#include <string>
#include <vector>

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

struct explain_request {
  std::vector<std::string> script;  // operations; empty: `file`
  std::string file;                 // "-": stdin
  std::string type = "tmpfs";
  std::string trace, html;  // files to write; empty: none
  std::string check_log;
  bool json = false;
  bool all = false;
  bool locks_only = false;
  bool methods_only = false;
  int pause_us = -1;   // how late methods begin; -1: 0 for one task, 200 for several
  unsigned width = 0;  // 0: the terminal's
};

// Every file system that is built in, registered once a process. Throws user_error.
void register_file_systems();
// "off", "report", "abort". Throws user_error, also where checking is not compiled in.
void apply_check_mode(const std::string& mode, const std::string& log);
// Empty: nothing. Throws user_error.
void open_check_log(const std::string& log);

int mount_command(const mount_request& r);
int umount_command(const std::string& dir, bool lazy);
int status_command(const std::string& dir, bool json, bool rules);
int types_command();
// `log`: where violations go as JSON; empty: nowhere.
int demo_command(const std::string& log);
int explain_command(const explain_request& r);
// For --help.
std::string operations_help();
// The demo without the kernel: a tree copied into a Holdfast name space, worked on, removed.
int demo_in_process(const std::string& source_tree, const std::string& log);

}  // namespace holdfast::app
