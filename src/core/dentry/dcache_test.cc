// SPDX-License-Identifier: Apache-2.0
//
// The dentry cache on a file system whose ->lookup makes up what it is asked for: "f*" is a file,
// "d*" a directory, anything else is absent.
#include "core/dentry/dcache.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "core/dentry/name_hash.h"
#include "holdfast/libfs.h"
#include "holdfast/syscalls.h"

HF_NAMESPACE_BEGIN
namespace {

std::atomic<int> lookups{0};
std::atomic<int> in_lookup{0};
std::atomic<int> most_in_lookup{0};

Result<dentry*> made_up_lookup(inode& dir, dentry& d, unsigned);
constexpr inode_operations dir_iops = {.lookup = made_up_lookup};
constexpr inode_operations file_iops = {};
constexpr file_operations no_fops = {};
constexpr super_operations made_up_sops = {};

inode* make(super_block& sb, umode_t mode) {
  inode* i = new_inode(sb);
  if (!i) return nullptr;
  i->i_ino = get_next_ino();
  i->i_mode = mode;
  i->i_op = S_ISDIR(mode) ? &dir_iops : &file_iops;
  i->i_fop = &no_fops;
  return i;
}

Result<dentry*> made_up_lookup(inode& dir, dentry& d, unsigned) {
  lookups.fetch_add(1);
  int now = in_lookup.fetch_add(1) + 1;
  for (int most = most_in_lookup.load();
       now > most && !most_in_lookup.compare_exchange_weak(most, now);) {
  }
  inode* i = nullptr;
  const char c = d.name()[0];
  if (c == 'f') i = make(*dir.i_sb, S_IFREG | 0644);
  if (c == 'd') i = make(*dir.i_sb, S_IFDIR | 0755);
  std::this_thread::yield();  // widens the window in which others meet this lookup
  in_lookup.fetch_sub(1);
  return d_splice_alias(i, d);
}

Status fill(super_block& sb, std::string_view, std::string_view) {
  sb.s_op = &made_up_sops;
  sb.s_root = d_make_root(make(sb, S_IFDIR | 0755));
  return sb.s_root ? Status{} : Status{Error(ENOMEM)};
}

file_system_type made_up = {
    .name = "made_up",
    .mount = [](file_system_type& t, unsigned flags, std::string_view src,
                std::string_view data) { return mount_nodev(t, flags, src, data, fill); },
    .kill_sb = kill_anon_super,
};

class dcache : public ::testing::Test {
 protected:
  void SetUp() override {
    Status st = register_filesystem(made_up);
    ASSERT_TRUE(st.ok() || st.code() == EBUSY) << st.code();
    before_ = dentry_stat().nr_dentry;
    Result<mnt_namespace*> r = create_mnt_namespace("made_up", "none", 0, "");
    ASSERT_TRUE(r.ok()) << r.code();
    ns = *r;
    t = create_task(*ns);
    ASSERT_NE(t, nullptr);
    lookups = 0;
  }
  void TearDown() override {
    if (t) destroy_task(t);
    if (ns) put_mnt_ns(ns);
    rcu_barrier();
    EXPECT_EQ(dentry_stat().nr_dentry, before_);
    set_dentry_budget(1u << 17);
  }
  int code_of(const std::string& path) {
    kstat st;
    return sys_stat(*t, at_cwd, path, 0, st).code();
  }
  dentry& root() { return *mnt_ns_root(*ns).dent; }

  mnt_namespace* ns = nullptr;
  task* t = nullptr;
  size_t before_ = 0;
};

TEST_F(dcache, a_name_is_looked_up_once) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(code_of("d1/f1"), 0);
  EXPECT_EQ(lookups, 2);
}

TEST_F(dcache, an_absence_is_remembered) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(code_of("nothing"), ENOENT);
  EXPECT_EQ(lookups, 1);
}

TEST_F(dcache, a_name_of_any_length_is_found) {
  for (size_t len = 1; len <= name_max; ++len) EXPECT_EQ(code_of(std::string(len, 'f')), 0) << len;
  const int first = lookups;
  EXPECT_EQ(first, static_cast<int>(name_max));
  for (size_t len = 1; len <= name_max; ++len) EXPECT_EQ(code_of(std::string(len, 'f')), 0) << len;
  EXPECT_EQ(lookups, first);
  EXPECT_EQ(code_of(std::string(name_max + 1, 'f')), ENAMETOOLONG);
}

TEST(name_hash, splitter_and_whole_name_agree) {
  for (size_t len = 1; len < 40; ++len) {
    for (size_t pad = 0; pad < 12; ++pad) {
      const std::string name(len, 'a' + static_cast<char>(len % 20));
      const std::string path = name + (pad ? "/" + std::string(pad, 'z') : "");
      uint32_t h = 0;
      int salt = 0;
      const char* stop =
          hash_component(&salt, path.data(), path.data() + path.size(), path.data(), h);
      EXPECT_EQ(stop - path.data(), static_cast<ptrdiff_t>(len));
      EXPECT_EQ(h, hash_bytes(&salt, name)) << len << " " << pad;
    }
  }
}

TEST_F(dcache, one_lookup_per_name_however_many_ask) {
  constexpr int threads = 4, rounds = 300;
  std::vector<task*> tasks;
  for (int i = 0; i < threads; ++i) tasks.push_back(create_task(*ns));
  std::vector<std::thread> pool;
  std::atomic<int> wrong{0};
  for (int i = 0; i < threads; ++i) {
    pool.emplace_back([&, i] {
      for (int r = 0; r < rounds; ++r) {
        kstat st;
        if (!sys_stat(*tasks[i], at_cwd, "f" + std::to_string(r), 0, st).ok()) ++wrong;
      }
    });
  }
  for (auto& th : pool) th.join();
  for (task* k : tasks) destroy_task(k);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(lookups, rounds);
}

TEST_F(dcache, the_index_grows_under_readers) {
  constexpr int names = 20000;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  task* reader = create_task(*ns);
  ASSERT_EQ(code_of("f_known"), 0);
  std::thread th([&] {
    while (!stop) {
      kstat st;
      if (!sys_stat(*reader, at_cwd, "f_known", 0, st).ok()) ++wrong;
    }
  });
  for (int i = 0; i < names; ++i) ASSERT_EQ(code_of("f" + std::to_string(i)), 0);
  stop = true;
  th.join();
  destroy_task(reader);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(lookups, names + 1);
  EXPECT_GE(dentry_stat().hash_buckets * 2, static_cast<size_t>(names));
  for (int i = 0; i < names; ++i) ASSERT_EQ(code_of("f" + std::to_string(i)), 0);
  EXPECT_EQ(lookups, names + 1) << "a name was lost when the index grew";
}

TEST_F(dcache, unused_dentries_keep_to_the_budget) {
  set_dentry_budget(1000);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(code_of("f" + std::to_string(i)), 0);
  EXPECT_LE(dentry_stat().nr_unused, 1300u);
}

TEST_F(dcache, a_moved_dentry_is_found_at_its_new_place_only) {
  ASSERT_EQ(code_of("d1/fold"), 0);
  ASSERT_EQ(code_of("d2/gone"), ENOENT);
  Result<path_ref> from = user_path_at(*t, at_cwd, "d1/fold");
  Result<path_ref> dir = user_path_at(*t, at_cwd, "d2");
  ASSERT_TRUE(from.ok() && dir.ok());
  qstr q{0, 4, "gone"};
  q.hash = full_name_hash((*dir)->dent, q.view());
  dentry* target = d_lookup(*(*dir)->dent, q);
  ASSERT_NE(target, nullptr);
  d_move(*(*from)->dent, *target);
  dput(target);
  EXPECT_EQ((*from)->dent->parent(), (*dir)->dent);
  EXPECT_EQ((*from)->dent->name(), "gone");
  Result<path_ref> again = user_path_at(*t, at_cwd, "d2/gone");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->dent, (*from)->dent);
  lookups = 0;
  EXPECT_EQ(code_of("d1/fold"), 0);  // made up anew: the old name is not in the cache
  EXPECT_EQ(lookups, 1);
}

TEST_F(dcache, shrinking_frees_what_nobody_uses) {
  ASSERT_EQ(code_of("d1/d2/f3"), 0);
  Result<path_ref> kept = user_path_at(*t, at_cwd, "d1/f_kept");
  ASSERT_TRUE(kept.ok());
  const size_t many = dentry_stat().nr_dentry;
  shrink_dcache_parent(root());
  rcu_barrier();
  EXPECT_EQ(dentry_stat().nr_dentry, many - 2);  // d2 and f3 went, d1 is a parent
  lookups = 0;
  EXPECT_EQ(code_of("d1/f_kept"), 0);
  EXPECT_EQ(lookups, 0);
  EXPECT_EQ(code_of("d1/d2/f3"), 0);
  EXPECT_EQ(lookups, 2);
}

// The work of shrinking grows with the number of dentries, not with its square: counted in d_locks.
TEST_F(dcache, a_deep_chain_is_taken_down_in_one_pass) {
  constexpr uint64_t depth = 5000;
  for (uint64_t i = 0; i < depth; ++i) {
    kstat st;
    ASSERT_TRUE(sys_stat(*t, at_cwd, "d", 0, st).ok());
    ASSERT_TRUE(sys_chdir(*t, "d").ok());
  }
  ASSERT_TRUE(sys_chdir(*t, "/").ok());
  const size_t before = dentry_stat().nr_dentry;
  const check_mode mode = get_check_mode();
  set_check_mode(check_mode::report);  // acquisitions are counted only then
  const uint64_t locks = d_lock_class.acquired.load();
  shrink_dcache_parent(root());
  const uint64_t taken = d_lock_class.acquired.load() - locks;
  set_check_mode(mode);
  rcu_barrier();
  EXPECT_EQ(dentry_stat().nr_dentry, before - depth);
  if (checking_compiled_in) EXPECT_GT(taken, depth);
  EXPECT_LT(taken, 20 * depth);
}

}  // namespace
HF_NAMESPACE_END
