// SPDX-License-Identifier: Apache-2.0
// The arrows. A unit is a folder of src/, or one folder deeper where several stand side by side and
// may not know each other (file systems, doors, old editions, drivers).
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "checker.h"

namespace holdfast::layers {
namespace {

// What each unit may include directly; what those may include follows.
const std::map<std::string, std::vector<std::string>>& arrows() {
  static const std::map<std::string, std::vector<std::string>> table = {
      {"base", {}},
      {"host", {"base"}},
      {"sync", {"host"}},
      {"contract", {"sync"}},
      {"mem", {"sync"}},
      {"core", {"contract", "mem"}},
      {"namei", {"core"}},
      {"notify", {"core"}},
      {"pipe", {"core"}},
      {"locks", {"core"}},
      {"block", {"core"}},
      {"pagecache", {"core", "block"}},
      {"buffer", {"pagecache"}},
      {"mm", {"pagecache"}},
      {"journal", {"buffer"}},
      {"quota", {"pagecache"}},
      {"libfs", {"pagecache", "mm", "notify"}},
      {"ops", {"namei", "notify", "pipe", "mm", "locks", "quota", "libfs"}},
      {"drivers", {"ops"}},
      {"compat", {"libfs"}},
      {"fs", {"libfs", "journal", "locks", "quota"}},
      {"fs/overlayfs", {"ops", "libfs", "journal", "locks", "quota"}},
      {"front", {}},
  };
  return table;
}

// Libraries that one folder hides from all others.
const std::map<std::string, std::string>& hidden_libraries() {
  static const std::map<std::string, std::string> table = {
      {"urcu", "src/sync/"}, {"fuse", "src/front/fuse/"}, {"CLI/", "src/app/"}};
  return table;
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  for (const auto& part : std::filesystem::path(path)) parts.push_back(part.string());
  return parts;
}

// "src/fs/ext4/inode.cc" -> "fs/ext4"; "src/sync/rcu.h" -> "sync".
std::string unit_of(const std::string& path) {
  static const std::set<std::string> side_by_side = {"fs", "front", "compat", "drivers"};
  std::vector<std::string> parts = split(path);
  if (parts.size() < 3) return "";
  if (side_by_side.contains(parts[1]) && parts.size() > 3) return parts[1] + "/" + parts[2];
  return parts[1];
}

const std::vector<std::string>* arrows_of(const std::string& unit) {
  auto found = arrows().find(unit);
  if (found == arrows().end()) found = arrows().find(unit.substr(0, unit.find('/')));
  return found == arrows().end() ? nullptr : &found->second;
}

void collect(const std::string& unit, std::set<std::string>& reach) {
  const std::vector<std::string>* next = arrows_of(unit);
  if (next == nullptr) return;
  for (const std::string& to : *next) {
    if (reach.insert(to).second) collect(to, reach);
  }
}

// The file of the tree that an include means, empty for one of the system or a library.
std::string resolve(const std::string& from, const std::string& name, bool quoted,
                    const exists_fn& exists) {
  if (quoted) {
    auto beside = (std::filesystem::path(from).parent_path() / name).lexically_normal();
    if (exists(beside.generic_string())) return beside.generic_string();
  }
  for (const char* top : {"src/", "include/", ""}) {
    if (exists(top + name)) return top + name;
  }
  if (name.starts_with("holdfast/")) return "include/" + name;
  if (name.starts_with("holdfast_rules_")) return "src/contract/" + name;
  // Quoted and nowhere to be found: of a known folder it is a file that is gone, and the compiler
  // will say so; the arrow is judged all the same.
  if (quoted && arrows_of(name.substr(0, name.find('/'))) != nullptr) return "src/" + name;
  return "";
}

// Why `from` may not include `to`, empty if it may.
std::string objection(const std::string& from, const std::string& to) {
  if (to.empty() || to.starts_with("include/")) return "";
  if (from.starts_with("include/")) return "the public API includes nothing of the sources";
  if (from.starts_with("examples/")) return "an example sees the public API only";
  if (!from.starts_with("src/")) return "";
  if (!to.starts_with("src/")) return "the sources include nothing outside src/ and include/";
  std::string mine = unit_of(from);
  std::string theirs = unit_of(to);
  if (mine == theirs || mine == "app") return "";
  if (from == "src/core/upcalls.h") return "";
  if (mine.starts_with("front")) return "a door sees the public API only";
  std::set<std::string> reach;
  collect(mine, reach);
  // An arrow to "fs" would mean any file system; there is none, so a full match is right.
  if (reach.contains(theirs)) return "";
  return "src/" + mine + " has no arrow to src/" + theirs;
}

}  // namespace

std::vector<finding> check_includes(const std::string& path, std::string_view text,
                                    const exists_fn& exists) {
  std::vector<finding> found;
  std::string unit = unit_of(path);
  if (path.starts_with("src/") && unit != "app" && arrows_of(unit) == nullptr) {
    found.push_back({path, 1, "src/" + unit + " is no folder that the layers know"});
  }
  static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::string code = blank_out(text, true);
  int line_number = 0;
  for (size_t at = 0; at < code.size();) {
    size_t end = std::min(code.find('\n', at), code.size());
    std::string line = code.substr(at, end - at);
    at = end + 1;
    ++line_number;
    std::smatch match;
    if (!std::regex_search(line, match, include)) continue;
    std::string name = match[2];
    std::string to = resolve(path, name, match[1] == "\"", exists);
    std::string why = objection(path, to);
    if (to.empty() && path.starts_with("src/")) {
      for (const auto& [prefix, home] : hidden_libraries()) {
        if (name.starts_with(prefix) && !path.starts_with(home)) why = "is for " + home + " alone";
      }
    }
    if (!why.empty()) found.push_back({path, line_number, "includes " + name + ": " + why});
  }
  return found;
}

}  // namespace holdfast::layers
