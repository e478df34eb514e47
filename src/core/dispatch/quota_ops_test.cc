// SPDX-License-Identifier: Apache-2.0
//
// Quotas: dquot_operations, and the two superblock methods through which quota files are read and
// written. Each rule once kept and once broken.
#include "core/dispatch/later_ops.h"
#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

class quota_ops_test : public prose_test {
 protected:
  void SetUp() override {
    prose_test::SetUp();
    ASSERT_TRUE(quotas.init().ok());
    sb.s_dquot = &quotas;
    d.dq_sb = &sb;
  }
  // What the generic operation does, as far as rules go.
  void commit() { note_event(event::generic_quota, &d); }
  void commit_info() { note_event(event::generic_quota, &sb); }
  void write_file() {
    exclusive io(quotas.dqio_sem);
    char buffer[8] = {};
    EXPECT_TRUE(super_ops::quota_write(sb, usr_quota, buffer, sizeof buffer, 0).ok());
  }

  quota_info quotas;
  dquot d;
};

using dquot_method = Status (*)(const dquot_operations&, dquot&);
constexpr const char* dquots = "dquot_operations";
constexpr const char* recursion = "FS recursion";
constexpr const char* held_column = "Held locks when called";

TEST_F(quota_ops_test, quota_files_are_worked_on_under_dqio_sem) {
  char buffer[8] = {};
  auto read = [&] {
    EXPECT_TRUE(super_ops::quota_read(sb, usr_quota, buffer, sizeof buffer, 0).ok());
  };
  auto write = [&] {
    EXPECT_TRUE(super_ops::quota_write(sb, usr_quota, buffer, sizeof buffer, 0).ok());
  };
  expect_report(
      {"lock", "super_operations", "quota_read", "", "6.6-super-4",
       "held: none, required: shared or exclusive, on quota files"},
      [&] {
        shared hold(quotas.dqio_sem);
        read();
      },
      read);
  expect_report(
      {"lock", "super_operations", "quota_write", "", "6.6-super-4",
       "held: shared, required: exclusive, on quota files"},
      [&] {
        exclusive hold(quotas.dqio_sem);
        write();
      },
      [&] {
        shared hold(quotas.dqio_sem);
        write();
      });
  sb.s_dquot = nullptr;
  const std::vector<caught> reports = during(read);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].finding, "the superblock has no quotas");
}

TEST_F(quota_ops_test, a_quota_file_has_one_user_at_a_time) {
  char buffer[8] = {};
  auto read = [&](int kind) {
    shared hold(quotas.dqio_sem);
    EXPECT_TRUE(super_ops::quota_read(sb, kind, buffer, sizeof buffer, 0).ok());
  };
  auto read_while_reading = [&](int second) {
    stand_in::inside = [&, second] {
      stand_in::inside = nullptr;
      elsewhere([&] { read(second); });
    };
    read(usr_quota);
  };
  expect_report(
      {"prose", "super_operations", "quota_read", "", "6.6-super-4",
       "another call works on the quota file"},
      [&] { read_while_reading(grp_quota); }, [&] { read_while_reading(usr_quota); });
  EXPECT_EQ(quotas.io_calls[usr_quota].load(), 0);
}

TEST_F(quota_ops_test, dquots_are_written_under_s_umount_or_in_a_read_section) {
  stand_in::inside = nullptr;
  const dquot_operations& ops = stand_in::dquot_table::full;
  const struct {
    const char* name;
    dquot_method call;
  } methods[] = {{"write_dquot", dquot_ops::write_dquot},
                 {"acquire_dquot", dquot_ops::acquire_dquot},
                 {"release_dquot", dquot_ops::release_dquot}};
  for (const auto& m : methods) {
    stand_in::inside = [&] { commit(); };
    auto call = [&] {
      stand_in::inside = [&] { commit(); };
      EXPECT_TRUE(m.call(ops, d).ok());
    };
    expect_report(
        {"lock", dquots, m.name, held_column, "",
         "held: none, required: shared or exclusive, on superblock"},
        [&] {
          shared hold(sb.s_umount);
          call();
        },
        call);
    EXPECT_TRUE(during([&] {
                  const int token = quotas.dq_srcu.read_lock();
                  call();
                  quotas.dq_srcu.read_unlock(token);
                }).empty())
        << m.name;
  }
  auto write_info = [&] {
    stand_in::inside = [&] { commit_info(); };
    EXPECT_TRUE(dquot_ops::write_info(ops, sb, usr_quota).ok());
  };
  expect_report(
      {"lock", dquots, "write_info", held_column, "",
       "held: none, required: shared or exclusive, on superblock"},
      [&] {
        shared hold(sb.s_umount);
        write_info();
      },
      [&] {
        const int token = quotas.dq_srcu.read_lock();
        write_info();
        quotas.dq_srcu.read_unlock(token);
      });
}

TEST_F(quota_ops_test, methods_wrap_the_generic_operations) {
  const dquot_operations& ops = stand_in::dquot_table::full;
  const struct {
    const char* name;
    dquot_method call;
  } methods[] = {{"write_dquot", dquot_ops::write_dquot},
                 {"acquire_dquot", dquot_ops::acquire_dquot},
                 {"release_dquot", dquot_ops::release_dquot},
                 {"mark_dirty", dquot_ops::mark_dirty}};
  for (const auto& m : methods)
    expect_report(
        {"prose", dquots, m.name, "", "6.6-dquot-1", "the generic quota operation was not called"},
        [&] {
          stand_in::inside = [&] { commit(); };
          shared hold(sb.s_umount);
          EXPECT_TRUE(m.call(ops, d).ok());
        },
        [&] {
          // That of another dquot doesn't count.
          dquot another;
          stand_in::inside = [&] { note_event(event::generic_quota, &another); };
          shared hold(sb.s_umount);
          EXPECT_TRUE(m.call(ops, d).ok());
        });
  auto write_info = [&] {
    shared hold(sb.s_umount);
    EXPECT_TRUE(dquot_ops::write_info(ops, sb, usr_quota).ok());
  };
  expect_report(
      {"prose", dquots, "write_info", "", "6.6-dquot-1",
       "the generic quota operation was not called"},
      [&] {
        stand_in::inside = [&] { commit_info(); };
        write_info();
      },
      [&] {
        stand_in::inside = nullptr;
        write_info();
      });
  // What fails need not have come that far.
  dquot_operations failing;
  failing.mark_dirty = [](dquot&) -> Status { return Error(EIO); };
  EXPECT_TRUE(during([&] { EXPECT_EQ(dquot_ops::mark_dirty(failing, d).code(), EIO); }).empty());
}

TEST_F(quota_ops_test, mark_dirty_does_not_come_back_into_the_file_system) {
  const dquot_operations& ops = stand_in::dquot_table::full;
  auto recursing = [&](dquot_method call) {
    stand_in::inside = [&] {
      stand_in::inside = nullptr;  // quota_write is a stand-in too
      write_file();
      commit();
    };
    shared hold(sb.s_umount);
    EXPECT_TRUE(call(ops, d).ok());
  };
  expect_report(
      {"prose", dquots, "mark_dirty", recursion, "6.6-dquot-2",
       "the quota file is worked on from inside"},
      [&] {
        recursing(dquot_ops::write_dquot);
        recursing(dquot_ops::acquire_dquot);
        recursing(dquot_ops::release_dquot);
      },
      [&] { recursing(dquot_ops::mark_dirty); });
}

// ->mark_dirty of one that writes at once calls ->write_dquot, which is entered by itself.
TEST_F(quota_ops_test, a_nested_method_answers_for_itself) {
  const dquot_operations& ops = stand_in::dquot_table::full;
  stand_in::inside = [&] {
    commit();
    stand_in::inside = [&] {
      stand_in::inside = nullptr;
      write_file();
      commit();
    };
    EXPECT_TRUE(dquot_ops::write_dquot(ops, d).ok());
  };
  for (const caught& c : during([&] {
         shared hold(sb.s_umount);
         EXPECT_TRUE(dquot_ops::mark_dirty(ops, d).ok());
       }))
    ADD_FAILURE() << c;
}

}  // namespace
HF_NAMESPACE_END
