// SPDX-License-Identifier: Apache-2.0
//
// file_operations: each rule once kept and once broken; read and write by way of the iterators.
#include "core/dispatch/file_ops.h"

#include <fcntl.h>

#include <cerrno>

#include "core/dispatch/prose_test.h"

HF_NAMESPACE_BEGIN
namespace {

using file_ops_test = prose_test;

TEST_F(file_ops_test, iterate_shared_holds_directory_and_position) {
  dir_context ctx;
  auto iterate = [&] { EXPECT_TRUE(file_ops::iterate_shared(dir_file, ctx).ok()); };
  auto properly = [&] {
    exclusive position(dir_file.f_pos_lock);
    shared hold(dir.i_rwsem);
    iterate();
  };
  expect_report({"lock", "file_operations", "iterate_shared", "", "6.6-file-5",
                 "held: none, required: shared or exclusive, on directory"},
                properly, [&] {
                  exclusive position(dir_file.f_pos_lock);
                  iterate();
                });
  expect_report({"lock", "file_operations", "iterate_shared", "", "6.6-file-5",
                 "held: none, required: exclusive, on file"},
                properly, [&] {
                  shared hold(dir.i_rwsem);
                  iterate();
                });
}

TEST_F(file_ops_test, a_directory_is_not_read_as_a_file) {
  char buffer[8];
  loff_t pos = 0;
  dir_file.f_op = &stand_in::file_table::full;
  auto read = [&](file& which) {
    EXPECT_TRUE(file_ops::read(which, buffer, sizeof buffer, pos).ok());
  };
  expect_report(
      {"prose", "file_operations", "read", "", "6.6-file-9", "the file is a directory"},
      [&] { read(f); }, [&] { read(dir_file); });
}

TEST_F(file_ops_test, fasync_keeps_its_flag_and_answers_zero) {
  file_operations table;
  table.fasync = [](int fd, file& which, bool on) -> Result<int> {
    ++stand_in::calls;
    if (fd == 0) return 1;  // forgets the flag
    which.f_flags = on ? unsigned{O_ASYNC} : 0u;
    return 1;
  };
  f.f_op = &table;
  expect_report(
      {"prose", "file_operations", "fasync", "", "6.6-file-6",
       "FASYNC in f_flags does not follow the argument"},
      [&] { EXPECT_EQ(file_ops::fasync(3, f, true).value(), 0); },
      [&] {
        f.f_flags = 0;
        EXPECT_EQ(file_ops::fasync(0, f, true).value(), 0);
      });
  if (!HasFailure()) log_broken_rule("6.6-file-7");  // the methods above answer above zero
  table.fasync = [](int, file&, bool) -> Result<int> { return Error(ENOMEM); };
  EXPECT_EQ(file_ops::fasync(3, f, true).code(), ENOMEM) << "an error stays one";
}

TEST_F(file_ops_test, all_may_block) {
  char buffer[8] = {};
  loff_t pos = 0;
  iattr spare;  // stands for objects that are incomplete; nobody looks
  file_lock fl;
  vm_area vma;
  auto& pipe = reinterpret_cast<pipe_inode_info&>(spare);
  kiocb iocb{.ki_filp = &f};
  iov_iter data(buffer, sizeof buffer);
  file_lock* lease = nullptr;
  void* priv = nullptr;
  seq_file m;
  auto ok = [](const auto& r) { EXPECT_TRUE(r.ok()); };
  expect_blocks("llseek", [&] { ok(file_ops::llseek(f, 0, SEEK_SET)); });
  expect_blocks("write", [&] { ok(file_ops::write(f, buffer, sizeof buffer, pos)); });
  expect_blocks("read_iter", [&] { ok(file_ops::read_iter(iocb, data)); });
  expect_blocks("write_iter", [&] { ok(file_ops::write_iter(iocb, data)); });
  expect_blocks("iopoll", [&] { ok(file_ops::iopoll(iocb, false)); });
  expect_blocks("poll", [&] { file_ops::poll(f, nullptr); });
  expect_blocks("unlocked_ioctl", [&] { ok(file_ops::unlocked_ioctl(f, 0, 0)); });
  expect_blocks("compat_ioctl", [&] { ok(file_ops::compat_ioctl(f, 0, 0)); });
  expect_blocks("mmap", [&] { ok(file_ops::mmap(f, vma)); });
  expect_blocks("open", [&] { ok(file_ops::open(regular, f)); });
  expect_blocks("flush", [&] { ok(file_ops::flush(f)); });
  expect_blocks("release", [&] { file_ops::release(regular, f); });
  expect_blocks("fsync", [&] { ok(file_ops::fsync(f, 0, 1, true)); });
  expect_blocks("lock", [&] { ok(file_ops::lock(f, 0, fl)); });
  expect_blocks("get_unmapped_area", [&] { ok(file_ops::get_unmapped_area(f, 0, 1, 0, 0)); });
  expect_blocks("check_flags", [&] { ok(file_ops::check_flags(f, 0)); });
  expect_blocks("flock", [&] { ok(file_ops::flock(f, 0, fl)); });
  expect_blocks("splice_write", [&] { ok(file_ops::splice_write(pipe, f, pos, 1, 0)); });
  expect_blocks("splice_read", [&] { ok(file_ops::splice_read(f, pos, pipe, 1, 0)); });
  expect_blocks("setlease", [&] {
    stand_in::inside = [&] { note_event(event::generic_setlease, &f); };
    ok(file_ops::setlease(f, 0, lease, priv));
  });
  expect_blocks("fallocate", [&] { ok(file_ops::fallocate(f, 0, 0, 1)); });
  expect_blocks("show_fdinfo", [&] { file_ops::show_fdinfo(m, f); });
  expect_blocks("mmap_capabilities", [&] { file_ops::mmap_capabilities(f); });
  expect_blocks("copy_file_range", [&] { ok(file_ops::copy_file_range(f, 0, f, 4, 1, 0)); });
  expect_blocks("remap_file_range", [&] { ok(file_ops::remap_file_range(f, 0, f, 4, 1, 0)); });
  expect_blocks("fadvise", [&] { ok(file_ops::fadvise(f, 0, 1, 0)); });
}

TEST_F(file_ops_test, read_and_write_fall_back_on_the_iterators) {
  file_operations table;
  auto transfer = [](kiocb& iocb, iov_iter& data) -> Result<size_t> {
    EXPECT_EQ(iocb.ki_pos, 10);
    EXPECT_EQ(iocb.ki_flags, iocb_append | iocb_dsync);
    iocb.ki_pos += 5;
    return data.count - 3;
  };
  table.read_iter = transfer;
  table.write_iter = transfer;
  f.f_op = &table;
  f.f_flags = unsigned{O_APPEND | O_DSYNC};
  char buffer[8] = {};
  loff_t pos = 10;
  EXPECT_EQ(file_ops::read(f, buffer, sizeof buffer, pos).value(), 5u);
  EXPECT_EQ(pos, 15);
  pos = 10;
  EXPECT_EQ(file_ops::write(f, buffer, sizeof buffer, pos).value(), 5u);
  EXPECT_EQ(pos, 15);
  table.read_iter = [](kiocb& iocb, iov_iter&) -> Result<size_t> {
    iocb.ki_pos += 5;
    return Error(EIO);
  };
  pos = 10;
  EXPECT_EQ(file_ops::read(f, buffer, sizeof buffer, pos).code(), EIO);
  EXPECT_EQ(pos, 10) << "an error leaves the position alone";
}

}  // namespace
HF_NAMESPACE_END
