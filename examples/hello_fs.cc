// SPDX-License-Identifier: Apache-2.0
//
// hello_fs: a whole file system in one file. Names live in the dentry cache, data in the page
// cache, so it is read-write and as concurrent as Holdfast; what is left to write is which tables
// an inode gets.
//
//   mkdir /tmp/hello && ./hello_fs /tmp/hello &
//   cat /tmp/hello/hello.txt; mkdir /tmp/hello/d; echo hi >/tmp/hello/d/file
//   umount /tmp/hello
#include <cstdio>
#include <cstring>

#include "holdfast/fuse.h"
#include "holdfast/libfs.h"

using namespace holdfast;

namespace {

extern const inode_operations hello_dir_operations;

// A new inode in memory comes with tables for its kind; this file system has its own for
// directories.
inode* hello_inode(super_block& sb, const inode* dir, umode_t mode, dev_t dev) {
  inode* i = simple_new_inode(sb, dir, mode, dev);
  if (i != nullptr && S_ISDIR(mode)) i->i_op = &hello_dir_operations;
  return i;
}

// The inode's reference passes to the name, which stays in the dentry cache for as long as it
// exists.
Status hello_mknod(const mnt_idmap&, inode& dir, dentry& d, umode_t mode, dev_t dev) {
  inode* i = hello_inode(*dir.i_sb, &dir, mode, dev);
  if (i == nullptr) return Error(ENOSPC);
  return simple_add_entry(dir, d, i);
}

Status hello_create(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode, bool) {
  return hello_mknod(idmap, dir, d, mode | S_IFREG, 0);
}

Status hello_mkdir(const mnt_idmap& idmap, inode& dir, dentry& d, umode_t mode) {
  return hello_mknod(idmap, dir, d, mode | S_IFDIR, 0);
}

constinit const inode_operations hello_dir_operations = {
    .create = hello_create,
    .lookup = simple_lookup,
    .link = simple_link,
    .unlink = simple_unlink,
    .mkdir = hello_mkdir,
    .rmdir = simple_rmdir,
    .mknod = hello_mknod,
    .rename = simple_rename,
    .setattr = simple_setattr,
    .getattr = simple_getattr,
    .get_offset_ctx = simple_get_offset_ctx,
};

Status hello_fill_super(super_block& sb, std::string_view, std::string_view) {
  sb.s_magic = 0x68656c6c;
  sb.s_op = &simple_super_operations;
  inode* root = hello_inode(sb, nullptr, S_IFDIR | 0755, 0);
  sb.s_root = d_make_root(root);
  return sb.s_root != nullptr ? Status{} : Error(ENOMEM);
}

Result<dentry*> hello_mount(file_system_type& type, unsigned flags, std::string_view source,
                            std::string_view data) {
  return mount_nodev(type, flags, source, data, hello_fill_super);
}

constinit file_system_type hello_type = {
    .name = "hello",
    .mount = hello_mount,
    .kill_sb = kill_litter_super,
    .help = "no options",
};

// /hello.txt, written as any program would.
Status write_greeting(mnt_namespace& ns) {
  task* t = create_task(ns);
  if (t == nullptr) return Error(ENOMEM);
  constexpr std::string_view text = "Hello from a file system in user space.\n";
  auto write = [&]() -> Status {
    HF_TRY_ASSIGN(int fd, sys_open(*t, at_cwd, "/hello.txt", O_WRONLY | O_CREAT, 0644));
    HF_TRY(sys_write(*t, fd, text.data(), text.size()));
    return sys_close(*t, fd);
  };
  Status s = write();
  destroy_task(t);
  return s;
}

int fail(const char* what, int code) {
  fprintf(stderr, "hello_fs: %s: %s\n", what, strerror(code));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: hello_fs DIR  (ends when DIR is unmounted)\n"), 2;
  if (Status s = register_filesystem(hello_type); !s) return fail("register", s.code());
  auto ns = create_mnt_namespace("hello", "none", 0, "");
  if (!ns) return fail("mount", ns.code());
  if (Status s = write_greeting(**ns); !s) return fail("hello.txt", s.code());
  fuse_options opt;
  opt.ns = *ns;
  opt.mountpoint = argv[1];
  opt.type = "hello";
  Result<int> end = fuse_serve(opt);
  put_mnt_ns(*ns);
  return end ? 0 : fail(argv[1], end.code());
}
