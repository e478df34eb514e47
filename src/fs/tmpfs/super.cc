// SPDX-License-Identifier: Apache-2.0
#include "fs/tmpfs/tmpfs.h"

#include <cerrno>
#include <new>

HF_NAMESPACE_BEGIN
namespace tmpfs {
namespace {

// Adds n to `used` unless that would pass `max` (0: none).
bool take(std::atomic<uint64_t>& used, uint64_t n, uint64_t max) {
  uint64_t now = used.load(std::memory_order_relaxed);
  do {
    if (max && (now > max || n > max - now)) return false;
  } while (!used.compare_exchange_weak(now, now + n, std::memory_order_relaxed));
  return true;
}

void put_super(super_block& sb) {
  delete static_cast<sb_info*>(sb.s_fs_info);
  sb.s_fs_info = nullptr;
}

Status statfs(dentry& d, kstatfs& st) {
  const super_block& sb = *d.d_sb;
  const sb_info& sbi = info_of(sb);
  st.f_type = static_cast<long>(magic);
  st.f_bsize = page_size;
  st.f_frsize = page_size;
  st.f_namelen = name_max;
  st.f_fsid = sb.s_fsid;
  if (const uint64_t max = sbi.max_blocks.load(std::memory_order_relaxed)) {
    const uint64_t used = sbi.used_blocks.load(std::memory_order_relaxed);
    st.f_blocks = max;
    st.f_bfree = st.f_bavail = max > used ? max - used : 0;
  }
  if (const uint64_t max = sbi.max_inodes.load(std::memory_order_relaxed)) {
    const uint64_t used = sbi.used_ispace.load(std::memory_order_relaxed);
    st.f_files = max;
    st.f_ffree =
        max * bogo_inode_size > used ? (max * bogo_inode_size - used) / bogo_inode_size : 0;
  }
  return {};
}

Status remount_fs(super_block& sb, unsigned&, std::string_view data) {
  HF_TRY_ASSIGN(const options o, read_options(data));
  return apply_remount(info_of(sb), o);
}

Status show_options(seq_file& m, dentry& root) {
  write_options(info_of(*root.d_sb), m);
  return {};
}

constinit const super_operations super_table = {
    .alloc_inode = alloc_inode,
    .free_inode = free_inode,
    .drop_inode = generic_delete_inode,
    .evict_inode = evict_inode,
    .put_super = put_super,
    .statfs = statfs,
    .remount_fs = remount_fs,
    .show_options = show_options,
};

Status fill(super_block& sb, const options& o) {
  auto* sbi = new (std::nothrow) sb_info;
  if (!sbi) return Error(ENOMEM);
  sbi->max_blocks.store(o.max_blocks, std::memory_order_relaxed);
  sbi->max_inodes.store(o.max_inodes, std::memory_order_relaxed);
  sbi->mode = o.mode;
  sbi->uid = o.uid;
  sbi->gid = o.gid;
  sbi->huge = o.huge;
  sbi->noswap = o.noswap;
  sb.s_fs_info = sbi;
  sb.s_blocksize = page_size;
  sb.s_blocksize_bits = page_shift;
  sb.s_magic = magic;
  sb.s_op = &super_table;
  sb.s_xattr = xattr_table;
  sb.s_time_gran = 1;
  HF_TRY_ASSIGN(inode* const root,
                new_tmpfs_inode(nop_mnt_idmap, sb, nullptr, S_IFDIR | o.mode, 0));
  root->i_uid = o.uid;
  root->i_gid = o.gid;
  sb.s_root = d_make_root(root);
  return sb.s_root ? Status{} : Status(Error(ENOMEM));
}

Status fill_super(super_block& sb, std::string_view, std::string_view data) {
  HF_TRY_ASSIGN(const options o, read_options(data));
  Status st = fill(sb, o);
  if (!st) put_super(sb);  // without a root nobody else will
  return st;
}

Result<dentry*> mount(file_system_type& type, unsigned flags, std::string_view source,
                      std::string_view data) {
  return mount_nodev(type, flags, source, data, fill_super);
}

constinit file_system_type type = {
    .name = "tmpfs",
    .mount = mount,
    .kill_sb = kill_litter_super,
    .help =
        "files in memory; size=BYTES[kmgt%], nr_inodes=N, nr_blocks=N, mode=OCTAL, uid=N, gid=N, "
        "huge=never|always|within_size|advise, noswap",
};

}  // namespace

bool take_blocks(sb_info& sbi, uint64_t pages) {
  return take(sbi.used_blocks, pages, sbi.max_blocks.load(std::memory_order_relaxed));
}
void give_blocks(sb_info& sbi, uint64_t pages) {
  sbi.used_blocks.fetch_sub(pages, std::memory_order_relaxed);
}
bool take_ispace(sb_info& sbi, uint64_t bytes) {
  return take(sbi.used_ispace, bytes,
              sbi.max_inodes.load(std::memory_order_relaxed) * bogo_inode_size);
}
void give_ispace(sb_info& sbi, uint64_t bytes) {
  sbi.used_ispace.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace tmpfs

Status register_tmpfs() {
  return register_filesystem(tmpfs::type);
}

HF_NAMESPACE_END
