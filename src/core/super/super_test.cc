// SPDX-License-Identifier: Apache-2.0
#include <thread>
#include <vector>

#include "core/mount/mount.h"
#include "core/super/test_fs.h"

HF_NAMESPACE_BEGIN
namespace {

class super_test : public test_fs::fixture {};

TEST_F(super_test, registry) {
  EXPECT_EQ(get_fs_type("test_fs"), &test_fs::type);
  EXPECT_EQ(get_fs_type("test_f"), nullptr);
  static file_system_type twin = {
      .name = "test_fs", .mount = test_fs::mount, .kill_sb = kill_anon_super};
  EXPECT_EQ(register_filesystem(twin).code(), EBUSY);
  EXPECT_EQ(unregister_filesystem(twin).code(), EINVAL);
  int n = 0;
  for_each_filesystem([](const file_system_type&, void* arg) { ++*static_cast<int*>(arg); }, &n);
  EXPECT_GE(n, 2);
}

TEST_F(super_test, each_nodev_mount_is_its_own_and_ends_whole) {
  {
    test_fs::live_super a, b;
    ASSERT_NE(a.root(), nullptr);
    EXPECT_NE(&a.sb(), &b.sb());
    EXPECT_NE(a.sb().s_dev, b.sb().s_dev);
    EXPECT_NE(a.sb().s_dev, dev_t{0});
    EXPECT_TRUE(a.sb().s_flags & sb_born);
    EXPECT_TRUE(a.sb().s_flags & sb_active);
    EXPECT_FALSE(a.sb().s_umount.is_locked());
    EXPECT_STREQ(a.sb().s_id, "test_fs");
  }
  EXPECT_EQ(test_fs::put_supers, 2);
  EXPECT_EQ(test_fs::evicted, 2);  // the roots
  EXPECT_EQ(test_fs::syncs, 4);    // start and finish, each
}

TEST_F(super_test, device_numbers_come_back) {
  dev_t first;
  {
    test_fs::live_super a;
    first = a.sb().s_dev;
  }
  test_fs::live_super b;
  EXPECT_EQ(b.sb().s_dev, first);
}

TEST_F(super_test, failed_fill_is_reported_and_forgotten) {
  test_fs::fill_error = EIO;
  EXPECT_EQ(vfs_get_tree(test_fs::type, 0, "", "").code(), EIO);
  EXPECT_EQ(vfs_get_tree(test_fs::single, 0, "", "").code(), EIO);
  test_fs::fill_error = 0;
  test_fs::live_super again(test_fs::single);
  EXPECT_NE(again.root(), nullptr);
}

TEST_F(super_test, single_is_shared_and_comes_again) {
  {
    test_fs::live_super a(test_fs::single), b(test_fs::single);
    EXPECT_EQ(&a.sb(), &b.sb());
    EXPECT_EQ(a.sb().s_active.load(), 2);
  }
  EXPECT_EQ(test_fs::put_supers, 1);
  test_fs::live_super c(test_fs::single);
  EXPECT_EQ(c.sb().s_active.load(), 1);
}

// Mounters meet superblocks at every stage of life: each gets a live one.
TEST_F(super_test, mounting_against_dying) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([] {
      for (int n = 0; n < 150; ++n) {
        test_fs::live_super s(test_fs::single);
        ASSERT_NE(s.root(), nullptr);
        EXPECT_TRUE(s.sb().s_flags & sb_active);
        EXPECT_FALSE(s.sb().s_flags & (sb_dying | sb_dead));
      }
    });
  for (auto& t : threads) t.join();
}

TEST_F(super_test, freeze_stops_writers_and_thaw_lets_them_go) {
  test_fs::live_super s;
  ASSERT_TRUE(freeze_super(s.sb()).ok());
  EXPECT_EQ(s.sb().s_writers.frozen, freeze_level::complete);
  EXPECT_EQ(test_fs::freezes, 1);
  if (sb_start_write_trylock(s.sb())) {
    sb_end_write(s.sb());
    ADD_FAILURE() << "a writer got in";
  }
  EXPECT_EQ(freeze_super(s.sb()).code(), EBUSY);
  // Thawed by a thread other than the one that froze, while a writer waits.
  std::atomic<bool> wrote{false};
  std::thread writer([&] {
    sb_start_write(s.sb());
    EXPECT_EQ(s.sb().s_writers.frozen, freeze_level::unfrozen);
    wrote = true;
    sb_end_write(s.sb());
  });
  EXPECT_FALSE(wrote);
  std::thread([&] { EXPECT_TRUE(thaw_super(s.sb()).ok()); }).join();
  writer.join();
  EXPECT_TRUE(wrote);
  EXPECT_EQ(test_fs::thaws, 1);
  EXPECT_EQ(thaw_super(s.sb()).code(), EINVAL);
}

struct counted_wait : wait_entry {
  counted_wait() : wait_entry([](wait_entry& e) { ++static_cast<counted_wait&>(e).calls; }) {}
  std::atomic<int> calls{0};
};

TEST_F(super_test, a_thaw_calls_who_did_not_want_to_wait) {
  test_fs::live_super s;
  counted_wait called, cancelled;
  if (sb_start_write_or_wait(s.sb(), called))
    sb_end_write(s.sb());
  else
    ADD_FAILURE() << "nothing is frozen";
  ASSERT_TRUE(freeze_super(s.sb()).ok());
  for (counted_wait* e : {&called, &cancelled}) {
    if (sb_start_write_or_wait(s.sb(), *e)) {
      sb_end_write(s.sb());
      ADD_FAILURE() << "a writer got in";
    }
  }
  EXPECT_TRUE(sb_cancel_wait(s.sb(), cancelled));
  EXPECT_EQ(called.calls, 0);
  ASSERT_TRUE(thaw_super(s.sb()).ok());
  EXPECT_EQ(called.calls, 1);
  EXPECT_EQ(cancelled.calls, 0);
  EXPECT_FALSE(sb_cancel_wait(s.sb(), called));
  if (sb_start_write_or_wait(s.sb(), called))
    sb_end_write(s.sb());
  else
    ADD_FAILURE() << "nothing is frozen";
}

TEST_F(super_test, failed_freeze_leaves_nothing_frozen) {
  test_fs::live_super s;
  test_fs::freeze_error = EIO;
  EXPECT_EQ(freeze_super(s.sb()).code(), EIO);
  EXPECT_EQ(s.sb().s_writers.frozen, freeze_level::unfrozen);
  EXPECT_EQ(s.sb().s_active.load(), 1);
  sb_start_write(s.sb());
  sb_end_write(s.sb());
}

// No write is ever seen while frozen.
TEST_F(super_test, freeze_against_writers) {
  test_fs::live_super s;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> writes{0};
  std::atomic<int> inside{0};
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t)
    writers.emplace_back([&] {
      while (!stop) {
        sb_start_write(s.sb());
        ++inside;
        ++writes;
        --inside;
        sb_end_write(s.sb());
      }
    });
  for (int n = 0; n < 50; ++n) {
    ASSERT_TRUE(freeze_super(s.sb()).ok());
    EXPECT_EQ(inside, 0);
    const uint64_t before = writes;
    std::this_thread::yield();
    EXPECT_EQ(writes, before);
    ASSERT_TRUE(thaw_super(s.sb()).ok());
    while (writes == before) std::this_thread::yield();  // a round without a write shows nothing
  }
  stop = true;
  for (auto& t : writers) t.join();
}

TEST_F(super_test, unmounted_while_frozen_ends_when_thawed) {
  super_block* sb;
  {
    test_fs::live_super s;
    sb = &s.sb();
    ASSERT_TRUE(freeze_super(*sb).ok());
  }
  EXPECT_EQ(test_fs::put_supers, 0);
  ASSERT_TRUE(thaw_super(*sb).ok());
  EXPECT_EQ(test_fs::put_supers, 1);
}

TEST_F(super_test, remount_read_only_wants_no_unlinked_inodes) {
  test_fs::live_super s;
  inode* i = new_inode(s.sb());
  clear_nlink(*i);
  {
    exclusive_guard g(s.sb().s_umount);
    EXPECT_EQ(reconfigure_super(s.sb(), sb_rdonly, "").code(), EBUSY);
  }
  EXPECT_FALSE(s.sb().rdonly());
  iput(i);
  {
    exclusive_guard g(s.sb().s_umount);
    EXPECT_TRUE(reconfigure_super(s.sb(), sb_rdonly, "").ok());
  }
  EXPECT_TRUE(s.sb().rdonly());
}

}  // namespace
HF_NAMESPACE_END
