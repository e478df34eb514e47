// SPDX-License-Identifier: Apache-2.0
//
// File locks, lock managers, buffer heads and block devices: each sentence and each cell about a
// lock once kept and once broken, on objects that nothing else uses yet.
#include "core/dispatch/later_ops.h"
#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

class lock_ops_test : public prose_test {
 protected:
  void SetUp() override {
    prose_test::SetUp();
    regular.i_flctx = &context;
    fl.fl_file = &f;
    lease.fl_file = &f;
    fl.fl_flags = fl_posix;
    lease.fl_flags = fl_lease;
    bdev.bd_disk = &disk;
    other.bd_disk = &other_disk;
  }
  // A cell that wants one lock, which `with` takes.
  template <class With, class Call>
  void expect_cell(const char* table, const char* method, const char* column, const char* finding,
                   With& with, Call&& call) {
    expect_report(
        {"lock", table, method, column, "", finding},
        [&] {
          exclusive hold(with);
          call();
        },
        call);
  }

  file_lock_context context;
  file_lock fl, lease;
  gendisk disk, other_disk;
  block_device bdev, other;
  buffer_head bh;
};

TEST_F(lock_ops_test, fl_copy_lock_is_called_under_the_list) {
  const file_lock_operations& ops = stand_in::file_lock_table::full;
  auto copy = [&] { file_lock_ops::fl_copy_lock(ops, lease, fl); };
  expect_cell("file_lock_operations", "fl_copy_lock", "inode->i_lock",
              "held: none, required: exclusive, on the lock's list", context.flc_lock, copy);
  EXPECT_TRUE(during([&] {
                exclusive hold(regular.i_lock);
                copy();
              }).empty())
      << "the lock that the document names will do too";
  fl.fl_file = nullptr;
  EXPECT_EQ(during(copy).size(), 1u) << "a lock of no file stands in no list";
}

// 5.6-flock-2, which 6.6 points at without saying it: a lease may be freed under the list's lock.
TEST_F(lock_ops_test, releasing_a_lease_never_blocks) {
  const file_lock_operations& ops = stand_in::file_lock_table::full;
  auto release = [&](file_lock& which) {
    stand_in::inside = [] { might_block("the stand-in"); };
    file_lock_ops::fl_release_private(ops, which);
  };
  expect_report(
      {"blocks_forbidden", "file_lock_operations", "fl_release_private", "may block", "6.6-flock-1",
       "the stand-in may block, in a call that may not: fl_release_private"},
      [&] { release(fl); }, [&] { release(lease); });
}

// 5.6-flock-1: that of other locks may, so it is not called where it can't.
TEST_F(lock_ops_test, releasing_a_lock_may_block) {
  const file_lock_operations& ops = stand_in::file_lock_table::full;
  auto release = [&](file_lock& which) {
    exclusive hold(context.flc_lock);
    file_lock_ops::fl_release_private(ops, which);
  };
  expect_report(
      {"prose", "file_lock_operations", "fl_release_private", "", "6.6-flock-1",
       "called for a lock that is no lease where nothing may block"},
      [&] { release(lease); }, [&] { release(fl); });
}

TEST_F(lock_ops_test, managers_are_called_under_the_right_lock) {
  const lock_manager_operations& lm = stand_in::lock_manager_table::full;
  constexpr const char* table = "lock_manager_operations";
  constexpr const char* list = "held: none, required: exclusive, on the lock's list";
  expect_cell(table, "lm_change", "flc_lock", list, context.flc_lock,
              [&] { EXPECT_TRUE(lock_manager_ops::lm_change(lm, lease, F_UNLCK).ok()); });
  expect_cell(table, "lm_breaker_owns_lease", "flc_lock", list, context.flc_lock,
              [&] { lock_manager_ops::lm_breaker_owns_lease(lm, lease); });
  expect_cell(table, "lm_lock_expirable", "flc_lock", list, context.flc_lock,
              [&] { lock_manager_ops::lm_lock_expirable(lm, fl); });
  expect_cell(table, "lm_break", "flc_lock", list, context.flc_lock, [&] {
    const call_site_scope breaking(call_site::lease_break);
    lock_manager_ops::lm_break(lm, lease);
  });
  expect_cell(table, "lm_notify", "blocked_lock_lock",
              "held: none, required: exclusive, on waiting locks", blocked_lock_lock, [&] {
                const call_site_scope unblocking(call_site::lock_unblock);
                lock_manager_ops::lm_notify(lm, fl);
              });
  EXPECT_TRUE(during([&] {
                EXPECT_TRUE(lock_manager_ops::lm_grant(lm, fl, 0).ok());
                lock_manager_ops::lm_expire_lock(lm);
              }).empty());
}

TEST_F(lock_ops_test, managers_are_told_from_two_places_alone) {
  const lock_manager_operations& lm = stand_in::lock_manager_table::full;
  auto notify = [&](call_site from) {
    exclusive hold(blocked_lock_lock);
    const call_site_scope site(from);
    lock_manager_ops::lm_notify(lm, fl);
  };
  expect_report(
      {"prose", "lock_manager_operations", "lm_notify", "", "6.6-lockmgr-1",
       "called from elsewhere than the unblocking"},
      [&] { notify(call_site::lock_unblock); }, [&] { notify(call_site::lease_break); });
  auto break_it = [&](call_site from) {
    exclusive hold(context.flc_lock);
    const call_site_scope site(from);
    lock_manager_ops::lm_break(lm, lease);
  };
  expect_report(
      {"prose", "lock_manager_operations", "lm_break", "", "6.6-lockmgr-1",
       "called from elsewhere than the breaking of leases"},
      [&] { break_it(call_site::lease_break); }, [&] { break_it(call_site::none); });
}

// Locks the buffer for I/O as whoever submits does, and completes it.
class io_on {
 public:
  explicit io_on(buffer_head& bh) : bh_(bh) {
    EXPECT_TRUE(trylock_buffer(bh));
    hand_over_buffer_lock(bh);
  }
  ~io_on() {
    if (buffer_locked(bh_)) unlock_buffer(bh_);
  }
  io_on(const io_on&) = delete;
  io_on& operator=(const io_on&) = delete;

 private:
  buffer_head& bh_;
};

TEST_F(lock_ops_test, b_end_io_never_blocks) {
  auto complete = [&] {
    const io_on io(bh);
    const completion_scope completion;
    buffer_head_ops::b_end_io(stand_in::buffer_head_table::full, bh, true);
  };
  expect_report({"blocks_forbidden", "buffer_head", "b_end_io", "", "6.6-bh-1",
                 "the stand-in may block, in a call that may not: b_end_io"},
                complete, [&] {
                  stand_in::inside = [] { might_block("the stand-in"); };
                  complete();
                });
}

TEST_F(lock_ops_test, b_end_io_finds_the_buffer_locked) {
  auto complete = [&] {
    const completion_scope completion;
    buffer_head_ops::b_end_io(stand_in::buffer_head_table::full, bh, true);
  };
  // Elsewhere than where it was locked, and there it is unlocked.
  expect_report(
      {"prose", "buffer_head", "b_end_io", "", "6.6-bh-2", "the buffer is not locked"},
      [&] {
        const io_on io(bh);
        stand_in::inside = [&] { unlock_buffer(bh); };
        elsewhere(complete);
        EXPECT_FALSE(buffer_locked(bh));
      },
      [&] {
        stand_in::inside = nullptr;
        complete();
      });
}

TEST_F(lock_ops_test, b_end_io_is_called_by_completions_alone) {
  auto call = [&] {
    const io_on io(bh);
    buffer_head_ops::b_end_io(stand_in::buffer_head_table::full, bh, true);
  };
  expect_report(
      {"prose", "buffer_head", "b_end_io", "", "6.6-bh-3", "called outside of I/O completion"},
      [&] {
        const completion_scope completion;
        call();
      },
      call);
}

TEST_F(lock_ops_test, a_buffer_is_locked_once) {
  EXPECT_TRUE(trylock_buffer(bh));
  EXPECT_FALSE(trylock_buffer(bh));
  EXPECT_EQ(held_mode(&bh), held::exclusive);
  unlock_buffer(bh);
  EXPECT_EQ(held_mode(&bh), held::none);
  EXPECT_FALSE(buffer_locked(bh));
}

TEST_F(lock_ops_test, devices_are_opened_and_closed_under_open_mutex) {
  const block_device_operations& ops = stand_in::block_device_table::full;
  constexpr const char* finding = "held: none, required: exclusive, on disk";
  expect_cell("block_device_operations", "open", "open_mutex", finding, disk.open_mutex,
              [&] { EXPECT_TRUE(block_device_ops::open(ops, bdev, 0).ok()); });
  expect_cell("block_device_operations", "release", "open_mutex", finding, disk.open_mutex,
              [&] { block_device_ops::release(ops, disk, 0); });
  EXPECT_EQ(during([&] {
              exclusive hold(disk.open_mutex);
              EXPECT_TRUE(block_device_ops::open(ops, other, 0).ok());
            }).size(),
            1u)
      << "another disk's mutex is another lock";
}

TEST_F(lock_ops_test, swap_slots_are_freed_under_swap_lock) {
  const block_device_operations& ops = stand_in::block_device_table::full;
  auto notify = [&] { block_device_ops::swap_slot_free_notify(ops, bdev, 7); };
  expect_report(
      {"lock", "block_device_operations", "swap_slot_free_notify", "", "6.6-bdev-1",
       "held: none, required: exclusive, on swap slots"},
      [&] {
        exclusive hold(swap_lock);
        notify();
      },
      notify);
  // With the page's lock as well, and no other way than fast.
  folio* page = folio_alloc(0, true);
  ASSERT_NE(page, nullptr);
  expect_report(
      {"blocks_in_atomic", "block_device_operations", "swap_slot_free_notify", "", "6.6-bdev-1",
       "the stand-in may block, under a spinlock"},
      [&] {
        folio_lock(*page);
        {
          exclusive hold(swap_lock);
          notify();
        }
        folio_unlock(*page);
      },
      [&] {
        stand_in::inside = [] { might_block("the stand-in"); };
        exclusive hold(swap_lock);
        notify();
      });
  folio_put(page);
}

}  // namespace
HF_NAMESPACE_END
