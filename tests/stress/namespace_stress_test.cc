// SPDX-License-Identifier: Apache-2.0
//
// Races of names: lookups, creations, links, renames (also across directories and with exchange),
// removals, by several tasks on one small tree, so that they meet all the time.
//
// What must hold whatever the order:
// 1. Every call ends in success or in an errno that its man page names for such a race.
// 2. Afterwards the tree is a tree: each directory is reached once, `..` leads back, link counts
//    are right, a lookup of every listed name finds the inode that was listed.
// 3. Everything is given back: after the last close and the unmount no dentry and no inode is left.
//
// HOLDFAST_STRESS_SECONDS sets the time (default 8), HOLDFAST_STRESS_SEED replays the choice of
// operations.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "holdfast/filesystems.h"
#include "holdfast/syscalls.h"

namespace {

using namespace holdfast;

uint64_t from_env(const char* name, uint64_t otherwise) {
  const char* v = std::getenv(name);
  return v ? std::strtoull(v, nullptr, 0) : otherwise;
}

struct entry {
  std::string name;
  uint64_t ino;
  unsigned type;
};

std::vector<entry> list(task& t, int fd) {
  std::vector<entry> out;
  alignas(8) char buf[4096];
  for (;;) {
    Result<size_t> n = sys_getdents(t, fd, buf, sizeof buf);
    EXPECT_TRUE(n.ok()) << n.code();
    if (!n.ok() || *n == 0) break;
    for (size_t off = 0; off < *n;) {
      uint16_t reclen;
      __builtin_memcpy(&reclen, buf + off + 16, 2);
      uint64_t ino;
      __builtin_memcpy(&ino, buf + off, 8);
      entry e{buf + off + 19, ino, static_cast<unsigned char>(buf[off + 18])};
      if (e.name != "." && e.name != "..") out.push_back(e);
      off += reclen;
    }
  }
  return out;
}

class stress {
 public:
  static constexpr int dirs = 4;
  static constexpr int names = 6;

  explicit stress(uint64_t seed) : seed_(seed) {
    Result<mnt_namespace*> ns = create_mnt_namespace("tmpfs", "none", 0, "");
    EXPECT_TRUE(ns.ok()) << ns.code();
    ns_ = *ns;
    main_ = create_task(*ns_);
    for (int d = 0; d < dirs; ++d)
      EXPECT_TRUE(sys_mkdir(*main_, at_cwd, "d" + std::to_string(d), 0755).ok());
  }
  ~stress() {
    destroy_task(main_);
    put_mnt_ns(ns_);
  }

  void run(int threads, std::chrono::seconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    std::vector<std::thread> pool;
    for (int w = 0; w < threads; ++w) pool.emplace_back([this, w, deadline] { work(w, deadline); });
    for (auto& t : pool) t.join();
  }

  void check() {
    std::set<uint64_t> seen_dirs;
    std::map<uint64_t, uint32_t> links, counted;
    walk(seen_dirs, links, counted);
    for (const auto& [ino, n] : links) EXPECT_EQ(n, counted[ino]) << "link count of inode " << ino;
  }

 private:
  // A path of one to three components out of a small set; directories among them move about.
  std::string pick(std::mt19937_64& rng) {
    std::string p = "d" + std::to_string(rng() % dirs);
    for (uint64_t depth = rng() % 3; depth > 0; --depth) p += "/n" + std::to_string(rng() % names);
    if (p.find('/') == std::string::npos) p += "/n" + std::to_string(rng() % names);
    return p;
  }

  void expect_one_of(const char* what, int code, std::initializer_list<int> allowed) {
    if (code == 0) return;
    for (int a : allowed)
      if (a == code) return;
    ADD_FAILURE() << what << ": errno " << code << " (" << strerror(code) << "), seed " << seed_;
  }

  void work(int who, std::chrono::steady_clock::time_point deadline) {
    std::mt19937_64 rng(seed_ * 1000003 + static_cast<uint64_t>(who));
    task* t = create_task(*ns_);
    ASSERT_NE(t, nullptr);
    uint64_t done = 0;
    while (std::chrono::steady_clock::now() < deadline) {
      for (int i = 0; i < 64; ++i, ++done) step(*t, rng);
    }
    destroy_task(t);
    operations += done;
  }

  void step(task& t, std::mt19937_64& rng) {
    const std::string a = pick(rng), b = pick(rng);
    kstat st;
    switch (rng() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        expect_one_of("stat", sys_stat(t, at_cwd, a, 0, st).code(), {ENOENT, ENOTDIR, ELOOP});
        break;
      case 4:
      case 5: {
        Result<int> fd = sys_open(t, at_cwd, a, O_CREAT | O_RDWR, 0644);
        expect_one_of("open", fd.code(), {ENOENT, ENOTDIR, EISDIR, ELOOP});
        if (fd.ok()) {
          char c = 'x';
          expect_one_of("write", sys_write(t, *fd, &c, 1).code(), {});
          expect_one_of("close", sys_close(t, *fd).code(), {});
        }
        break;
      }
      case 6:
        expect_one_of("mkdir", sys_mkdir(t, at_cwd, a, 0755).code(),
                      {EEXIST, ENOENT, ENOTDIR, ELOOP});
        break;
      case 7:
        expect_one_of("rmdir", sys_unlink(t, at_cwd, a, AT_REMOVEDIR).code(),
                      {ENOENT, ENOTDIR, ENOTEMPTY, ELOOP});
        break;
      case 8:
      case 9:
        expect_one_of("unlink", sys_unlink(t, at_cwd, a, 0).code(),
                      {ENOENT, ENOTDIR, EISDIR, ELOOP});
        break;
      case 10:
        expect_one_of("link", sys_link(t, at_cwd, a, at_cwd, b, 0).code(),
                      {ENOENT, ENOTDIR, EEXIST, EPERM, ELOOP});
        break;
      case 11:
      case 12:
      case 13:
        expect_one_of("rename", sys_rename(t, at_cwd, a, at_cwd, b, 0).code(),
                      {ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL, ELOOP, EEXIST});
        break;
      case 14:
        expect_one_of("exchange", sys_rename(t, at_cwd, a, at_cwd, b, rename_exchange).code(),
                      {ENOENT, ENOTDIR, EINVAL, ENOTEMPTY, ELOOP});
        break;
      default:
        if (rng() % 4 == 0) {
          expect_one_of("symlink", sys_symlink(t, "/" + b, at_cwd, a).code(),
                        {EEXIST, ENOENT, ENOTDIR, ELOOP});
        } else {
          Result<int> fd = sys_open(t, at_cwd, a, O_RDONLY | O_DIRECTORY);
          expect_one_of("opendir", fd.code(), {ENOENT, ENOTDIR, ELOOP});
          if (fd.ok()) {
            alignas(8) char buf[1024];
            expect_one_of("getdents", sys_getdents(t, *fd, buf, sizeof buf).code(), {ENOENT});
            expect_one_of("close", sys_close(t, *fd).code(), {});
          }
        }
        break;
    }
  }

  // By descriptors and without recursion: directories that were moved into each other go thousands
  // deep.
  void walk(std::set<uint64_t>& seen_dirs, std::map<uint64_t, uint32_t>& links,
            std::map<uint64_t, uint32_t>& counted) {
    std::vector<int> todo;
    auto enter = [&](at where, const std::string& name) {
      Result<int> fd = sys_open(*main_, where, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      ASSERT_TRUE(fd.ok()) << name << ": " << fd.code();
      todo.push_back(*fd);
    };
    enter(at_cwd, "/");
    while (!todo.empty()) {
      const int fd = todo.back();
      todo.pop_back();
      kstat self;
      ASSERT_TRUE(sys_fstat(*main_, fd, self).ok());
      ASSERT_TRUE(seen_dirs.insert(self.ino).second) << "inode " << self.ino << " is reached twice";
      uint32_t subdirs = 0;
      for (const entry& e : list(*main_, fd)) {
        kstat st;
        Status s = sys_stat(*main_, fd, e.name, AT_SYMLINK_NOFOLLOW, st);
        ASSERT_TRUE(s.ok()) << e.name << " is listed but: " << s.code();
        EXPECT_EQ(st.ino, e.ino) << e.name;
        if (S_ISDIR(st.mode)) {
          ++subdirs;
          kstat up;
          const Status back = sys_stat(*main_, fd, e.name + "/..", 0, up);
          ASSERT_TRUE(back.ok()) << e.name << "/..: " << back.code();
          EXPECT_EQ(up.ino, self.ino) << e.name << "/..";
          enter(fd, e.name);
        } else {
          links[st.ino] = st.nlink;
          ++counted[st.ino];
        }
      }
      EXPECT_EQ(self.nlink, subdirs + 2) << "directory inode " << self.ino;
      EXPECT_TRUE(sys_close(*main_, fd).ok());
    }
  }

  uint64_t seed_;
  mnt_namespace* ns_ = nullptr;
  task* main_ = nullptr;

 public:
  std::atomic<uint64_t> operations{0};
};

TEST(namespace_stress, names_under_races) {
  ASSERT_TRUE(register_tmpfs().ok() || get_fs_type("tmpfs"));
  const uint64_t seed = from_env("HOLDFAST_STRESS_SEED", std::random_device{}());
  const auto seconds = std::chrono::seconds(from_env("HOLDFAST_STRESS_SECONDS", 8));
  std::printf("seed %llu, %lld s\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(seconds.count()));
  RecordProperty("seed", std::to_string(seed));
  const size_t dentries_before = dentry_stat().nr_dentry, inodes_before = nr_inodes();
  {
    stress s(seed);
    s.run(4, seconds);
    s.check();
    std::printf("%llu operations\n", static_cast<unsigned long long>(s.operations.load()));
    EXPECT_GT(s.operations.load(), 0u);
  }
  rcu_barrier();
  EXPECT_EQ(dentry_stat().nr_dentry, dentries_before);
  EXPECT_EQ(nr_inodes(), inodes_before);
}

}  // namespace
