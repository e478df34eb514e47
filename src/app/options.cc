// SPDX-License-Identifier: Apache-2.0
//
// The list of options known to every mount; anything else is the file system's.
#include "app/options.h"

#include <sys/mount.h>

#include <cstdlib>

#include "app/errors.h"

namespace holdfast::app {
namespace {

struct flag {
  std::string_view name;
  unsigned set;
  unsigned clear;
  bool kernel;  // the kernel's mount wants it too
};
constexpr unsigned atime_flags = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;
constexpr flag flags[] = {
    {"defaults", 0, 0, false},
    {"ro", MS_RDONLY, 0, true},
    {"rw", 0, MS_RDONLY, false},
    {"nosuid", MS_NOSUID, 0, true},
    {"suid", 0, MS_NOSUID, true},
    {"nodev", MS_NODEV, 0, true},
    {"dev", 0, MS_NODEV, true},
    {"noexec", MS_NOEXEC, 0, true},
    {"exec", 0, MS_NOEXEC, true},
    {"sync", MS_SYNCHRONOUS, 0, true},
    {"async", 0, MS_SYNCHRONOUS, true},
    {"dirsync", MS_DIRSYNC, 0, true},
    {"noatime", MS_NOATIME, atime_flags, true},
    {"atime", 0, MS_NOATIME, true},
    {"nodiratime", MS_NODIRATIME, 0, false},
    {"diratime", 0, MS_NODIRATIME, false},
    {"relatime", MS_RELATIME, atime_flags, false},
    {"strictatime", MS_STRICTATIME, atime_flags, false},
};

void append(std::string& list, std::string_view item) {
  if (!list.empty()) list += ',';
  list += item;
}

double number(std::string_view key, std::string_view value, double most) {
  std::string text(value);
  char* end = nullptr;
  double n = strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(n >= 0) || n > most) {
    throw user_error("-o " + std::string(key) + "=" + text + ": a number from 0 to " +
                     std::to_string(static_cast<long>(most)) + " is needed");
  }
  return n;
}

}  // namespace

mount_options parse_mount_options(std::string_view text) {
  mount_options o;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(item.size() < text.size() ? item.size() + 1 : text.size());
    if (item.empty()) continue;
    std::string_view key = item.substr(0, item.find('='));
    std::string_view value = key.size() < item.size() ? item.substr(key.size() + 1) : "";
    bool known = false;
    for (const flag& f : flags) {
      if (f.name != item) continue;
      o.ms_flags = (o.ms_flags & ~f.clear) | f.set;
      if (f.kernel) append(o.kernel, item);
      known = true;
    }
    if (known) continue;
    if (item == "allow_other" || item == "noallow_other") {
      o.allow_other = item == "allow_other";
      o.allow_other_said = true;
    } else if (item == "writeback") {
      o.writeback = true;
    } else if (key == "timeout") {
      o.timeout = number(key, value, 1e9);
    } else if (key == "workers") {
      o.workers = static_cast<unsigned>(number(key, value, 1024));
    } else {
      append(o.data, item);
    }
  }
  return o;
}

}  // namespace holdfast::app
