// SPDX-License-Identifier: Apache-2.0
//
// tmpfs through system calls: data and holes, limits to the page, cookies, and that nothing is
// left.
#include "fs/tmpfs/tmpfs.h"

#include <gtest/gtest.h>
#include <linux/falloc.h>

#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "holdfast/syscalls.h"
#include "pagecache/iov_iter.h"
#include "pagecache/pagecache.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

struct dirent_record {
  uint64_t ino;
  int64_t off;
  uint16_t reclen;
  uint8_t type;
  const char* name() const { return reinterpret_cast<const char*>(&type + 1); }
};

// A tmpfs of its own for each test; at the end nothing of it may be left.
class tmpfs_fs : public testing::Test {
 protected:
  void SetUp() override {
    static const bool once = register_tmpfs().ok();
    static_cast<void>(once);
    rcu_barrier();
    folios_ = folios_in_use();
    nodes_ = radix_nodes();
    inodes_ = tmpfs::inode_cache_stats().in_use;
  }
  void TearDown() override {
    if (t) destroy_task(t);
    if (ns_) put_mnt_ns(ns_);
    for (int i = 0; i < 3; ++i) rcu_barrier();
    EXPECT_EQ(folios_in_use(), folios_);
    EXPECT_EQ(radix_nodes(), nodes_);
    EXPECT_EQ(tmpfs::inode_cache_stats().in_use, inodes_);
  }
  void start(std::string_view options = "", bool shared = false) {
    Result<mnt_namespace*> ns = create_mnt_namespace("tmpfs", "none", 0, options);
    ASSERT_TRUE(ns.ok()) << ns.code();
    ns_ = *ns;
    t = create_task(*ns_, {.shared = shared});
    ASSERT_NE(t, nullptr);
  }
  int open(const char* name, int flags = O_RDWR | O_CREAT) {
    Result<int> fd = sys_open(*t, at_cwd, name, flags, 0644);
    EXPECT_TRUE(fd.ok()) << name << ": " << fd.code();
    return fd.ok() ? *fd : -1;
  }
  void write(int fd, const std::string& s, loff_t pos) {
    Result<size_t> r = sys_pwrite(*t, fd, s.data(), s.size(), pos);
    ASSERT_TRUE(r.ok()) << r.code();
    ASSERT_EQ(*r, s.size());
  }
  std::string read(int fd, size_t n, loff_t pos) {
    std::string s(n, '?');
    Result<size_t> r = sys_pread(*t, fd, s.data(), n, pos);
    EXPECT_TRUE(r.ok()) << r.code();
    s.resize(r.ok() ? *r : 0);
    return s;
  }
  kstat stat(int fd) {
    kstat st;
    EXPECT_TRUE(sys_fstat(*t, fd, st).ok());
    return st;
  }
  kstatfs statfs() {
    kstatfs st;
    EXPECT_TRUE(sys_statfs(*t, at_cwd, "/", st).ok());
    return st;
  }
  std::vector<std::string> list(int fd, size_t chunk, size_t at_most = SIZE_MAX) {
    std::vector<std::string> names;
    std::vector<char> buf(chunk);
    while (names.size() < at_most) {
      Result<size_t> r = sys_getdents(*t, fd, buf.data(), buf.size());
      EXPECT_TRUE(r.ok()) << r.code();
      if (!r.ok() || *r == 0) break;
      for (size_t p = 0; p < *r;) {
        auto* d = reinterpret_cast<dirent_record*>(buf.data() + p);
        if (std::string_view n = d->name(); n != "." && n != "..") names.emplace_back(n);
        p += d->reclen;
      }
    }
    return names;
  }

  task* t = nullptr;

 private:
  mnt_namespace* ns_ = nullptr;
  size_t folios_ = 0, nodes_ = 0, inodes_ = 0;
};

TEST_F(tmpfs_fs, data_against_a_model) {
  start();
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 rng(seed);
  const int fd = open("/f");
  std::string model;
  constexpr size_t span = size_t{5} << 20;
  for (int step = 0; step < 400; ++step) {
    const auto pos = static_cast<loff_t>(rng() % span);
    size_t len = rng() % (step % 7 ? 20000 : size_t{3} << 20) + 1;
    size_t at = static_cast<size_t>(pos);
    if (rng() % 3 == 0) at &= ~size_t{0xfffff}, len |= 0xfffff;
    switch (rng() % 6) {
      case 0:
      case 1: {
        std::string s(len, static_cast<char>('a' + rng() % 26));
        write(fd, s, static_cast<loff_t>(at));
        if (model.size() < at + len) model.resize(at + len);
        model.replace(at, len, s);
        break;
      }
      case 2:
        ASSERT_TRUE(sys_ftruncate(*t, fd, pos).ok());
        model.resize(static_cast<size_t>(pos));
        break;
      case 3:
        ASSERT_TRUE(sys_fallocate(*t, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<loff_t>(at), static_cast<loff_t>(len))
                        .ok());
        if (at < model.size()) {
          const size_t n = std::min(len, model.size() - at);
          model.replace(at, n, n, '\0');
        }
        break;
      case 4:
        ASSERT_TRUE(
            sys_fallocate(*t, fd, 0, static_cast<loff_t>(at), static_cast<loff_t>(len)).ok());
        if (model.size() < at + len) model.resize(at + len);
        break;
      default: {
        const std::string got = read(fd, len, static_cast<loff_t>(at));
        const std::string want = at < model.size() ? model.substr(at, len) : "";
        ASSERT_TRUE(got == want) << "step " << step << " at " << at << " length " << len;
      }
    }
    ASSERT_EQ(stat(fd).size, static_cast<loff_t>(model.size()));
    // Blocks are what the file holds, and what the file system counts.
    const kstatfs st = statfs();
    ASSERT_EQ(stat(fd).blocks, (st.f_blocks - st.f_bfree) * 8);
  }
  ASSERT_TRUE(read(fd, model.size() + 1, 0) == model);
  ASSERT_TRUE(sys_ftruncate(*t, fd, 0).ok());
  EXPECT_EQ(stat(fd).blocks, 0u);
}

TEST_F(tmpfs_fs, holes_take_nothing_and_are_found) {
  start();
  const int fd = open("/f");
  write(fd, "x", 10 * 4096 + 5);
  EXPECT_EQ(stat(fd).blocks, 8u);
  EXPECT_EQ(read(fd, 5, 0), std::string(5, '\0'));
  EXPECT_EQ(read(fd, 3 * 4096, 8 * 4096 + 1).size(), size_t{2 * 4096 + 5});
  EXPECT_EQ(stat(fd).blocks, 8u);
  auto seek = [&](loff_t off, int whence) {
    Result<loff_t> r = sys_lseek(*t, fd, off, whence);
    return r.ok() ? *r : -r.code();
  };
  EXPECT_EQ(seek(0, SEEK_DATA), 10 * 4096);
  EXPECT_EQ(seek(0, SEEK_HOLE), 0);
  EXPECT_EQ(seek(10 * 4096 + 1, SEEK_DATA), 10 * 4096 + 1);
  EXPECT_EQ(seek(10 * 4096, SEEK_HOLE), 10 * 4096 + 6);
  EXPECT_EQ(seek(10 * 4096 + 6, SEEK_DATA), -ENXIO);
  EXPECT_EQ(seek(-1, SEEK_HOLE), -ENXIO);
}

TEST_F(tmpfs_fs, space_runs_out_to_the_page) {
  start("size=64k");
  const int fd = open("/f");
  std::string s(100 * 1024, 'x');
  Result<size_t> r = sys_pwrite(*t, fd, s.data(), s.size(), 0);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(*r, size_t{64 * 1024});
  EXPECT_EQ(statfs().f_bfree, 0u);
  r = sys_pwrite(*t, fd, s.data(), 1, 64 * 1024);
  EXPECT_EQ(r.code(), ENOSPC);
  EXPECT_EQ(sys_fallocate(*t, fd, 0, 64 * 1024, 1).code(), ENOSPC);
  ASSERT_TRUE(sys_fallocate(*t, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192).ok());
  EXPECT_EQ(statfs().f_bfree, 2u);
  // Three pages are wanted, two are there: nothing is taken.
  EXPECT_EQ(sys_fallocate(*t, fd, FALLOC_FL_KEEP_SIZE, 64 * 1024, 3 * 4096).code(), ENOSPC);
  EXPECT_EQ(statfs().f_bfree, 2u);
  ASSERT_TRUE(sys_unlink(*t, at_cwd, "/f", 0).ok());
  EXPECT_EQ(statfs().f_bfree, 2u) << "still open";
  ASSERT_TRUE(sys_close(*t, fd).ok());
  EXPECT_EQ(statfs().f_bfree, 16u);
}

TEST_F(tmpfs_fs, inodes_run_out_exactly) {
  start("nr_inodes=5");
  EXPECT_EQ(statfs().f_files, 5u);
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(sys_mknod(*t, at_cwd, "/n" + std::to_string(i), S_IFREG | 0600, 0).ok());
  EXPECT_EQ(statfs().f_ffree, 0u);
  EXPECT_EQ(sys_mkdir(*t, at_cwd, "/d", 0700).code(), ENOSPC);
  EXPECT_EQ(sys_link(*t, at_cwd, "/n0", at_cwd, "/l", 0).code(), ENOSPC);
  ASSERT_TRUE(sys_unlink(*t, at_cwd, "/n3", 0).ok());
  ASSERT_TRUE(sys_link(*t, at_cwd, "/n0", at_cwd, "/l", 0).ok());
  EXPECT_EQ(sys_setxattr(*t, at_cwd, "/l", "user.a", "v", 1, 0, 0).code(), ENOSPC);
  ASSERT_TRUE(sys_unlink(*t, at_cwd, "/n0", 0).ok());
  ASSERT_TRUE(sys_setxattr(*t, at_cwd, "/l", "user.a", "v", 1, 0, 0).ok());
  ASSERT_TRUE(sys_removexattr(*t, at_cwd, "/l", "user.a", 0).ok());
  EXPECT_EQ(statfs().f_ffree, 1u);
}

TEST_F(tmpfs_fs, directory_sizes_and_links) {
  start();
  ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/d", 0755).ok());
  const int d = open("/d", O_RDONLY | O_DIRECTORY);
  const int root = open("/", O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(stat(d).size, 40);
  EXPECT_EQ(stat(root).size, 60);
  EXPECT_EQ(stat(root).nlink, 3u);
  EXPECT_EQ(stat(root).ino, tmpfs::root_ino);
  ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/d/e", 0755).ok());
  ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/f", 0755).ok());
  EXPECT_EQ(sys_unlink(*t, at_cwd, "/d", AT_REMOVEDIR).code(), ENOTEMPTY);
  ASSERT_TRUE(sys_rename(*t, at_cwd, "/d/e", at_cwd, "/f", 0).ok());
  EXPECT_EQ(stat(d).size, 40);
  EXPECT_EQ(stat(d).nlink, 2u);
  EXPECT_EQ(stat(root).size, 80);
  EXPECT_EQ(stat(root).nlink, 4u);
  ASSERT_TRUE(sys_mknod(*t, at_cwd, "/d/x", S_IFREG | 0600, 0).ok());
  ASSERT_TRUE(sys_rename(*t, at_cwd, "/d/x", at_cwd, "/f", rename_exchange).ok());
  EXPECT_EQ(stat(d).nlink, 3u);
  EXPECT_EQ(stat(root).nlink, 3u);
  ASSERT_TRUE(sys_rename(*t, at_cwd, "/f", at_cwd, "/g", rename_whiteout).ok());
  kstat st;
  ASSERT_TRUE(sys_stat(*t, at_cwd, "/f", 0, st).ok());
  EXPECT_TRUE(S_ISCHR(st.mode));
  EXPECT_EQ(st.rdev, 0u);
  EXPECT_EQ(stat(root).size, 100);
  EXPECT_EQ(list(root, 4096), (std::vector<std::string>{"d", "g", "f"}));
}

TEST_F(tmpfs_fs, reading_a_directory_while_it_changes) {
  start();
  constexpr int many = 3000;
  ASSERT_TRUE(sys_mkdir(*t, at_cwd, "/d", 0755).ok());
  for (int i = 0; i < many; ++i)
    ASSERT_TRUE(sys_mknod(*t, at_cwd, "/d/f" + std::to_string(i), S_IFREG | 0600, 0).ok());
  const int d = open("/d", O_RDONLY | O_DIRECTORY);
  std::vector<std::string> seen = list(d, 1000, 500);
  ASSERT_GE(seen.size(), 500u);
  const size_t half = seen.size();
  // Gone: every third, read or not. Renamed in place: names that were read. New: some.
  std::set<std::string> expected(seen.begin(), seen.end());
  for (int i = 0; i < many; ++i) {
    const std::string name = "f" + std::to_string(i);
    if (i % 3 == 0) {
      ASSERT_TRUE(sys_unlink(*t, at_cwd, "/d/" + name, 0).ok());
    } else if (i % 3 == 1 && static_cast<size_t>(i) < half) {
      ASSERT_TRUE(sys_rename(*t, at_cwd, "/d/" + name, at_cwd, "/d/r" + name, 0).ok());
    } else {
      expected.insert(name);
    }
  }
  for (std::string& n : list(d, 700)) seen.push_back(n);
  std::set<std::string> unique(seen.begin(), seen.end());
  EXPECT_EQ(unique.size(), seen.size()) << "an entry came twice";
  EXPECT_EQ(unique, expected);
  // While reading, remove what was read: rm -r.
  ASSERT_TRUE(sys_lseek(*t, d, 0, SEEK_SET).ok());
  for (;;) {
    std::vector<std::string> some = list(d, 500, 1);
    if (some.empty()) break;
    for (const std::string& n : some) ASSERT_TRUE(sys_unlink(*t, at_cwd, "/d/" + n, 0).ok());
  }
  EXPECT_TRUE(sys_unlink(*t, at_cwd, "/d", AT_REMOVEDIR).ok());
}

std::atomic<size_t> reachable{SIZE_MAX};
size_t reach_some(const void*, size_t n) {
  return std::min(n, reachable.load());
}

TEST_F(tmpfs_fs, short_copies_expose_nothing) {
  start();
  const int fd = open("/f");
  std::string s(10000, 'x');
  nofault_reach.store(reach_some);
  reachable = 0;  // nothing can be copied
  Result<size_t> r = sys_pwrite(*t, fd, s.data(), s.size(), 0);
  EXPECT_EQ(r.code(), EFAULT);
  EXPECT_EQ(stat(fd).blocks, 0u);
  EXPECT_EQ(stat(fd).size, 0);
  reachable = 100;  // a hundred bytes at a time
  r = sys_pwrite(*t, fd, s.data(), s.size(), 50);
  nofault_reach.store(nullptr);
  ASSERT_TRUE(r.ok()) << r.code();
  EXPECT_EQ(*r, s.size());
  EXPECT_EQ(read(fd, 20000, 0), std::string(50, '\0') + s);
}

TEST_F(tmpfs_fs, readers_against_truncation) {
  start("", true);
  const int fd = open("/f");
  constexpr size_t span = size_t{1} << 20;
  const std::string full(span, 'x');
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (int n = 0; n < 2; ++n)
    readers.emplace_back([&, n] {
      std::mt19937 rng(static_cast<unsigned>(n) + 1);
      std::string buf(70000, '?');
      while (!stop) {
        const auto pos = static_cast<loff_t>(rng() % span);
        Result<size_t> r = sys_pread(*t, fd, buf.data(), buf.size(), pos);
        ASSERT_TRUE(r.ok());
        // Only what was written, or a hole; never another file's or freed memory.
        for (size_t i = 0; i < *r; ++i) ASSERT_TRUE(buf[i] == 'x' || buf[i] == '\0') << int{buf[i]};
        ++reads;
      }
    });
  const int noise = open("/noise");
  std::mt19937 rng(7);
  for (int i = 0; i < 300 || reads < 50; ++i) {
    write(fd, full.substr(rng() % span), static_cast<loff_t>(rng() % 2 * 4096));
    ASSERT_TRUE(sys_ftruncate(*t, fd, static_cast<loff_t>(rng() % span)).ok());
    write(noise, std::string(65536, 'n'), 0);  // takes the pages that were freed
    ASSERT_TRUE(sys_ftruncate(*t, noise, 0).ok());
  }
  stop = true;
  for (auto& r : readers) r.join();
}

TEST_F(tmpfs_fs, extended_attributes) {
  start();
  const int fd = open("/f");
  static_cast<void>(fd);
  auto set = [&](const char* n, std::string_view v, int flags = 0) {
    return sys_setxattr(*t, at_cwd, "/f", n, v.data(), v.size(), flags, 0).code();
  };
  EXPECT_EQ(set("user.a", "one", 2), ENODATA);  // XATTR_REPLACE
  EXPECT_EQ(set("user.a", "one", 1), 0);
  EXPECT_EQ(set("user.a", "two", 1), EEXIST);  // XATTR_CREATE
  EXPECT_EQ(set("user.a", "three", 2), 0);
  EXPECT_EQ(set("trusted.b", "", 0), 0);
  EXPECT_EQ(set("system.posix_acl_access", "x"), EOPNOTSUPP);
  char buf[64];
  Result<size_t> r = sys_getxattr(*t, at_cwd, "/f", "user.a", buf, sizeof buf, 0);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(std::string_view(buf, *r), "three");
  EXPECT_EQ(sys_getxattr(*t, at_cwd, "/f", "user.a", buf, 2, 0).code(), ERANGE);
  EXPECT_EQ(*sys_getxattr(*t, at_cwd, "/f", "user.a", nullptr, 0, 0), 5u);
  EXPECT_EQ(sys_getxattr(*t, at_cwd, "/f", "user.b", buf, 2, 0).code(), ENODATA);
  r = sys_listxattr(*t, at_cwd, "/f", buf, sizeof buf, 0);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(std::string_view(buf, *r), std::string_view("user.a\0trusted.b\0", 17));
  ASSERT_TRUE(sys_removexattr(*t, at_cwd, "/f", "user.a", 0).ok());
  EXPECT_EQ(sys_removexattr(*t, at_cwd, "/f", "user.a", 0).code(), ENODATA);
}

TEST_F(tmpfs_fs, symlinks_and_unnamed_files) {
  start();
  ASSERT_TRUE(sys_symlink(*t, std::string(200, 's'), at_cwd, "/l").ok());
  char buf[300];
  Result<size_t> r = sys_readlink(*t, at_cwd, "/l", buf, sizeof buf);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(std::string(buf, *r), std::string(200, 's'));
  ASSERT_TRUE(sys_unlink(*t, at_cwd, "/l", 0).ok());
  Result<int> fd = sys_open(*t, at_cwd, "/", O_TMPFILE | O_RDWR, 0600);
  ASSERT_TRUE(fd.ok()) << fd.code();
  EXPECT_EQ(stat(*fd).nlink, 0u);
  write(*fd, "data", 0);
  EXPECT_EQ(read(*fd, 10, 0), "data");
}

TEST(tmpfs_options, table) {
  struct row {
    const char* text;
    int error;
    uint64_t blocks, inodes;
  };
  const uint64_t d = tmpfs::default_max_blocks();
  const row rows[] = {
      {"", 0, d, d},
      {"size=1m", 0, 256, d},
      {"size=4097", 0, 2, d},
      {"size=0", 0, 0, d},
      {"nr_blocks=10k,nr_inodes=2k", 0, 10240, 2048},
      {"size=1g,,nr_inodes=0", 0, 262144, 0},
      {"mode=700,uid=5,gid=6,huge=never,noswap,inode64", 0, d, d},
      {"size=", EINVAL, 0, 0},
      {"size=1x", EINVAL, 0, 0},
      {"size=12kk", EINVAL, 0, 0},
      {"size=99999999999999999999", EINVAL, 0, 0},
      {"nr_inodes=50%", EINVAL, 0, 0},
      {"mode=9", EINVAL, 0, 0},
      {"uid=-1", EINVAL, 0, 0},
      {"huge=maybe", EINVAL, 0, 0},
      {"nonsense", EINVAL, 0, 0},
  };
  for (const row& r : rows) {
    Result<tmpfs::options> o = tmpfs::read_options(r.text);
    EXPECT_EQ(o.code(), r.error) << r.text;
    if (!o.ok()) continue;
    EXPECT_EQ(o->max_blocks, r.blocks) << r.text;
    EXPECT_EQ(o->max_inodes, r.inodes) << r.text;
  }
  Result<tmpfs::options> half = tmpfs::read_options("size=50%");
  ASSERT_TRUE(half.ok());
  EXPECT_NEAR(static_cast<double>(half->max_blocks), static_cast<double>(d), 2);
}

TEST(tmpfs_options, remount_below_use) {
  tmpfs::sb_info sbi;
  sbi.max_blocks = 100;
  sbi.used_blocks = 50;
  sbi.max_inodes = 100;
  sbi.used_ispace = 10 * tmpfs::bogo_inode_size;
  auto remount = [&](const char* text) {
    return tmpfs::apply_remount(sbi, *tmpfs::read_options(text)).code();
  };
  EXPECT_EQ(remount("nr_blocks=49"), EINVAL);
  EXPECT_EQ(remount("nr_inodes=9"), EINVAL);
  EXPECT_EQ(sbi.max_blocks, 100u);
  EXPECT_EQ(remount("nr_blocks=50,nr_inodes=10"), 0);
  EXPECT_EQ(sbi.max_blocks, 50u);
  EXPECT_EQ(remount("size=0"), 0);
  EXPECT_EQ(remount("size=1g"), EINVAL) << "a limit after none";
}

}  // namespace
HF_NAMESPACE_END
