// SPDX-License-Identifier: Apache-2.0
#include "contract/events.h"

#include <gtest/gtest.h>

#include <thread>

HF_NAMESPACE_BEGIN
namespace {

class events_test : public ::testing::Test {
 protected:
  void SetUp() override { set_check_mode(check_mode::report); }
  void TearDown() override { set_check_mode(check_mode::off); }
  int object = 0, another = 0;
};

class everywhere final : public event_watch {
 public:
  everywhere() { open(0, events(event::data_written)); }
  ~everywhere() { close(); }
  void seen(const event_note&) override { ++own; }
  void seen_elsewhere(const event_note& n) override {
    ++others;
    last_end = n.end();
  }
  unsigned own = 0, others = 0;
  uint64_t last_end = 0;
};

TEST_F(events_test, a_note_counts_for_its_object_and_kind) {
  event_counter leases(event::generic_setlease, &object);
  note_event(event::generic_setlease, &object);
  note_event(event::generic_setlease, &another);
  note_event(event::generic_quota, &object);
  EXPECT_EQ(leases.count(), 1u);
}

TEST_F(events_test, the_innermost_listener_gets_it) {
  event_counter outer(event::generic_setlease, &object);
  {
    event_counter inner(event::generic_setlease, &object);
    event_counter of_others(event::generic_quota, &object);
    note_event(event::generic_setlease, &object);
    EXPECT_EQ(inner.count(), 1u);
    EXPECT_EQ(of_others.count(), 0u);
  }
  EXPECT_EQ(outer.count(), 0u);
  note_event(event::generic_setlease, &object);
  EXPECT_EQ(outer.count(), 1u);
}

TEST_F(events_test, other_contexts_reach_those_who_ask_for_them) {
  event_counter own(event::data_written, &object);
  everywhere all;
  note_event(event::data_written, &object, 10, 5);
  EXPECT_EQ(own.count(), 1u);
  EXPECT_EQ(all.own + all.others, 0u);
  std::thread([&] { note_event(event::data_written, &object, 10, 5); }).join();
  EXPECT_EQ(own.count(), 1u);
  EXPECT_EQ(all.others, 1u);
  EXPECT_EQ(all.last_end, 15u);
  std::thread([&] {
    note_event(event::data_read, &object);
    note_event(event::data_written, &object, 10);
  }).join();
  EXPECT_EQ(all.others, 2u);
  EXPECT_EQ(all.last_end, UINT64_MAX);
}

TEST_F(events_test, a_borrowed_context_brings_its_listeners) {
  event_counter own(event::generic_fault, &object);
  exec_context& mine = this_context();
  std::thread([&] {
    const borrow_context served(mine);
    note_event(event::generic_fault, &object);
  }).join();
  EXPECT_EQ(own.count(), 1u);
}

TEST_F(events_test, nothing_is_kept_while_checking_is_off) {
  set_check_mode(check_mode::off);
  event_counter before(event::generic_quota, &object);
  note_event(event::generic_quota, &object);
  set_check_mode(check_mode::report);
  note_event(event::generic_quota, &object);
  EXPECT_EQ(before.count(), 0u) << "a watch that was made while it was off stays closed";
  EXPECT_EQ(event_begin(), event_begin());
}

TEST_F(events_test, call_sites_nest) {
  EXPECT_EQ(this_context().site, call_site::none);
  {
    const call_site_scope breaking(call_site::lease_break);
    EXPECT_EQ(this_context().site, call_site::lease_break);
    {
      const call_site_scope done(call_site::io_completion);
      EXPECT_EQ(this_context().site, call_site::io_completion);
    }
    EXPECT_EQ(this_context().site, call_site::lease_break);
  }
  EXPECT_EQ(this_context().site, call_site::none);
}

}  // namespace
HF_NAMESPACE_END
