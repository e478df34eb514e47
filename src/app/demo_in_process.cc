// SPDX-License-Identifier: Apache-2.0
//
// The demo where nothing can be mounted: the same kind of work by Holdfast's own system calls.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "app/commands.h"
#include "app/errors.h"
#include "app/snapshot.h"
#include "holdfast/syscalls.h"

namespace holdfast::app {
namespace {

namespace stdfs = std::filesystem;

void must(const Status& s, const std::string& what) {
  if (!s) throw user_error(what + ": " + error_text(s.code()));
}
template <class T>
T must(Result<T> r, const std::string& what) {
  if (!r) throw user_error(what + ": " + error_text(r.code()));
  return std::move(r).value();
}

struct tree_counts {
  size_t directories = 0;
  size_t files = 0;
  size_t links = 0;
};

void put_file(task& t, const std::string& to, const std::string& data) {
  int fd = must(sys_open(t, at_cwd, to, O_WRONLY | O_CREAT | O_EXCL, 0644), to);
  for (size_t done = 0; done < data.size();) {
    done += must(sys_write(t, fd, data.data() + done, data.size() - done), to);
  }
  must(sys_close(t, fd), to);
}

std::string get_file_data(task& t, const std::string& from) {
  int fd = must(sys_open(t, at_cwd, from, O_RDONLY), from);
  std::string data;
  char buf[65536];
  while (size_t n = must(sys_read(t, fd, buf, sizeof buf), from)) data.append(buf, n);
  must(sys_close(t, fd), from);
  return data;
}

std::string host_file(const stdfs::path& p) {
  std::ifstream in(p, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

template <class F>
void each_of(const stdfs::path& tree, F&& f) {
  for (auto i = stdfs::recursive_directory_iterator(
           tree, stdfs::directory_options::skip_permission_denied);
       i != stdfs::recursive_directory_iterator(); ++i) {
    std::string name = i->path().filename().string();
    if (i.depth() == 0 && (name == "build" || name == ".git")) {
      i.disable_recursion_pending();
      continue;
    }
    f(*i, i->path().string().substr(tree.string().size()));
  }
}

tree_counts copy_tree(task& t, const stdfs::path& tree, const std::string& to) {
  tree_counts n;
  must(sys_mkdir(t, at_cwd, to, 0755), to);
  each_of(tree, [&](const stdfs::directory_entry& e, const std::string& name) {
    std::string path = to + name;
    if (e.is_symlink()) {
      must(sys_symlink(t, stdfs::read_symlink(e.path()).string(), at_cwd, path), path);
      ++n.links;
    } else if (e.is_directory()) {
      must(sys_mkdir(t, at_cwd, path, 0755), path);
      ++n.directories;
    } else if (e.is_regular_file()) {
      put_file(t, path, host_file(e.path()));
      ++n.files;
    }
  });
  return n;
}

void compare_tree(task& t, const stdfs::path& tree, const std::string& to) {
  each_of(tree, [&](const stdfs::directory_entry& e, const std::string& name) {
    if (e.is_symlink() || !e.is_regular_file()) return;
    if (get_file_data(t, to + name) != host_file(e.path()))
      throw user_error(to + name + " differs");
  });
}

std::vector<std::pair<std::string, unsigned char>> list_dir(task& t, const std::string& dir) {
  // linux_dirent64: u64 ino, s64 off, u16 length, u8 type, the name.
  constexpr size_t length_at = 16, type_at = 18, name_at = 19;
  std::vector<std::pair<std::string, unsigned char>> names;
  int fd = must(sys_open(t, at_cwd, dir, O_RDONLY | O_DIRECTORY), dir);
  alignas(8) char buf[32768];
  while (size_t n = must(sys_getdents(t, fd, buf, sizeof buf), dir)) {
    for (size_t i = 0; i < n;) {
      uint16_t length;
      memcpy(&length, buf + i + length_at, sizeof length);
      std::string name = buf + i + name_at;
      if (name != "." && name != "..") {
        names.emplace_back(name, static_cast<unsigned char>(buf[i + type_at]));
      }
      i += length;
    }
  }
  must(sys_close(t, fd), dir);
  return names;
}

void remove_tree(task& t, const std::string& dir) {
  for (const auto& [name, type] : list_dir(t, dir)) {
    std::string path = dir + "/" + name;
    if (type == 4 /* DT_DIR */) {
      remove_tree(t, path);
    } else {
      must(sys_unlink(t, at_cwd, path, 0), path);
    }
  }
  must(sys_unlink(t, at_cwd, dir, AT_REMOVEDIR), dir);
}

void churn(mnt_namespace& ns, int who) {
  task* t = create_task(ns);
  if (t == nullptr) throw user_error("out of memory");
  for (int i = 0; i < 500; ++i) {
    std::string a = "/w/" + std::to_string(who) + "." + std::to_string(i);
    put_file(*t, a, a);
    must(sys_link(*t, at_cwd, a, at_cwd, a + ".l", 0), a);
    must(sys_rename(*t, at_cwd, a, at_cwd, a + ".r", 0), a);
    must(sys_truncate(*t, at_cwd, a + ".r", 4096), a);
    must(sys_unlink(*t, at_cwd, a + ".l", 0), a);
    must(sys_unlink(*t, at_cwd, a + ".r", 0), a);
  }
  destroy_task(t);
}

template <class F>
void step(const std::string& what, F&& f) {
  printf("  %-58s", what.c_str());
  fflush(stdout);
  auto begin = std::chrono::steady_clock::now();
  f();
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                  begin);
  printf("%8lld ms\n", static_cast<long long>(ms.count()));
}

}  // namespace

int demo_in_process(const std::string& source_tree, const std::string& log) {
  apply_check_mode("abort", log);
  register_file_systems();
  mnt_namespace* ns = must(create_mnt_namespace("tmpfs", "none", 0, ""), "tmpfs");
  task* t = create_task(*ns);
  if (t == nullptr) throw user_error("out of memory");
  tree_counts n;
  step("copy " + source_tree, [&] { n = copy_tree(*t, source_tree, "/tree"); });
  step("compare every file", [&] { compare_tree(*t, source_tree, "/tree"); });
  step("four threads create, link, rename, truncate, unlink", [&] {
    must(sys_mkdir(*t, at_cwd, "/w", 0755), "/w");
    std::vector<std::thread> all;
    std::vector<std::string> errors(4);
    for (int i = 0; i < 4; ++i) {
      all.emplace_back([&, i] {
        try {
          churn(*ns, i);
        } catch (const std::exception& e) {
          errors[static_cast<size_t>(i)] = e.what();
        }
      });
    }
    for (std::thread& th : all) th.join();
    for (const std::string& e : errors) {
      if (!e.empty()) throw user_error(e);
    }
  });
  step("rename the tree",
       [&] { must(sys_rename(*t, at_cwd, "/tree", at_cwd, "/w/moved", 0), "/tree"); });
  nlohmann::json full = take_snapshot(nullptr);
  step("remove everything", [&] { remove_tree(*t, "/w"); });
  nlohmann::json after = take_snapshot(nullptr);
  after["cache"] = full["cache"];
  destroy_task(t);
  put_mnt_ns(ns);
  printf("%zu directories, %zu files, %zu links. What happened:\n%s", n.directories, n.files,
         n.links, describe_snapshot(after).c_str());
  return after["contract"]["violations"].get<uint64_t>() == 0 ? 0 : 1;
}

}  // namespace holdfast::app
