// SPDX-License-Identifier: Apache-2.0
//
// What a null pointer means, table by table (semantics.md, the columns NULL), for the tables whose
// defaults are more than one or two. No gate runs: no method does.
#include <cerrno>
#include <cstring>

#include <poll.h>

#include "core/dispatch/stand_ins.h"

HF_NAMESPACE_BEGIN
namespace {

class null_defaults_test : public dispatch_test {
 protected:
  void SetUp() override {
    dispatch_test::SetUp();
    sb.s_op = &stand_in::super_table::empty;
    for (inode* i : {&dir, &other_dir, &subdir, &other_subdir, &regular, &other_regular}) {
      i->i_op = &stand_in::inode_table::empty;
      i->i_data.a_ops = &stand_in::aops_table::empty;
    }
    f.f_op = &stand_in::file_table::empty;
    dir_file.f_op = &stand_in::file_table::empty;
  }
  void TearDown() override {
    EXPECT_EQ(stand_in::calls, 0);
    EXPECT_EQ(read_contract_counters().operations, 0u);
    dispatch_test::TearDown();
  }
};

TEST_F(null_defaults_test, directory_operations) {
  const mnt_idmap& idmap = nop_mnt_idmap;
  EXPECT_EQ(inode_ops::create(idmap, dir, negative, 0644, false).code(), EACCES);
  EXPECT_EQ(inode_ops::lookup(dir, negative, 0).code(), ENOTDIR);
  EXPECT_EQ(inode_ops::link(regular_dentry, dir, negative).code(), EPERM);
  EXPECT_EQ(inode_ops::unlink(dir, regular_dentry).code(), EPERM);
  EXPECT_EQ(inode_ops::symlink(idmap, dir, negative, "x").code(), EPERM);
  EXPECT_EQ(inode_ops::mkdir(idmap, dir, negative, 0755).code(), EPERM);
  EXPECT_EQ(inode_ops::rmdir(dir, subdir_dentry).code(), EPERM);
  EXPECT_EQ(inode_ops::mknod(idmap, dir, negative, S_IFIFO, 0).code(), EPERM);
  EXPECT_EQ(inode_ops::rename(idmap, dir, regular_dentry, dir, negative, 0).code(), EPERM);
  EXPECT_EQ(inode_ops::tmpfile(idmap, dir, f, 0600).code(), EOPNOTSUPP);
  EXPECT_EQ(inode_ops::atomic_open(dir, negative, f, O_RDWR, 0).code(), EOPNOTSUPP);
  EXPECT_EQ(inode_ops::get_offset_ctx(dir), nullptr);
}

TEST_F(null_defaults_test, inode_operations) {
  char buffer[8] = {};
  iattr spare;
  delayed_call done;
  EXPECT_EQ(inode_ops::get_link(&regular_dentry, regular, done).code(), EINVAL);
  EXPECT_EQ(inode_ops::readlink(regular_dentry, buffer, sizeof buffer).code(), EINVAL);
  EXPECT_EQ(inode_ops::listxattr(regular_dentry, buffer, sizeof buffer).value(), 0u);
  EXPECT_EQ(inode_ops::fiemap(regular, reinterpret_cast<fiemap_extent_info&>(spare), 0, 1).code(),
            EOPNOTSUPP);
  auto& fa = reinterpret_cast<fileattr&>(spare);
  EXPECT_EQ(inode_ops::fileattr_get(regular_dentry, fa).code(), ENOTTY);
  EXPECT_EQ(inode_ops::fileattr_set(nop_mnt_idmap, regular_dentry, fa).code(), ENOTTY);
  EXPECT_EQ(inode_ops::get_inode_acl(regular, 0, true).value(), nullptr);
  EXPECT_EQ(inode_ops::get_acl(nop_mnt_idmap, regular_dentry, 0).value(), nullptr);
  inode_ops::truncate(regular);
}

TEST_F(null_defaults_test, readlink_copies_the_body_without_a_terminator) {
  regular.i_link = "target";
  char buffer[8];
  std::memset(buffer, '#', sizeof buffer);
  EXPECT_EQ(inode_ops::readlink(regular_dentry, buffer, sizeof buffer).value(), 6u);
  EXPECT_EQ(std::string_view(buffer, sizeof buffer), "target##");
  EXPECT_EQ(inode_ops::readlink(regular_dentry, buffer, 3).value(), 3u);
  delayed_call done;
  EXPECT_EQ(inode_ops::get_link(nullptr, regular, done).value(), regular.i_link);
}

TEST_F(null_defaults_test, getattr_fills_in_from_the_inode) {
  regular.i_ino = 77;
  kstat stat;
  const path p{nullptr, &regular_dentry};
  ASSERT_TRUE(inode_ops::getattr(nop_mnt_idmap, p, stat, 0, 0).ok());
  EXPECT_EQ(stat.ino, 77u);
  EXPECT_EQ(stat.mode, S_IFREG | 0644u);
}

TEST_F(null_defaults_test, update_time_sets_what_was_asked_for) {
  const timespec64 past{.tv_sec = 1, .tv_nsec = 0};
  inode_set_times(regular, &past, &past, &past);
  ASSERT_TRUE(
      inode_ops::update_time(regular, inode_ops::update_mtime | inode_ops::update_version).ok());
  EXPECT_EQ(inode_get_atime(regular), past);
  EXPECT_GT(inode_get_mtime(regular), past);
  EXPECT_EQ(inode_get_ctime(regular), past);
  EXPECT_EQ(regular.i_version.load(), 1u);
}

TEST_F(null_defaults_test, super_operations) {
  writeback_control wbc;
  for (const super_operations* none :
       {static_cast<const super_operations*>(nullptr), &stand_in::super_table::empty}) {
    sb.s_op = none;
    super_ops::destroy_inode(regular);
    super_ops::dirty_inode(regular, 0);
    EXPECT_TRUE(super_ops::write_inode(regular, wbc).ok());
    super_ops::put_super(sb);
    EXPECT_TRUE(super_ops::sync_fs(sb, true).ok());
    EXPECT_TRUE(super_ops::freeze_fs(sb).ok());
    EXPECT_TRUE(super_ops::unfreeze_fs(sb).ok());
    kstatfs st;
    EXPECT_EQ(super_ops::statfs(dir_dentry, st).code(), ENOSYS);
    unsigned flags = 0;
    EXPECT_TRUE(super_ops::remount_fs(sb, flags, "").ok());
    super_ops::umount_begin(sb);
    seq_file m;
    EXPECT_TRUE(super_ops::show_options(m, dir_dentry).ok());
    char buffer[8] = {};
    EXPECT_EQ(super_ops::quota_read(sb, 0, buffer, 8, 0).code(), EINVAL);
    EXPECT_EQ(super_ops::quota_write(sb, 0, buffer, 8, 0).code(), EINVAL);
  }
}

TEST_F(null_defaults_test, drop_inode_keeps_what_is_linked_and_hashed) {
  regular.i_nlink = 1;
  regular.i_state = i_hashed;
  EXPECT_FALSE(super_ops::drop_inode(regular));
  regular.i_nlink = 0;
  EXPECT_TRUE(super_ops::drop_inode(regular));
  regular.i_nlink = 1;
  regular.i_state = 0;
  EXPECT_TRUE(super_ops::drop_inode(regular));
}

TEST_F(null_defaults_test, a_plain_inode_comes_and_goes) {
  inode* i = super_ops::alloc_inode(sb);
  ASSERT_NE(i, nullptr);
  i->i_sb = &sb;
  super_ops::free_inode(*i);  // a leak here is the sanitizer's to find
}

TEST_F(null_defaults_test, file_operations) {
  char buffer[8] = {};
  loff_t pos = 3;
  iattr spare;
  auto& fl = reinterpret_cast<file_lock&>(spare);
  auto& pipe = reinterpret_cast<pipe_inode_info&>(spare);
  EXPECT_EQ(file_ops::llseek(f, 0, SEEK_SET).code(), ESPIPE);
  EXPECT_EQ(file_ops::read(f, buffer, sizeof buffer, pos).code(), EINVAL);
  EXPECT_EQ(file_ops::write(f, buffer, sizeof buffer, pos).code(), EINVAL);
  EXPECT_EQ(pos, 3);
  kiocb iocb{.ki_filp = &f};
  iov_iter data(buffer, sizeof buffer);
  EXPECT_EQ(file_ops::read_iter(iocb, data).code(), EINVAL);
  EXPECT_EQ(file_ops::write_iter(iocb, data).code(), EINVAL);
  EXPECT_EQ(file_ops::iopoll(iocb, false).code(), EOPNOTSUPP);
  dir_context ctx;
  EXPECT_EQ(file_ops::iterate_shared(dir_file, ctx).code(), ENOTDIR);
  EXPECT_EQ(file_ops::poll(f, nullptr), unsigned{POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM});
  EXPECT_EQ(file_ops::unlocked_ioctl(f, 1, 2).code(), ENOTTY);
  EXPECT_EQ(file_ops::compat_ioctl(f, 1, 2).code(), ENOTTY);
  EXPECT_EQ(file_ops::mmap(f, reinterpret_cast<vm_area&>(spare)).code(), ENODEV);
  EXPECT_TRUE(file_ops::open(regular, f).ok());
  EXPECT_TRUE(file_ops::flush(f).ok());
  file_ops::release(regular, f);
  EXPECT_EQ(file_ops::fsync(f, 0, 1, false).code(), EINVAL);
  EXPECT_EQ(file_ops::fasync(3, f, true).value(), 0);
  EXPECT_EQ(file_ops::lock(f, 0, fl).code(), EOPNOTSUPP);
  EXPECT_EQ(file_ops::get_unmapped_area(f, 0, 1, 0, 0).code(), EOPNOTSUPP);
  EXPECT_TRUE(file_ops::check_flags(f, O_APPEND).ok());
  EXPECT_EQ(file_ops::flock(f, 0, fl).code(), EOPNOTSUPP);
  EXPECT_EQ(file_ops::splice_write(pipe, f, pos, 1, 0).code(), EINVAL);
  EXPECT_EQ(file_ops::splice_read(f, pos, pipe, 1, 0).code(), EINVAL);
  file_lock* lease = nullptr;
  void* priv = nullptr;
  EXPECT_EQ(file_ops::setlease(f, 0, lease, priv).code(), EOPNOTSUPP);
  EXPECT_EQ(file_ops::fallocate(f, 0, 0, 1).code(), EOPNOTSUPP);
  seq_file m;
  file_ops::show_fdinfo(m, f);
  EXPECT_EQ(file_ops::mmap_capabilities(f), 0u);
  EXPECT_EQ(file_ops::copy_file_range(f, 0, f, 4, 1, 0).code(), EOPNOTSUPP);
  EXPECT_EQ(file_ops::remap_file_range(f, 0, f, 4, 1, 0).code(), EOPNOTSUPP);
  EXPECT_EQ(file_ops::fadvise(f, 0, 1, 0).code(), EOPNOTSUPP);
}

TEST_F(null_defaults_test, address_space_operations) {
  writeback_control wbc;
  readahead_control rac;
  swap_info sis;
  address_space& mapping = regular.i_data;
  folio page, other;
  page.mapping = &mapping;
  EXPECT_EQ(aops::writepage(page, wbc).value(), aops::writepage_activate);
  EXPECT_EQ(aops::read_folio(nullptr, page).code(), ENOEXEC);
  EXPECT_EQ(aops::writepages(mapping, wbc).code(), EOPNOTSUPP);
  EXPECT_TRUE(aops::dirty_folio(mapping, page));
  EXPECT_TRUE(page.test(pg_dirty));
  EXPECT_FALSE(aops::dirty_folio(mapping, page)) << "it was dirty already";
  aops::readahead(mapping, rac);
  folio* got = nullptr;
  void* fsdata = nullptr;
  EXPECT_EQ(aops::write_begin(nullptr, mapping, 0, 1, got, fsdata).code(), EINVAL);
  EXPECT_EQ(aops::write_end(nullptr, mapping, 0, 1, 1, page, fsdata).code(), EINVAL);
  EXPECT_EQ(aops::bmap(bmap_caller::fibmap, mapping, 1), 0u);
  aops::invalidate_folio(page, 0, 1);
  EXPECT_TRUE(aops::release_folio(page, 0));
  page.flags |= pg_private;
  EXPECT_FALSE(aops::release_folio(page, 0));
  aops::free_folio(stand_in::aops_table::empty, page);
  kiocb iocb{.ki_filp = &f};
  iov_iter data;
  EXPECT_EQ(aops::direct_IO(iocb, data).code(), EINVAL);
  EXPECT_EQ(aops::migrate_folio(mapping, other, page, migrate_mode{}).code(), EOPNOTSUPP);
  EXPECT_TRUE(aops::launder_folio(page).ok());
  EXPECT_FALSE(aops::is_partially_uptodate(page, 0, 1));
  EXPECT_EQ(aops::error_remove_page(mapping, page).code(), EOPNOTSUPP);
  sector_t span = 0;
  EXPECT_EQ(aops::swap_activate(sis, f, span).code(), EOPNOTSUPP);
  aops::swap_deactivate(f);
  EXPECT_EQ(aops::swap_rw(iocb, data).code(), EOPNOTSUPP);
}

}  // namespace
HF_NAMESPACE_END
