// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "core/file/file_internal.h"
#include "core/super/test_fs.h"

HF_NAMESPACE_BEGIN
namespace {

int opened, released, flushed, open_error;

Status count_open(inode&, file&) {
  if (open_error != 0) return Error(open_error);
  ++opened;
  return {};
}
Status count_flush(file&) {
  ++flushed;
  return Error(EIO);
}
void count_release(inode&, file&) {
  ++released;
}
Result<loff_t> any_seek(file&, loff_t offset, int) {
  return offset;
}

constexpr file_operations counting = {
    .llseek = any_seek, .open = count_open, .flush = count_flush, .release = count_release};
constexpr file_operations stream = {.read_iter = nullptr};

// A namespace with a regular file /f in the dentry cache.
class file_test : public test_fs::fixture {
 protected:
  void SetUp() override {
    fixture::SetUp();
    opened = released = flushed = open_error = 0;
    Result<mnt_namespace*> ns = create_mnt_namespace("test_fs", "rootdev", 0, "");
    ASSERT_TRUE(ns.ok());
    ns_ = *ns;
    t_ = create_task(*ns_);
    ASSERT_NE(t_, nullptr);
    const path root = mnt_ns_root(*ns_);
    dentry* d = d_alloc(*root.dent, "f");
    inode* i = new_inode(*root.mnt->mnt_sb);
    i->i_mode = S_IFREG | 0644;
    i->i_fop = &counting;
    d_add(*d, i);
    place_ = {root.mnt, d};
    scope_ = t_;
    this_context().task = t_;
  }
  void TearDown() override {
    dput(place_.dent);
    this_context().task = nullptr;
    destroy_task(t_);
    put_mnt_ns(ns_);
    fixture::TearDown();
  }
  inode& node() { return *place_.dent->inode_ptr(); }
  // Opened, or null with `code` set.
  file* open(int flags, int* code = nullptr) {
    file* f = alloc_empty_file(flags, *t_->cr);
    Status s = do_dentry_open(*f, place_);
    if (code) *code = s.code();
    if (s.ok()) return f;
    fput(f);
    return nullptr;
  }

  mnt_namespace* ns_ = nullptr;
  task* t_ = nullptr;
  task* scope_ = nullptr;
  path place_;
};

TEST_F(file_test, open_flush_release) {
  file* f = open(O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(f->f_mode, fmode_read | fmode_write | fmode_lseek | fmode_pread | fmode_pwrite |
                           fmode_atomic_pos | fmode_writer | fmode_opened);
  EXPECT_EQ(f->f_flags, static_cast<unsigned>(O_RDWR | O_APPEND));
  EXPECT_EQ(node().i_writecount.load(), 1);
  file* twin = get_file(f);
  EXPECT_EQ(filp_close(twin).code(), EIO);  // what ->flush says
  EXPECT_EQ(released, 0);
  EXPECT_EQ(filp_close(f).code(), EIO);
  EXPECT_EQ(flushed, 2);
  EXPECT_EQ(released, 1);
  EXPECT_EQ(node().i_writecount.load(), 0);
  EXPECT_TRUE(place_.mnt->mnt_sb->s_op != nullptr);
}

TEST_F(file_test, failed_open_gives_everything_back) {
  open_error = ENXIO;
  int code = 0;
  const int before = place_.dent->d_lockref.count();
  EXPECT_EQ(open(O_WRONLY, &code), nullptr);
  EXPECT_EQ(code, ENXIO);
  EXPECT_EQ(released, 0);
  EXPECT_EQ(node().i_writecount.load(), 0);
  EXPECT_EQ(place_.dent->d_lockref.count(), before);
}

TEST_F(file_test, write_access) {
  int code = 0;
  node().i_writecount = -1;  // being executed
  EXPECT_EQ(open(O_RDWR, &code), nullptr);
  EXPECT_EQ(code, ETXTBSY);
  fput(open(O_RDONLY));
  node().i_writecount = 0;
  place_.mnt->mnt_flags |= mnt_readonly;
  EXPECT_EQ(open(O_RDWR, &code), nullptr);
  EXPECT_EQ(code, EROFS);
  EXPECT_EQ(node().i_writecount.load(), 0);
  // A device node may be written on a read-only mount.
  node().i_mode = S_IFCHR | 0666;
  file* f = open(O_RDWR);
  ASSERT_NE(f, nullptr);
  EXPECT_FALSE(f->f_mode & (fmode_writer | fmode_atomic_pos));
  fput(f);
  place_.mnt->mnt_flags &= ~mnt_readonly;
  node().i_mode = S_IFREG | 0644;
}

TEST_F(file_test, path_only_is_never_opened) {
  file* f = open(O_PATH);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(opened, 0);
  EXPECT_TRUE(f->f_mode & fmode_path);
  EXPECT_TRUE(f->f_op->release == nullptr);
  EXPECT_EQ(filp_close(f).code(), 0);
  EXPECT_EQ(released + flushed, 0);
}

TEST_F(file_test, direct_io_where_nobody_offers_it) {
  int code = 0;
  EXPECT_EQ(open(O_RDONLY | O_DIRECT, &code), nullptr);
  EXPECT_EQ(code, EINVAL);
  EXPECT_EQ(released, opened);
}

TEST_F(file_test, no_llseek_no_seeking) {
  node().i_fop = &stream;
  file* f = open(O_RDONLY);
  ASSERT_NE(f, nullptr);
  EXPECT_FALSE(f->f_mode & fmode_lseek);
  EXPECT_TRUE(f->f_mode & fmode_pread);
  fput(f);
}

TEST_F(file_test, nodes_that_nothing_stands_behind) {
  init_special_inode(node(), S_IFIFO | 0600, 5);
  EXPECT_EQ(node().i_rdev, dev_t{0});
  int code = 0;
  EXPECT_EQ(open(O_RDONLY, &code), nullptr);
  EXPECT_EQ(code, ENXIO);
  node().i_mode = S_IFREG | 0644;
}

TEST_F(file_test, last_reference_in_atomic_context) {
  file* f = open(O_RDONLY);
  {
    rcu_read_guard rcu;
    fput(f);
  }
  flush_deferred_work();
  EXPECT_EQ(released, 1);
}

TEST_F(file_test, end_of_a_task_closes) {
  task* t = create_task(*ns_, {.uid = 5, .gid = 6, .groups = {}, .shared = false, .pid = 7});
  EXPECT_EQ(t->cr->fsuid, 5u);
  EXPECT_EQ(t->fs.umask, 022u);
  for (int n = 0; n < 200; ++n) {
    Result<int> fd = get_unused_fd(*t, 0, false);
    fd_install(*t, *fd, open(O_RDONLY));
  }
  (void)get_unused_fd(*t, 0, false);  // an open that never came to an end
  destroy_task(t);
  EXPECT_EQ(flushed, 200);
  EXPECT_EQ(released, 200);
}

TEST(seq_file_test, all_or_nothing) {
  char buf[16] = {};
  seq_file m{buf, sizeof buf, 0, false};
  m.put("uid=");
  m.put_num(1000);
  m.put(",");
  m.put_octal(0755);
  EXPECT_EQ(std::string(buf, m.count), "uid=1000,755");
  m.put("toolong");
  EXPECT_TRUE(m.overflowed);
  m.put("x");
  EXPECT_EQ(m.count, 12u);
  seq_file e{buf, sizeof buf, 0, false};
  e.put_escaped("a b\n\\", " \n\\");
  EXPECT_EQ(std::string(buf, e.count), "a\\040b\\012\\134");
}

}  // namespace
HF_NAMESPACE_END
