// SPDX-License-Identifier: Apache-2.0
//
// See broken_fs.h.
#include "broken_fs.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety"
#endif

namespace holdfast::app_test {
namespace {

constinit lock_class first_class{"broken_first", lock_kind::mutex};
constinit lock_class second_class{"broken_second", lock_kind::mutex};
mutex<first_class> first_lock;
mutex<second_class> second_lock;
constinit lock_class leak_class{"broken_leak", lock_kind::mutex};
mutex<leak_class> leaks[8];  // one for each call: it is never released
std::atomic<unsigned> next_leak{0};

extern const inode_operations broken_dir_operations;

inode* broken_inode(super_block& sb, const inode* dir, umode_t mode) {
  inode* i = simple_new_inode(sb, dir, mode, 0);
  if (i != nullptr && S_ISDIR(mode)) i->i_op = &broken_dir_operations;
  return i;
}

Status add_inode(inode& dir, dentry& d, umode_t mode) {
  inode* i = broken_inode(*dir.i_sb, &dir, mode);
  if (i == nullptr) return Error(ENOSPC);
  return simple_add_entry(dir, d, i);
}

Status broken_create(const mnt_idmap&, inode& dir, dentry& d, umode_t mode, bool) {
  exclusive_guard outer(second_lock);
  exclusive_guard inner(first_lock);
  return add_inode(dir, d, mode | S_IFREG);
}

Status broken_mkdir(const mnt_idmap&, inode& dir, dentry& d, umode_t mode) {
  exclusive_guard outer(first_lock);
  exclusive_guard inner(second_lock);
  return add_inode(dir, d, mode | S_IFDIR);
}

Status broken_rmdir(inode&, dentry&) {
  return Error(EBUSY);
}

Status broken_rename(const mnt_idmap& idmap, inode& old_dir, dentry& old_dentry, inode& new_dir,
                     dentry& new_dentry, unsigned flags) {
  leaks[next_leak++ % 8].lock();
  return simple_rename(idmap, old_dir, old_dentry, new_dir, new_dentry, flags);
}

constinit const inode_operations broken_dir_operations = {
    .create = broken_create,
    .lookup = simple_lookup,
    .unlink = simple_unlink,
    .mkdir = broken_mkdir,
    .rmdir = broken_rmdir,
    .rename = broken_rename,
    .getattr = simple_getattr,
    .get_offset_ctx = simple_get_offset_ctx,
};

Status fill_super(super_block& sb, std::string_view, std::string_view) {
  sb.s_op = &simple_super_operations;
  inode* root = broken_inode(sb, nullptr, S_IFDIR | 0755);
  sb.s_root = d_make_root(root);
  return sb.s_root != nullptr ? Status{} : Error(ENOMEM);
}

Result<dentry*> broken_mount(file_system_type& type, unsigned flags, std::string_view source,
                             std::string_view data) {
  return mount_nodev(type, flags, source, data, fill_super);
}

constinit file_system_type broken_type = {
    .name = "broken",
    .mount = broken_mount,
    .kill_sb = kill_litter_super,
    .help = "no options",
};

}  // namespace

Status register_broken_fs() {
  static const Status done = register_filesystem(broken_type);
  return done;
}

}  // namespace holdfast::app_test
