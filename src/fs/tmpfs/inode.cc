// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <new>

#include "fs/tmpfs/tmpfs.h"

HF_NAMESPACE_BEGIN
namespace tmpfs {
namespace {

constinit slab_cache<tmpfs_inode> inodes("tmpfs_inode");

// Numbers are reused never, so generations only have to differ between lives of a superblock.
uint32_t generation_for(uint64_t ino, const timespec64& now) {
  uint64_t x = ino * 0x9e3779b97f4a7c15u ^ static_cast<uint64_t>(now.tv_sec) << 20 ^
               static_cast<uint64_t>(now.tv_nsec);
  x ^= x >> 31;
  return static_cast<uint32_t>(x * 0xbf58476d1ce4e5b9u >> 32);
}

}  // namespace

slab_stats inode_cache_stats() {
  return inodes.stats();
}

inode* alloc_inode(super_block& sb) {
  tmpfs_inode* ti = inodes.allocate();
  if (!ti) return nullptr;
  new (ti) tmpfs_inode;
  inode_init_once(sb, ti->vfs);
  return &ti->vfs;
}

void free_inode(inode& i) {
  tmpfs_inode& ti = info_of(i);
  inode_destroy(i);
  ti.~tmpfs_inode();
  inodes.free(&ti);
}

Result<inode*> new_tmpfs_inode(const mnt_idmap& idmap, super_block& sb, const inode* dir,
                               umode_t mode, dev_t dev) {
  sb_info& sbi = info_of(sb);
  if (!take_ispace(sbi, bogo_inode_size)) return Error(ENOSPC);
  inode* i = new_inode(sb);
  if (!i) {
    give_ispace(sbi, bogo_inode_size);
    return Error(ENOMEM);
  }
  i->i_ino = sbi.last_ino.fetch_add(1, std::memory_order_relaxed) + root_ino;
  if (dir)
    inode_init_owner(idmap, *i, dir, mode);
  else
    i->i_mode = mode;  // the root: a mount may have no task, and names the owner itself
  const timespec64 now = current_time(*i);
  i->i_generation = generation_for(i->i_ino, now);
  inode_set_times(*i, &now, &now, &now);
  inode_set_btime(*i, now);
  switch (mode & S_IFMT) {
    case S_IFREG:
      i->i_op = &file_inode_table;
      i->i_fop = &file_table;
      i->i_data.a_ops = &aops_table;
      i->i_data.flags |= as_absent_is_hole | as_unevictable;
      if (sbi.huge != huge_policy::never) i->i_data.flags |= as_large_folio;
      break;
    case S_IFDIR:
      i->i_op = &dir_inode_table;
      i->i_fop = &dir_table;
      set_nlink(*i, 2);
      i->i_size.store(2 * bogo_dirent_size, std::memory_order_relaxed);
      break;
    case S_IFLNK:
      i->i_op = &symlink_inode_table;
      break;
    default:
      i->i_op = &special_inode_table;
      init_special_inode(*i, mode, dev);
  }
  return i;
}

void evict_inode(inode& i) {
  tmpfs_inode& ti = info_of(i);
  truncate_inode_pages_final(i.i_data);
  if (i.is_reg()) settle_blocks(i);
  clear_inode(i);
  drop_xattrs(ti);
  simple_offset_destroy(ti.entries);
  if (i.is_lnk()) free_link_body(i.i_link);
  give_ispace(info_of(*i.i_sb), bogo_inode_size);
}

Status setattr(const mnt_idmap& idmap, dentry& d, iattr& attr) {
  inode& i = *d.inode_ptr();
  HF_TRY(setattr_prepare(idmap, d, attr));
  if (attr.ia_valid & attr_size && i.is_reg()) {
    const bool changes = attr.ia_size != i.size();
    truncate_setsize(i, attr.ia_size);
    settle_blocks(i);
    if (changes && !(attr.ia_valid & (attr_mtime | attr_ctime))) touch_mc(i);
  }
  setattr_copy(idmap, i, attr);
  return {};
}

}  // namespace tmpfs
HF_NAMESPACE_END
