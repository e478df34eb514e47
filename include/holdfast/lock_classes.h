// SPDX-License-Identifier: Apache-2.0
//
// Every lock class of the VFS objects, in one place, with the published order (outer first):
//
//   sb_writers -> s_umount -> s_vfs_rename_mutex -> i_rwsem -> invalidate_lock -> folio lock
//   f_pos_lock -> i_rwsem;  i_rwsem(mountpoint) -> namespace_sem -> mount_lock
//   rename_lock -> d_lock(ancestor) -> d_lock(child) -> {d_hash, d_lru}
//   i_lock -> d_lock;  s_inode_list_lock -> i_lock -> i_lru;  inode_hash_lock -> i_lock
//   i_pages and everything under "spinlock" is a leaf unless named above.
//
// Classes named as in the kernel's documents; a spinlock here may sleep on a futex when its holder
// was preempted, but nothing under it may block.
#pragma once

#include "holdfast/sync/lock_class.h"

HF_NAMESPACE_BEGIN

// dentries
inline constinit lock_class rename_lock_class{"rename_lock", lock_kind::seqlock};
inline constinit lock_class d_lock_class{"d_lock", lock_kind::spinlock};
inline constinit lock_class d_hash_class{"d_hash", lock_kind::spinlock};
inline constinit lock_class d_lru_class{"d_lru", lock_kind::spinlock};
inline constinit lock_class d_lookup_class{"d_in_lookup", lock_kind::spinlock};
inline constinit lock_class d_lookup_wait_class{"d_lookup_wait", lock_kind::spinlock};
// inodes
inline constinit lock_class i_lock_class{"i_lock", lock_kind::spinlock};
inline constinit lock_class i_rwsem_class{"i_rwsem", lock_kind::rwsem};
inline constinit lock_class inode_hash_class{"inode_hash_lock", lock_kind::spinlock};
inline constinit lock_class s_inode_list_class{"s_inode_list_lock", lock_kind::spinlock};
inline constinit lock_class i_lru_class{"i_lru", lock_kind::spinlock};
inline constinit lock_class inode_wait_class{"inode_wait", lock_kind::spinlock};
// superblocks
inline constinit lock_class sb_lock_class{"sb_lock", lock_kind::spinlock};
inline constinit lock_class s_umount_class{"s_umount", lock_kind::rwsem};
inline constinit lock_class s_vfs_rename_mutex_class{"s_vfs_rename_mutex", lock_kind::mutex};
inline constinit lock_class sb_write_class{"sb_writers.write", lock_kind::percpu_rwsem};
inline constinit lock_class sb_pagefault_class{"sb_writers.pagefault", lock_kind::percpu_rwsem};
inline constinit lock_class sb_intwrite_class{"sb_writers.fs", lock_kind::percpu_rwsem};
inline constinit lock_class file_systems_class{"file_systems_lock", lock_kind::rwsem};
inline constinit lock_class sb_wait_class{"sb_wait", lock_kind::spinlock};
// mounts
inline constinit lock_class namespace_sem_class{"namespace_sem", lock_kind::rwsem};
inline constinit lock_class mount_lock_class{"mount_lock", lock_kind::seqlock};
// files and tasks
inline constinit lock_class f_lock_class{"f_lock", lock_kind::spinlock};
inline constinit lock_class f_pos_lock_class{"f_pos_lock", lock_kind::mutex};
inline constinit lock_class file_table_class{"files_struct.file_lock", lock_kind::spinlock};
inline constinit lock_class fs_struct_class{"fs_struct.lock", lock_kind::spinlock};
// mappings
inline constinit lock_class invalidate_lock_class{"invalidate_lock", lock_kind::rwsem};
inline constinit lock_class i_mmap_rwsem_class{"i_mmap_rwsem", lock_kind::rwsem};
inline constinit lock_class i_pages_class{"i_pages", lock_kind::spinlock};
inline constinit lock_class private_lock_class{"i_private_lock", lock_kind::spinlock};
inline constinit lock_class folio_lock_class{"folio_lock", lock_kind::folio};
// ordered by the documents, used by the parts that bring them
inline constinit lock_class anon_vma_class{"anon_vma", lock_kind::rwsem};
inline constinit lock_class lru_lock_class{"lru_lock", lock_kind::spinlock};
inline constinit lock_class wb_list_class{"wb.list_lock", lock_kind::spinlock};
inline constinit lock_class file_rwsem_class{"file_rwsem", lock_kind::percpu_rwsem};
inline constinit lock_class journal_handle_class{"journal_handle", lock_kind::rwsem};
inline constinit lock_class dq_lock_class{"dq_lock", lock_kind::mutex};
inline constinit lock_class dq_data_lock_class{"dq_data_lock", lock_kind::spinlock};
inline constinit lock_class dq_list_lock_class{"dq_list_lock", lock_kind::spinlock};
inline constinit lock_class dq_state_lock_class{"dq_state_lock", lock_kind::spinlock};
// named by the documents' tables, used by the parts that bring them
inline constinit lock_class mmap_lock_class{"mmap_lock", lock_kind::rwsem};
inline constinit lock_class page_table_lock_class{"page_table_lock", lock_kind::spinlock};
inline constinit lock_class open_mutex_class{"open_mutex", lock_kind::mutex};
inline constinit lock_class flc_lock_class{"flc_lock", lock_kind::spinlock};
inline constinit lock_class blocked_lock_class{"blocked_lock_lock", lock_kind::spinlock};
inline constinit lock_class dqio_sem_class{"dqio_sem", lock_kind::rwsem};
inline constinit lock_class dquot_srcu_class{"dquot_srcu", lock_kind::srcu};
inline constinit lock_class swap_lock_class{"swap_lock", lock_kind::spinlock};
inline constinit lock_class page_table_class{"page_table_lock", lock_kind::spinlock};
inline constinit lock_class buffer_lock_class{"buffer_lock", lock_kind::folio};

HF_NAMESPACE_END
