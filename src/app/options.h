// SPDX-License-Identifier: Apache-2.0
//
// What stands behind `-o`: options of every mount, options of the door, options of the file system.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::app {

struct mount_options {
  unsigned ms_flags = 0;  // MS_* for the Holdfast mount
  std::string kernel;     // for the kernel's mount: "ro,noatime"
  std::string data;       // the rest, for the file system
  double timeout = 3600;  // seconds
  unsigned workers = 0;   // 0: the door decides
  bool allow_other = false;
  bool allow_other_said = false;
  bool writeback = false;
};

// Reads a comma-separated list. Throws user_error for a value that makes no sense.
mount_options parse_mount_options(std::string_view text);

}  // namespace holdfast::app
