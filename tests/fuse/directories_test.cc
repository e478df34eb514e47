// SPDX-License-Identifier: Apache-2.0
//
// Directories through the kernel: complete listings, also while they change, and names that many
// threads move.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "app/process.h"
#include "mounted.h"

namespace holdfast::fuse_test {
namespace {

using app::unique_fd;

class fuse_directories : public mounted {
 protected:
  void SetUp() override {
    mounted::SetUp();
    if (!IsSkipped()) mount();
  }
  void touch(const std::string& name) {
    unique_fd fd(open(at(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_TRUE(fd) << name;
  }
  // Every name with how often it was listed.
  std::map<std::string, int> list(const std::string& name) {
    std::map<std::string, int> names;
    DIR* d = opendir(at(name).c_str());
    EXPECT_NE(d, nullptr);
    if (d == nullptr) return names;
    errno = 0;
    while (dirent* e = readdir(d)) ++names[e->d_name];
    EXPECT_EQ(errno, 0);
    closedir(d);
    return names;
  }
};

TEST_F(fuse_directories, ten_thousand_entries_while_others_are_removed) {
  constexpr int stay = 10000;
  constexpr int go = 2000;
  ASSERT_EQ(mkdir(at("d").c_str(), 0755), 0);
  for (int i = 0; i < stay; ++i) {
    touch("d/stay" + std::to_string(i));
    if (i < go) touch("d/go" + std::to_string(i));
  }
  std::thread remover([this] {
    for (int i = 0; i < go; ++i) EXPECT_EQ(unlink(at("d/go" + std::to_string(i)).c_str()), 0);
  });
  for (int round = 0; round < 3; ++round) {
    std::map<std::string, int> names = list("d");
    int found = 0;
    for (const auto& [name, times] : names) {
      EXPECT_EQ(times, 1) << name;
      if (name.starts_with("stay")) ++found;
    }
    EXPECT_EQ(found, stay);
    EXPECT_EQ(names.count("."), 1U);
    EXPECT_EQ(names.count(".."), 1U);
  }
  remover.join();
  EXPECT_EQ(list("d").size(), static_cast<size_t>(stay + 2));
}

// A reader in the middle of a directory; the entry that it would get next goes; another reader
// lists everything. With 126 short names a listing is exactly a page long where the kernel keeps
// listings, which is where it loses its place.
TEST_F(fuse_directories, a_slow_reader_loses_nothing_to_a_quick_one) {
  for (int count : {125, 126, 127, 254}) {
    std::string dir = "d" + std::to_string(count);
    ASSERT_EQ(mkdir(at(dir).c_str(), 0755), 0);
    for (int i = 0; i < count; ++i) touch(dir + "/f" + std::to_string(100 + i));
    list(dir);  // where listings are kept, this one is
    list(dir);

    struct entry {
      uint64_t ino;
      int64_t next;
      uint16_t length;
      uint8_t type;
      char name[1];
    };
    unique_fd reader(open(at(dir).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(reader);
    std::set<std::string> seen;
    alignas(entry) char buffer[1024];
    bool interfered = false;
    for (;;) {
      long n = syscall(SYS_getdents64, reader.get(), buffer, sizeof buffer);
      ASSERT_GE(n, 0);
      if (n == 0) break;
      for (long where = 0; where < n;) {
        auto* e = reinterpret_cast<const entry*>(buffer + where);
        seen.insert(e->name);
        where += e->length;
      }
      if (interfered) continue;
      interfered = true;
      int removed = 0;
      for (int i = 0; i < count && removed < 3; ++i) {
        std::string name = "f" + std::to_string(100 + i);
        if (!seen.insert(name).second) continue;
        ASSERT_EQ(unlink(at(dir + "/" + name).c_str()), 0);
        ++removed;
      }
      ASSERT_EQ(removed, 3);
      for (int i = 0; i < removed; ++i) touch(dir + "/g" + std::to_string(100 + i));
      list(dir);
      list(dir);
    }
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(seen.count("f" + std::to_string(100 + i)), 1U) << i << " of " << count;
    }
  }
}

TEST_F(fuse_directories, a_cookie_leads_back_to_its_place) {
  ASSERT_EQ(mkdir(at("d").c_str(), 0755), 0);
  for (int i = 0; i < 500; ++i) touch("d/" + std::to_string(i));
  DIR* d = opendir(at("d").c_str());
  ASSERT_NE(d, nullptr);
  std::vector<std::pair<long, std::string>> seen;
  while (dirent* e = readdir(d)) seen.emplace_back(e->d_off, e->d_name);
  ASSERT_EQ(seen.size(), 502U);
  for (size_t i : {size_t{0}, size_t{1}, size_t{99}, size_t{300}, size_t{500}}) {
    seekdir(d, seen[i].first);
    dirent* e = readdir(d);
    ASSERT_NE(e, nullptr) << i;
    EXPECT_EQ(seen[i + 1].second, e->d_name) << i;
  }
  rewinddir(d);
  dirent* e = readdir(d);
  ASSERT_NE(e, nullptr);
  EXPECT_EQ(seen[0].second, e->d_name);
  closedir(d);
}

TEST_F(fuse_directories, types_and_numbers_match_stat) {
  touch("file");
  ASSERT_EQ(mkdir(at("dir").c_str(), 0755), 0);
  ASSERT_EQ(symlink("x", at("link").c_str()), 0);
  DIR* d = opendir(dir().c_str());
  ASSERT_NE(d, nullptr);
  int found = 0;
  while (dirent* e = readdir(d)) {
    std::string name = e->d_name;
    if (name == "." || name == "..") continue;
    struct stat st;
    ASSERT_EQ(lstat(at(name).c_str(), &st), 0);
    EXPECT_EQ(e->d_ino, st.st_ino) << name;
    EXPECT_EQ(DTTOIF(e->d_type), st.st_mode & S_IFMT) << name;
    ++found;
  }
  closedir(d);
  EXPECT_EQ(found, 3);
}

TEST_F(fuse_directories, a_removed_directory_is_empty_and_takes_nothing) {
  ASSERT_EQ(mkdir(at("d").c_str(), 0755), 0);
  unique_fd fd(open(at("d").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(rmdir(at("d").c_str()), 0);
  EXPECT_EQ(openat(fd.get(), "x", O_WRONLY | O_CREAT, 0644), -1);
  EXPECT_EQ(errno, ENOENT);
}

// Two directories, files that wander between them: at every moment each exists in exactly one
// place, and at the end none is lost.
TEST_F(fuse_directories, files_that_wander_are_never_lost) {
  constexpr int files = 40;
  constexpr int moves = 300;
  ASSERT_EQ(mkdir(at("a").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(at("b").c_str(), 0755), 0);
  for (int i = 0; i < files; ++i) touch("a/" + std::to_string(i));
  std::atomic<int> moved{0};
  std::vector<std::thread> all;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    all.emplace_back([&, seed] {
      unsigned state = seed;
      for (int i = 0; i < moves; ++i) {
        state = state * 1103515245 + 12345;
        std::string name = std::to_string(state / 65536 % files);
        bool there = (state & 1024) != 0;
        std::string from = at((there ? "a/" : "b/") + name);
        std::string to = at((there ? "b/" : "a/") + name);
        if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
          ++moved;
        } else {
          EXPECT_EQ(errno, ENOENT) << "seeds 1 to 4";
        }
      }
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_GT(moved.load(), 0);
  EXPECT_EQ(list("a").size() + list("b").size(), static_cast<size_t>(files + 4));
}

}  // namespace
}  // namespace holdfast::fuse_test
