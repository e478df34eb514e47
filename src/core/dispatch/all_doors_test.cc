// SPDX-License-Identifier: Apache-2.0
//
// Every entry of every list has its dispatcher, with the table's own parameters: checked when this
// file is compiled, so that a new entry without a dispatcher does not build. Then each of those for
// later parts of the VFS is called once.
#include <cerrno>
#include <type_traits>

#include "core/dispatch/stand_ins.h"

HF_NAMESPACE_BEGIN
namespace {

// The table's own signature; with `With` in front of it; both as function types.
template <class Method>
struct signature;
template <class R, class... P>
struct signature<R (*)(P...)> {
  using plain = R(P...);
  template <class With>
  using with = R(With, P...);
};

#define HF_SAME(ns, type, name) \
  static_assert(std::is_same_v<decltype(ns::name), signature<decltype(type::name)>::plain>, #name)
#define HF_WITH(ns, type, name, ...)                                                          \
  static_assert(                                                                              \
      std::is_same_v<decltype(ns::name), signature<decltype(type::name)>::with<__VA_ARGS__>>, \
      #name)

#define HF_CHECK(name, ...) HF_SAME(dentry_ops, dentry_operations, name);
HOLDFAST_DENTRY_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) HF_SAME(inode_ops, inode_operations, name);
HOLDFAST_INODE_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) HF_SAME(super_ops, super_operations, name);
HOLDFAST_SUPER_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) HF_SAME(fs_type_ops, file_system_type, name);
HOLDFAST_FILE_SYSTEM_TYPE(HF_CHECK)
#undef HF_CHECK

// Some methods' arguments don't lead to their table; the dispatcher gets what does, in front.
template <class Method, class Door>
constexpr bool same_or_with_one_more = false;
template <class R, class... P>
constexpr bool same_or_with_one_more<R (*)(P...), R(P...)> = true;
template <class R, class... P, class First>
  requires(!std::is_same_v<void(P...), void(First, P...)>)
constexpr bool same_or_with_one_more<R (*)(P...), R(First, P...)> = true;
#define HF_CHECK(name, ...) \
  static_assert(same_or_with_one_more<decltype(file_operations::name), decltype(file_ops::name)>);
HOLDFAST_FILE_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) \
  static_assert(            \
      same_or_with_one_more<decltype(address_space_operations::name), decltype(aops::name)>);
HOLDFAST_ADDRESS_SPACE_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) \
  static_assert(same_or_with_one_more<decltype(xattr_handler::name), decltype(xattr_ops::name)>);
HOLDFAST_XATTR_HANDLER(HF_CHECK)
#undef HF_CHECK

#define HF_CHECK(name, ...) \
  HF_WITH(file_lock_ops, file_lock_operations, name, const file_lock_operations&);
HOLDFAST_FILE_LOCK_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) \
  HF_WITH(lock_manager_ops, lock_manager_operations, name, const lock_manager_operations&);
HOLDFAST_LOCK_MANAGER_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) \
  HF_WITH(buffer_head_ops, buffer_head_operations, name, const buffer_head_operations&);
HOLDFAST_BUFFER_HEAD(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) \
  HF_WITH(block_device_ops, block_device_operations, name, const block_device_operations&);
HOLDFAST_BLOCK_DEVICE_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) HF_WITH(dquot_ops, dquot_operations, name, const dquot_operations&);
HOLDFAST_DQUOT_OPERATIONS(HF_CHECK)
#undef HF_CHECK
#define HF_CHECK(name, ...) \
  HF_WITH(vm_ops, vm_operations_struct, name, const vm_operations_struct&);
HOLDFAST_VM_OPERATIONS_STRUCT(HF_CHECK)
#undef HF_CHECK

using all_doors_test = dispatch_test;

TEST_F(all_doors_test, file_locks_and_their_managers) {
  file_lock_context context;
  regular.i_flctx = &context;
  file_lock fl;
  fl.fl_file = &f;
  const file_lock_operations& ops = stand_in::file_lock_table::full;
  expect_never_blocks("fl_copy_lock", [&] {
    exclusive list(context.flc_lock);
    file_lock_ops::fl_copy_lock(ops, fl, fl);
  });
  file_lock_ops::fl_release_private(ops, fl);
  EXPECT_EQ(stand_in::calls, 3);
  file_lock_ops::fl_copy_lock(stand_in::file_lock_table::empty, fl, fl);
  file_lock_ops::fl_release_private(stand_in::file_lock_table::empty, fl);
  EXPECT_EQ(stand_in::calls, 3);

  const lock_manager_operations& lm = stand_in::lock_manager_table::full;
  const lock_manager_operations& none = stand_in::lock_manager_table::empty;
  auto under_list = [&](auto&& call) {
    exclusive list(context.flc_lock);
    call();
  };
  expect_never_blocks("lm_notify", [&] {
    exclusive waiting(blocked_lock_lock);
    const call_site_scope site(call_site::lock_unblock);
    lock_manager_ops::lm_notify(lm, fl);
  });
  expect_never_blocks("lm_grant", [&] { EXPECT_TRUE(lock_manager_ops::lm_grant(lm, fl, 0).ok()); });
  expect_never_blocks("lm_break", [&] {
    const call_site_scope site(call_site::lease_break);
    under_list([&] { lock_manager_ops::lm_break(lm, fl); });
  });
  expect_never_blocks("lm_change", [&] {
    under_list([&] { EXPECT_TRUE(lock_manager_ops::lm_change(lm, fl, 0).ok()); });
  });
  expect_never_blocks("lm_breaker_owns_lease", [&] {
    under_list([&] { lock_manager_ops::lm_breaker_owns_lease(lm, fl); });
  });
  expect_never_blocks("lm_lock_expirable",
                      [&] { under_list([&] { lock_manager_ops::lm_lock_expirable(lm, fl); }); });
  expect_blocks("lm_expire_lock", [&] { lock_manager_ops::lm_expire_lock(lm); });
  lock_manager_ops::lm_notify(none, fl);
  EXPECT_EQ(lock_manager_ops::lm_grant(none, fl, 0).code(), ENOLCK);
  EXPECT_FALSE(lock_manager_ops::lm_break(none, fl));
  EXPECT_EQ(lock_manager_ops::lm_change(none, fl, 0).code(), EINVAL);
  EXPECT_FALSE(lock_manager_ops::lm_breaker_owns_lease(none, fl));
  EXPECT_FALSE(lock_manager_ops::lm_lock_expirable(none, fl));
  lock_manager_ops::lm_expire_lock(none);
}

TEST_F(all_doors_test, buffers_and_block_devices) {
  buffer_head bh;
  bh.b_state.store(bh_lock);
  expect_never_blocks("b_end_io", [&] {
    const completion_scope completion;
    buffer_head_ops::b_end_io(stand_in::buffer_head_table::full, bh, true);
  });
  stand_in::calls = 0;
  gendisk disk;
  block_device bdev;
  bdev.bd_disk = &disk;
  hd_geometry geo;
  void* addr = nullptr;
  uint64_t pfn = 0;
  const block_device_operations& ops = stand_in::block_device_table::full;
  for (const caught& c : during([&] {
         {
           exclusive opening(disk.open_mutex);
           EXPECT_TRUE(block_device_ops::open(ops, bdev, 0).ok());
           block_device_ops::release(ops, disk, 0);
         }
         EXPECT_TRUE(block_device_ops::ioctl(ops, bdev, 0, 0, 0).ok());
         EXPECT_TRUE(block_device_ops::compat_ioctl(ops, bdev, 0, 0, 0).ok());
         EXPECT_TRUE(block_device_ops::direct_access(ops, bdev, 0, addr, pfn).ok());
         block_device_ops::unlock_native_capacity(ops, disk);
         EXPECT_TRUE(block_device_ops::getgeo(ops, bdev, geo).ok());
         exclusive swap(swap_lock);
         block_device_ops::swap_slot_free_notify(ops, bdev, 0);
       }))
    ADD_FAILURE() << c;
  EXPECT_EQ(stand_in::calls, 8);
  const block_device_operations& none = stand_in::block_device_table::empty;
  EXPECT_TRUE(block_device_ops::open(none, bdev, 0).ok());
  block_device_ops::release(none, disk, 0);
  EXPECT_EQ(block_device_ops::ioctl(none, bdev, 0, 0, 0).code(), ENOTTY);
  EXPECT_EQ(block_device_ops::compat_ioctl(none, bdev, 0, 0, 0).code(), ENOTTY);
  EXPECT_EQ(block_device_ops::direct_access(none, bdev, 0, addr, pfn).code(), EOPNOTSUPP);
  block_device_ops::unlock_native_capacity(none, disk);
  EXPECT_EQ(block_device_ops::getgeo(none, bdev, geo).code(), ENOTTY);
  block_device_ops::swap_slot_free_notify(none, bdev, 0);
  EXPECT_EQ(stand_in::calls, 8);
}

TEST_F(all_doors_test, quotas) {
  dquot dq;
  dq.dq_sb = &sb;
  stand_in::inside = [&] {
    note_event(event::generic_quota, &dq);
    note_event(event::generic_quota, &sb);
  };
  for (const dquot_operations* ops :
       {&stand_in::dquot_table::full, &stand_in::dquot_table::empty}) {
    const int code = ops == &stand_in::dquot_table::full ? 0 : EOPNOTSUPP;
    for (const caught& c : during([&] {
           shared umount(sb.s_umount);
           EXPECT_EQ(dquot_ops::write_dquot(*ops, dq).code(), code);
           EXPECT_EQ(dquot_ops::acquire_dquot(*ops, dq).code(), code);
           EXPECT_EQ(dquot_ops::release_dquot(*ops, dq).code(), code);
           EXPECT_EQ(dquot_ops::mark_dirty(*ops, dq).code(), code);
           EXPECT_EQ(dquot_ops::write_info(*ops, sb, 0).code(), code);
         }))
      ADD_FAILURE() << c;
  }
  EXPECT_EQ(stand_in::calls, 5);
}

// Each of the table's methods reaches its stand-in, and null is answered; what they owe is
// vm_ops_test's.
TEST_F(all_doors_test, mappings) {
  mm memory;
  vm_area vma;
  vma.vm_mm = &memory;
  vm_fault vmf;
  vmf.vma = &vma;
  const vm_operations_struct& none = stand_in::vm_table::empty;
  for (const vm_operations_struct* ops : {&stand_in::vm_table::full, &none}) {
    vm_ops::open(*ops, vma);
    vm_ops::close(*ops, vma);
    EXPECT_EQ(vm_ops::fault(*ops, vmf), ops == &none ? vm_fault_sigbus : 0);
    EXPECT_EQ(vm_ops::huge_fault(*ops, vmf, 9), ops == &none ? vm_fault_fallback : 0);
    EXPECT_EQ(vm_ops::map_pages(*ops, vmf, 0, 1), 0u);
    EXPECT_EQ(vm_ops::page_mkwrite(*ops, vma, vmf), 0u);
    EXPECT_EQ(vm_ops::pfn_mkwrite(*ops, vma, vmf), 0u);
    EXPECT_EQ(vm_ops::access(*ops, vma, 0, nullptr, 0, false).code(), ops == &none ? EIO : 0);
  }
  EXPECT_EQ(stand_in::calls, 8);
}

}  // namespace
HF_NAMESPACE_END
