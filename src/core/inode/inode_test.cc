// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "core/inode/inode_internal.h"
#include "core/super/test_fs.h"

HF_NAMESPACE_BEGIN
namespace {

class inode_cache_test : public test_fs::fixture {};

inode* make(super_block& sb, uint64_t ino) {
  inode* i = iget_locked(sb, ino);
  if (i != nullptr && (i->i_state & i_new)) {
    i->i_mode = S_IFREG | 0644;
    unlock_new_inode(*i);
  }
  return i;
}

TEST_F(inode_cache_test, same_number_same_inode) {
  test_fs::live_super s;
  inode* a = iget_locked(s.sb(), 7);
  ASSERT_NE(a, nullptr);
  EXPECT_TRUE(a->i_state & i_new);
  EXPECT_EQ(a->i_ino, 7u);
  a->i_mode = S_IFREG | 0600;
  unlock_new_inode(*a);
  EXPECT_FALSE(a->i_state & i_new);
  inode* b = iget_locked(s.sb(), 7);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a->i_count.load(), 2);
  EXPECT_EQ(ilookup(s.sb(), 8), nullptr);
  test_fs::live_super other;
  EXPECT_EQ(ilookup(other.sb(), 7), nullptr);
  iput(a);
  iput(b);
}

TEST_F(inode_cache_test, unused_inodes_stay_until_pruned) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  iput(a);
  EXPECT_EQ(test_fs::evicted, 0);
  EXPECT_EQ(s.sb().s_nr_inodes_unused.load(), 1u);
  EXPECT_EQ(ilookup(s.sb(), 7), a);            // found again ...
  EXPECT_EQ(prune_icache_sb(s.sb(), 10), 0u);  // ... so in use, and off the list
  EXPECT_EQ(s.sb().s_nr_inodes_unused.load(), 0u);
  iput(a);
  EXPECT_EQ(prune_icache_sb(s.sb(), 10), 1u);
  EXPECT_EQ(test_fs::evicted, 1);
  EXPECT_EQ(ilookup(s.sb(), 7), nullptr);
}

TEST_F(inode_cache_test, dirty_inodes_are_not_pruned) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  mark_inode_dirty(*a, i_dirty_sync);
  iput(a);
  EXPECT_EQ(prune_icache_sb(s.sb(), 10), 0u);
  EXPECT_EQ(test_fs::evicted, 0);
}

TEST_F(inode_cache_test, unlinked_goes_with_its_last_reference) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  ihold(*a);
  drop_nlink(*a);
  EXPECT_EQ(s.sb().s_remove_count.load(), 1);
  iput(a);
  EXPECT_EQ(test_fs::evicted, 0);  // unlinked but open
  iput(a);
  EXPECT_EQ(test_fs::evicted, 1);
  EXPECT_EQ(s.sb().s_remove_count.load(), 0);
}

TEST_F(inode_cache_test, link_counts_and_unlinked_inodes_agree) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  set_nlink(*a, 0);
  clear_nlink(*a);
  EXPECT_EQ(s.sb().s_remove_count.load(), 1);
  inc_nlink(*a);  // linkat of an O_TMPFILE
  EXPECT_EQ(s.sb().s_remove_count.load(), 0);
  EXPECT_EQ(a->i_nlink, 1u);
  iput(a);
}

TEST_F(inode_cache_test, failed_fill_leaves_no_trace) {
  test_fs::live_super s;
  inode* a = iget_locked(s.sb(), 7);
  iget_failed(*a);
  EXPECT_EQ(ilookup(s.sb(), 7), nullptr);
  EXPECT_EQ(test_fs::evicted, 1);
}

TEST_F(inode_cache_test, finders_wait_for_the_one_that_fills) {
  test_fs::live_super s;
  inode* a = iget_locked(s.sb(), 7);
  constexpr int finders = 4;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < finders; ++t)
    threads.emplace_back([&] {
      inode* b = iget_locked(s.sb(), 7);
      if (b != a || b->i_mode != (S_IFREG | 0600u)) ++wrong;
      iput(b);
    });
  while (a->i_count.load() < 1 + finders) std::this_thread::yield();  // all wait for it
  a->i_mode = S_IFREG | 0600;
  unlock_new_inode(*a);
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(a->i_count.load(), 1);
  iput(a);
}

TEST_F(inode_cache_test, finders_of_a_failed_one_fill_their_own) {
  test_fs::live_super s;
  inode* a = iget_locked(s.sb(), 7);
  std::thread finder([&] {
    inode* b = iget_locked(s.sb(), 7);
    EXPECT_TRUE(b->i_state & i_new);
    unlock_new_inode(*b);
    iput(b);
  });
  while (a->i_count.load() < 2) std::this_thread::yield();
  iget_failed(*a);
  finder.join();
}

// Looked up and evicted all the time: nobody gets a freed one, no number is in memory twice.
TEST_F(inode_cache_test, eviction_against_lookup) {
  test_fs::live_super s;
  test_fs::keep_inodes = false;
  std::atomic<int> live[4] = {};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (unsigned n = 0; n < 3000; ++n) {
        const uint64_t ino = 10 + (n + t) % 4;
        inode* i = iget_locked(s.sb(), ino);
        ASSERT_NE(i, nullptr);
        if (i->i_state & i_new) {
          EXPECT_EQ(live[ino - 10].fetch_add(1), 0);
          i->i_private = &live[ino - 10];
          i->i_mode = S_IFREG | 0600;
          live[ino - 10].fetch_sub(1);
          unlock_new_inode(*i);
        }
        EXPECT_EQ(i->i_private, &live[ino - 10]);
        EXPECT_FALSE(i->i_state & (i_freeing | i_clear));
        iput(i);
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_GT(test_fs::evicted, 0);
}

TEST_F(inode_cache_test, last_reference_in_atomic_context_goes_to_the_worker) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  drop_nlink(*a);
  {
    rcu_read_guard rcu;
    iput(a);
  }
  flush_deferred_work();
  EXPECT_EQ(test_fs::evicted, 1);
}

TEST_F(inode_cache_test, igrab_refuses_what_is_being_freed) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  EXPECT_EQ(igrab(*a), a);
  iput(a);
  {
    exclusive_guard g(a->i_lock);
    a->i_state |= i_freeing;
  }
  EXPECT_EQ(igrab(*a), nullptr);
  {
    exclusive_guard g(a->i_lock);
    a->i_state &= ~i_freeing;
  }
  iput(a);
}

TEST(inode_numbers, unique_over_threads) {
  constexpr size_t each = 5000;
  std::vector<std::vector<uint64_t>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got)
    threads.emplace_back([&mine] {
      for (size_t n = 0; n < each; ++n) mine.push_back(get_next_ino());
    });
  for (auto& t : threads) t.join();
  std::set<uint64_t> all;
  for (auto& mine : got) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 4 * each);
  EXPECT_FALSE(all.contains(0));
}

TEST_F(inode_cache_test, times_are_set_and_truncated) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  const timespec64 t{1000, 123456789};
  inode_set_times(*a, &t, nullptr, &t);
  EXPECT_EQ(inode_get_atime(*a), t);
  EXPECT_EQ(inode_get_ctime(*a), t);
  EXPECT_EQ(inode_get_mtime(*a), timespec64{});
  s.sb().s_time_gran = 1000;
  EXPECT_EQ(timestamp_truncate(t, *a), (timespec64{1000, 123456000}));
  s.sb().s_time_gran = 1000000000;
  EXPECT_EQ(current_time(*a).tv_nsec, 0);
  touch_mc(*a);
  EXPECT_EQ(inode_get_mtime(*a), inode_get_ctime(*a));
  EXPECT_GT(inode_get_mtime(*a).tv_sec, 1000);
  const uint64_t version = a->i_version;
  s.sb().s_flags |= sb_i_version;
  touch_mc(*a);
  EXPECT_EQ(a->i_version, version + 1);  // every change, also within a tick
  iput(a);
}

TEST_F(inode_cache_test, stat_sees_times_of_one_change_together) {
  test_fs::live_super s;
  inode* a = make(s.sb(), 7);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int64_t n = 1; !stop; ++n) {
      const timespec64 t{n, n % 1000};
      inode_set_times(*a, &t, &t, &t);
    }
  });
  int torn = 0;
  for (int n = 0; n < 20000; ++n) {
    kstat st;
    generic_fillattr(nop_mnt_idmap, *a, st);
    if (st.atime != st.mtime || st.mtime != st.ctime || st.atime.tv_nsec != st.atime.tv_sec % 1000)
      ++torn;
  }
  stop = true;
  writer.join();
  EXPECT_EQ(torn, 0);
  iput(a);
}

}  // namespace
HF_NAMESPACE_END
