// SPDX-License-Identifier: Apache-2.0
//
// The gated side of super_ops.h. drop_inode's i_lock and show_options' namespace_sem are named in
// the document's note column, and bound to it.
#include "core/dispatch/super_ops.h"

#include <cerrno>
#include <new>

#include "core/mount/mount.h"
#include "holdfast/events.h"
#include "holdfast/libfs.h"
#include "holdfast/quota.h"

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

// One call on a quota file, counted while it is under way.
class quota_io {
 public:
  quota_io(const super_block& sb, int type) {
    if (!checking_on() || sb.s_dquot == nullptr || type < 0 || type >= max_quotas) return;
    calls_ = &sb.s_dquot->io_calls[type];
    alone_ = calls_->fetch_add(1) == 0;
  }
  ~quota_io() {
    if (calls_ != nullptr) calls_->fetch_sub(1);
  }
  quota_io(const quota_io&) = delete;
  quota_io& operator=(const quota_io&) = delete;
  bool alone() const { return alone_; }

 private:
  std::atomic<int>* calls_ = nullptr;
  bool alone_ = true;
};

auto on_quota_file(const super_block& sb, const quota_io& io, requirement_kind mode) {
  return [&sb, &io, mode](gate& g) {
    note_event(event::quota_io, &sb);
    g.lock(column::s_umount, sb.s_umount, "superblock");
    if (sb.s_dquot != nullptr)
      g.lock(prose::super(4), sb.s_dquot->dqio_sem, "quota files", mode);
    else
      g.require(false, prose::super(4), "the superblock has no quotas");
    g.require(io.alone(), prose::super(4), "another call works on the quota file");
  };
}

template <class Call>
Status statfs_by(bool ustat, dentry& d, Call&& call) {
  const super_block& sb = *d.d_sb;
  return door::through(
      method_id::super_statfs,
      [&](gate& g) {
        g.given(condition::ustat, ustat);
        g.lock(column::s_umount, sb.s_umount, "superblock");
        if (ustat)
          return g.lock(prose::super(2), sb.s_umount, "superblock", requirement_kind::shared);
        g.require(held_mode(&sb.s_umount) == held::none, prose::super(3), "s_umount is held");
        g.require(sb.s_active.load() > 0, prose::super(3), "nothing keeps the superblock active");
      },
      call);
}

}  // namespace

namespace checked {

bool drop_inode(inode& i) {
  return door::through(
      method_id::super_drop_inode,
      [&](gate& g) { g.lock(column::note, prose::super(5), i.i_lock, "inode"); },
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
  door::through(
      method_id::super_free_inode,
      [&](gate& g) {
        g.require(i.i_free_stamp == 0 || rcu_passed(i.i_free_stamp), prose::super(6),
                  "no grace period has passed since the inode was destroyed");
      },
      [&] { op.free_inode(i); });
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
  if (ops(*d.d_sb).statfs == nullptr) return Error(ENOSYS);
  return statfs_by(false, d, [&] { return direct::statfs(d, st); });
}

Status statfs_for_ustat(dentry& d, kstatfs& st) {
  if (ops(*d.d_sb).statfs == nullptr) return Error(ENOSYS);
  return statfs_by(true, d, [&] { return direct::statfs(d, st); });
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
        g.lock(column::note, prose::super(7), namespace_sem, "mount tree");
      },
      [&] { return op.show_options(m, root); });
}

Result<size_t> quota_read(super_block& sb, int type, char* data, size_t len, loff_t off) {
  const super_operations& op = ops(sb);
  if (op.quota_read == nullptr) return Error(EINVAL);
  const quota_io io(sb, type);
  return door::through(method_id::super_quota_read, on_quota_file(sb, io, requirement_kind::shared),
                       [&] { return op.quota_read(sb, type, data, len, off); });
}

Result<size_t> quota_write(super_block& sb, int type, const char* data, size_t len, loff_t off) {
  const super_operations& op = ops(sb);
  if (op.quota_write == nullptr) return Error(EINVAL);
  const quota_io io(sb, type);
  return door::through(method_id::super_quota_write,
                       on_quota_file(sb, io, requirement_kind::exclusive),
                       [&] { return op.quota_write(sb, type, data, len, off); });
}

}  // namespace super_ops

HF_NAMESPACE_END
