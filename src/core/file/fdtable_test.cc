// SPDX-License-Identifier: Apache-2.0
#include "core/file/fdtable.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <set>
#include <thread>
#include <vector>

HF_NAMESPACE_BEGIN
namespace {

class fdtable_test : public ::testing::Test {
 protected:
  void SetUp() override {
    cr_ = create_cred(0, 0, {});
    t_.cr = cr_;
    ASSERT_TRUE(init_files(t_.files).ok());
  }
  void TearDown() override {
    for (unsigned end = highest_fd(t_); end > 0; end = highest_fd(t_)) {
      Result<file*> f = take_fd(t_, static_cast<int>(end - 1));
      if (f.ok())
        fput(*f);
      else
        put_unused_fd(t_, static_cast<int>(end - 1));
    }
    destroy_files(t_.files);
    put_cred(cr_);
    rcu_barrier();
    assert_no_locks_held("end of test");
  }
  int open_one(unsigned min_fd = 0, bool cloexec = false, int flags = O_RDONLY) {
    Result<int> fd = get_unused_fd(t_, min_fd, cloexec);
    if (!fd.ok()) return -fd.code();
    fd_install(t_, *fd, alloc_empty_file(flags, *cr_));
    return *fd;
  }
  void close_one(int fd) {
    Result<file*> f = take_fd(t_, fd);
    ASSERT_TRUE(f.ok());
    fput(*f);
  }
  cred* cr_ = nullptr;
  task t_;
};

TEST_F(fdtable_test, lowest_free_and_growth) {
  for (int n = 0; n < 5000; ++n) ASSERT_EQ(open_one(), n);
  EXPECT_EQ(highest_fd(t_), 5000u);
  for (int fd : {4999, 4096, 63, 64, 128, 0}) close_one(fd);
  for (int fd : {0, 63, 64, 128, 4096, 4999, 5000}) EXPECT_EQ(open_one(), fd);
}

// The search over two levels against a set, at random. The seed is printed on failure.
TEST_F(fdtable_test, against_a_model) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 rng(seed);
  std::set<int> open;
  for (int step = 0; step < 20000; ++step) {
    if (rng() % 5 < 3 || open.empty()) {
      const unsigned min_fd = rng() % 4 == 0 ? rng() % 300 : 0;
      int want = static_cast<int>(min_fd);
      while (open.contains(want)) ++want;
      ASSERT_EQ(open_one(min_fd), want);
      open.insert(want);
    } else {
      auto it = open.lower_bound(static_cast<int>(rng() % 400));
      if (it == open.end()) it = open.begin();
      close_one(*it);
      open.erase(it);
    }
  }
}

TEST_F(fdtable_test, limit) {
  t_.files.max_open = 3;
  EXPECT_EQ(open_one(), 0);
  EXPECT_EQ(open_one(2), 2);
  EXPECT_EQ(open_one(2), -EMFILE);
  EXPECT_EQ(open_one(), 1);
  EXPECT_EQ(open_one(), -EMFILE);
  EXPECT_EQ(replace_fd(t_, 3, nullptr, false).code(), EBADF);
}

TEST_F(fdtable_test, bad_descriptors) {
  for (int fd : {-1, 0, 63, 64, 1 << 20}) {
    EXPECT_EQ(fget(t_, fd).code(), EBADF);
    EXPECT_EQ(take_fd(t_, fd).code(), EBADF);
    EXPECT_EQ(set_close_on_exec(t_, fd, true).code(), EBADF);
    EXPECT_EQ(get_close_on_exec(t_, fd).code(), EBADF);
    EXPECT_FALSE(fd_ref(t_, fd));
  }
  Result<int> reserved = get_unused_fd(t_, 0, false);
  EXPECT_EQ(*reserved, 0);
  EXPECT_EQ(fget(t_, 0).code(), EBADF);
  EXPECT_EQ(replace_fd(t_, 0, nullptr, false).code(), EBUSY);
  put_unused_fd(t_, 0);
  EXPECT_EQ(open_one(), 0);
}

TEST_F(fdtable_test, path_only_files_want_raw) {
  int fd = open_one(0, false, O_PATH);
  EXPECT_EQ(fget(t_, fd).code(), EBADF);
  EXPECT_FALSE(fd_ref(t_, fd));
  EXPECT_TRUE(fd_ref(t_, fd, true));
  Result<file*> f = fget_raw(t_, fd);
  ASSERT_TRUE(f.ok());
  fput(*f);
}

TEST_F(fdtable_test, close_on_exec_and_replace) {
  int a = open_one(0, true);
  int b = open_one();
  EXPECT_TRUE(*get_close_on_exec(t_, a));
  EXPECT_FALSE(*get_close_on_exec(t_, b));
  ASSERT_TRUE(set_close_on_exec(t_, b, true).ok());
  EXPECT_TRUE(*get_close_on_exec(t_, b));
  Result<file*> fa = fget(t_, a);
  Result<file*> old = replace_fd(t_, b, get_file(*fa), false);
  ASSERT_TRUE(old.ok());
  EXPECT_NE(*old, *fa);
  fput(*old);
  EXPECT_FALSE(*get_close_on_exec(t_, b));
  EXPECT_EQ((*fa)->f_count.load(), 3);
  Result<file*> none = replace_fd(t_, 1000, get_file(*fa), true);
  EXPECT_EQ(*none, nullptr);
  EXPECT_TRUE(*get_close_on_exec(t_, 1000));
  EXPECT_EQ(open_one(), 2);
  fput(*fa);
}

TEST_F(fdtable_test, counted_only_when_shared) {
  int fd = open_one();
  {
    fd_ref r(t_, fd);
    EXPECT_EQ(r->f_count.load(), 1);
  }
  t_.shared = true;
  fd_ref r(t_, fd);
  EXPECT_EQ(r->f_count.load(), 2);
}

// Lookups, opens and closes at once, across growth: a lookup gives a live file or EBADF.
TEST_F(fdtable_test, shared_by_threads) {
  t_.shared = true;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> hits{0};
  std::vector<std::thread> readers;
  for (int n = 0; n < 2; ++n)
    readers.emplace_back([&] {
      unsigned fd = 0;
      while (!stop) {
        fd = (fd + 7) % 300;
        Result<file*> f = fget(t_, static_cast<int>(fd));
        if (!f.ok()) continue;
        EXPECT_GT((*f)->f_count.load(), 0);
        EXPECT_EQ((*f)->f_cred, cr_);
        ++hits;
        fput(*f);
      }
    });
  std::vector<std::thread> writers;
  for (int n = 0; n < 2; ++n)
    writers.emplace_back([&] {
      std::vector<int> mine;
      for (int round = 0; round < 20; ++round) {
        for (int k = 0; k < 150; ++k) mine.push_back(open_one());
        for (int fd : mine) close_one(fd);
        mine.clear();
      }
    });
  for (auto& t : writers) t.join();
  stop = true;
  for (auto& t : readers) t.join();
  EXPECT_EQ(highest_fd(t_), 0u);
}

}  // namespace
HF_NAMESPACE_END
