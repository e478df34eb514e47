// SPDX-License-Identifier: Apache-2.0
#include "contract/lock_order.h"

#include "holdfast/lock_classes.h"
#include "holdfast/sync/hooks.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr nest normal = nest::normal;

// Levels of i_rwsem: a directory is taken as parent, second parent, child or (alone) normal; the
// rest are what a directory operation takes after its directories.
#define HF_DIRECTORY_LEVELS(outer, source)                          \
  {outer, normal, i_rwsem_class, normal, source},                   \
      {outer, normal, i_rwsem_class, nest::parent, source},         \
      {outer, normal, i_rwsem_class, nest::parent2, source},        \
      {outer, normal, i_rwsem_class, nest::child, source},          \
      {outer, normal, i_rwsem_class, nest::nondirectory, source}, { \
    outer, normal, i_rwsem_class, nest::nondirectory2, source       \
  }

constexpr const char* locking = "locking.rst";
constexpr const char* directories = "directory-locking.rst, which 6.6-inode-9 refers to";
constexpr const char* rmap = "process_addrs.rst, after rmap.c and filemap.c";
constexpr const char* inode_c = "inode.c, head";
constexpr const char* dcache_c = "dcache.c, head";
constexpr const char* locks_c = "locks.c, head";
constexpr const char* dquot_c = "dquot.c, head";
constexpr const char* sb_start = "sb_start_write, sb_start_pagefault, sb_start_intwrite";

const published_order orders[] = {
    // superblocks
    {sb_write_class, normal, s_umount_class, normal, sb_start},
    {s_umount_class, normal, open_mutex_class, normal, "block/bdev.c, porting.rst"},
    HF_DIRECTORY_LEVELS(s_umount_class, "super.c, porting.rst"),
    {sb_write_class, normal, sb_pagefault_class, normal, sb_start},
    {sb_pagefault_class, normal, sb_intwrite_class, normal, sb_start},
    // directories, then what lies in them
    HF_DIRECTORY_LEVELS(s_vfs_rename_mutex_class, directories),
    {i_rwsem_class, nest::parent, i_rwsem_class, nest::parent2, directories},
    {i_rwsem_class, nest::parent, i_rwsem_class, nest::child, directories},
    {i_rwsem_class, nest::parent2, i_rwsem_class, nest::child, directories},
    {i_rwsem_class, nest::parent, i_rwsem_class, normal, directories},
    {i_rwsem_class, nest::parent, i_rwsem_class, nest::nondirectory, directories},
    {i_rwsem_class, nest::parent2, i_rwsem_class, nest::nondirectory, directories},
    {i_rwsem_class, nest::child, i_rwsem_class, normal, directories},
    {i_rwsem_class, nest::child, i_rwsem_class, nest::nondirectory, directories},
    {i_rwsem_class, nest::nondirectory, i_rwsem_class, nest::nondirectory2, directories},
    {i_rwsem_class, normal, i_rwsem_class, nest::xattr, directories},
    HF_DIRECTORY_LEVELS(f_pos_lock_class, locking),
    {i_rwsem_class, normal, namespace_sem_class, normal, "namespace.c"},
    {namespace_sem_class, normal, mount_lock_class, normal, "namespace.c"},
    // file data
    {i_rwsem_class, normal, mmap_lock_class, normal, rmap},
    {i_rwsem_class, normal, invalidate_lock_class, normal, rmap},
    {mmap_lock_class, normal, sb_pagefault_class, normal, sb_start},
    {mmap_lock_class, normal, invalidate_lock_class, normal, rmap},
    {sb_pagefault_class, normal, invalidate_lock_class, normal, rmap},
    {invalidate_lock_class, normal, folio_lock_class, normal, rmap},
    {folio_lock_class, normal, i_mmap_rwsem_class, normal, rmap},
    {i_mmap_rwsem_class, normal, anon_vma_class, normal, rmap},
    {anon_vma_class, normal, page_table_class, normal, rmap},
    {i_mmap_rwsem_class, normal, page_table_class, normal, rmap},
    {page_table_class, normal, swap_lock_class, normal, rmap},
    {page_table_class, normal, private_lock_class, normal, rmap},
    {page_table_class, normal, i_lock_class, normal, rmap},
    {page_table_class, normal, wb_list_class, normal, rmap},
    {private_lock_class, normal, i_pages_class, normal, rmap},
    {i_pages_class, normal, lru_lock_class, normal, rmap},
    {wb_list_class, normal, sb_lock_class, normal, rmap},
    {wb_list_class, normal, i_pages_class, normal, rmap},
    // inodes
    {s_inode_list_class, normal, i_lock_class, normal, inode_c},
    {i_lock_class, normal, i_lru_class, normal, inode_c},
    {wb_list_class, normal, i_lock_class, normal, inode_c},
    {inode_hash_class, normal, i_lock_class, normal, inode_c},
    // dentries
    {i_lock_class, normal, d_lock_class, normal, dcache_c},
    {rename_lock_class, normal, d_lock_class, normal, dcache_c},
    {d_lock_class, normal, d_lru_class, normal, dcache_c},
    {d_lock_class, normal, d_hash_class, normal, dcache_c},
    {d_lock_class, normal, d_lock_class, nest::child, dcache_c},
    // file locks
    {file_rwsem_class, normal, flc_lock_class, normal, locks_c},
    {flc_lock_class, normal, blocked_lock_class, normal, locks_c},
    // quota
    {i_rwsem_class, normal, journal_handle_class, normal, "quota.rst, ext4"},
    {journal_handle_class, normal, dq_lock_class, normal, dquot_c},
    {dq_lock_class, normal, dqio_sem_class, normal, dquot_c},
    {dq_data_lock_class, normal, dq_list_lock_class, normal, dquot_c},
    {dq_list_lock_class, normal, i_lock_class, normal, dquot_c},
    {dq_list_lock_class, normal, dq_state_lock_class, normal, dquot_c},
};
#undef HF_DIRECTORY_LEVELS

}  // namespace

void declare_published_orders() {
  for (const published_order& o : orders)
    declare_order(o.outer, o.outer_level, o.inner, o.inner_level);
}

std::span<const published_order> published_orders() {
  return orders;
}

HF_NAMESPACE_END
