// SPDX-License-Identifier: Apache-2.0
//
// The gated side of super_ops.h. drop_inode's i_lock and show_options' namespace_sem are named in
// the document's note column, and bound to it.
#include "core/dispatch/super_ops.h"

#include <cerrno>
#include <new>

#include "core/mount/mount.h"
#include "holdfast/libfs.h"

HF_NAMESPACE_BEGIN

namespace super_ops {

namespace {

constexpr super_operations no_methods{};

const super_operations& ops(const super_block& sb) {
  return sb.s_op != nullptr ? *sb.s_op : no_methods;
}

auto on_umount(const super_block& sb) {
  return [&sb](gate& g) { g.lock(column::s_umount, sb.s_umount, "superblock"); };
}

}  // namespace

namespace checked {

bool drop_inode(inode& i) {
  return door::through(
      method_id::super_drop_inode, [&](gate& g) { g.lock(column::note, i.i_lock, "inode"); },
      [&] { return direct::drop_inode(i); });
}

}  // namespace checked

inode* alloc_inode(super_block& sb) {
  const super_operations& op = ops(sb);
  if (op.alloc_inode == nullptr) {
    inode* plain = new (std::nothrow) inode;
    if (plain != nullptr) inode_init_once(sb, *plain);
    return plain;
  }
  return door::through(method_id::super_alloc_inode, [&] { return op.alloc_inode(sb); });
}

void free_inode_with(const super_operations* table, inode& i) {
  const super_operations& op = table != nullptr ? *table : no_methods;
  if (op.free_inode == nullptr) {
    // A ->destroy_inode that stands alone has freed it.
    if (op.destroy_inode != nullptr) return;
    inode_destroy(i);
    delete &i;
    return;
  }
  door::through(method_id::super_free_inode, [&] { op.free_inode(i); });
}

void free_inode(inode& i) {
  free_inode_with(i.i_sb->s_op, i);
}

void destroy_inode(inode& i) {
  const super_operations& op = ops(*i.i_sb);
  if (op.destroy_inode == nullptr) return;
  door::through(method_id::super_destroy_inode, [&] { op.destroy_inode(i); });
}

void dirty_inode(inode& i, unsigned flags) {
  const super_operations& op = ops(*i.i_sb);
  if (op.dirty_inode == nullptr) return;
  door::through(method_id::super_dirty_inode, [&] { op.dirty_inode(i, flags); });
}

Status write_inode(inode& i, writeback_control& wbc) {
  const super_operations& op = ops(*i.i_sb);
  if (op.write_inode == nullptr) return {};
  return door::through(method_id::super_write_inode, [&] { return op.write_inode(i, wbc); });
}

void evict_inode(inode& i) {
  const super_operations& op = ops(*i.i_sb);
  if (op.evict_inode == nullptr) {
    truncate_inode_pages_final(i.i_data);
    clear_inode(i);
    return;
  }
  door::through(method_id::super_evict_inode, [&] { op.evict_inode(i); });
}

void put_super(super_block& sb) {
  const super_operations& op = ops(sb);
  if (op.put_super == nullptr) return;
  door::through(method_id::super_put_super, on_umount(sb), [&] { op.put_super(sb); });
}

Status sync_fs(super_block& sb, bool wait) {
  const super_operations& op = ops(sb);
  if (op.sync_fs == nullptr) return {};
  return door::through(method_id::super_sync_fs, on_umount(sb),
                       [&] { return op.sync_fs(sb, wait); });
}

Status freeze_fs(super_block& sb) {
  const super_operations& op = ops(sb);
  if (op.freeze_fs == nullptr) return {};
  return door::through(method_id::super_freeze_fs, on_umount(sb), [&] { return op.freeze_fs(sb); });
}

Status unfreeze_fs(super_block& sb) {
  const super_operations& op = ops(sb);
  if (op.unfreeze_fs == nullptr) return {};
  return door::through(method_id::super_unfreeze_fs, on_umount(sb),
                       [&] { return op.unfreeze_fs(sb); });
}

Status statfs(dentry& d, kstatfs& st) {
  const super_block& sb = *d.d_sb;
  const super_operations& op = ops(sb);
  if (op.statfs == nullptr) return Error(ENOSYS);
  // Nothing here is called for ustat(2), so the other sentence holds: s_umount is not held at all.
  return door::through(
      method_id::super_statfs,
      [&](gate& g) {
        g.lock(column::s_umount, sb.s_umount, "superblock");
        g.require(held_mode(&sb.s_umount) == held::none, prose::super(3), "s_umount is held");
      },
      [&] { return op.statfs(d, st); });
}

Status remount_fs(super_block& sb, unsigned& flags, std::string_view data) {
  const super_operations& op = ops(sb);
  if (op.remount_fs == nullptr) return {};
  return door::through(method_id::super_remount_fs, on_umount(sb),
                       [&] { return op.remount_fs(sb, flags, data); });
}

void umount_begin(super_block& sb) {
  const super_operations& op = ops(sb);
  if (op.umount_begin == nullptr) return;
  door::through(method_id::super_umount_begin, on_umount(sb), [&] { op.umount_begin(sb); });
}

Status show_options(seq_file& m, dentry& root) {
  const super_block& sb = *root.d_sb;
  const super_operations& op = ops(sb);
  if (op.show_options == nullptr) return {};
  return door::through(
      method_id::super_show_options,
      [&](gate& g) {
        g.lock(column::s_umount, sb.s_umount, "superblock");
        g.lock(column::note, namespace_sem, "mount tree");
      },
      [&] { return op.show_options(m, root); });
}

Result<size_t> quota_read(super_block& sb, int type, char* data, size_t len, loff_t off) {
  const super_operations& op = ops(sb);
  if (op.quota_read == nullptr) return Error(EINVAL);
  return door::through(method_id::super_quota_read, on_umount(sb),
                       [&] { return op.quota_read(sb, type, data, len, off); });
}

Result<size_t> quota_write(super_block& sb, int type, const char* data, size_t len, loff_t off) {
  const super_operations& op = ops(sb);
  if (op.quota_write == nullptr) return Error(EINVAL);
  return door::through(method_id::super_quota_write, on_umount(sb),
                       [&] { return op.quota_write(sb, type, data, len, off); });
}

}  // namespace super_ops

HF_NAMESPACE_END
