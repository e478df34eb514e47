// SPDX-License-Identifier: Apache-2.0
//
// Quotas: what an owner uses and may use on one superblock. The layouts; limits, formats and
// charging come with the quota code.
//
// 1. The contract names locks of a quota code that is long gone. They are read so:
//      dqonoff_sem   s_umount of the superblock: quotas are turned on and off under it
//      dqptr_sem     a read section of dq_srcu: an inode's pointers to its dquots stay valid in it
//      dqio_sem      dqio_sem: who holds it has the quota files to itself
// 2. A quota file is worked on by one call of ->quota_read or ->quota_write at a time.
// 3. ->quota_read and ->quota_write are entered from the dquot_operations marked "FS recursion",
// never
//    from ->mark_dirty, which is called by whoever charges.
#pragma once

#include <atomic>

#include "holdfast/list.h"
#include "holdfast/super_block.h"
#include "holdfast/sync/srcu.h"

HF_NAMESPACE_BEGIN

// Kinds of quota, as quotactl(2) numbers them.
inline constexpr int usr_quota = 0;
inline constexpr int grp_quota = 1;
inline constexpr int prj_quota = 2;
inline constexpr int max_quotas = 3;

// dquot::dq_flags
inline constexpr uint32_t dq_mod = 1u << 0;     // differs from what is in the file
inline constexpr uint32_t dq_active = 1u << 3;  // was read from the file
inline constexpr uint32_t dq_fake = 1u << 4;    // counts, but limits nothing

struct dquot_limits {
  int64_t bhardlimit = 0, bsoftlimit = 0, curspace = 0, rsvspace = 0;  // bytes
  int64_t ihardlimit = 0, isoftlimit = 0, curinodes = 0;
  int64_t btime = 0, itime = 0;  // when a soft limit becomes hard
};

struct dquot {
  list_node dq_dirty;
  list_node dq_free;
  super_block* dq_sb = nullptr;
  uint32_t dq_id = 0;
  int dq_type = usr_quota;
  std::atomic<int> dq_count{0};
  std::atomic<uint32_t> dq_flags{0};
  loff_t dq_off = 0;  // of its record in the quota file; 0: has none
  dquot_limits dq_dqb;
};

// super_block::s_dquot
struct quota_info {
  rwsem<dqio_sem_class> dqio_sem;
  srcu_domain<dquot_srcu_class> dq_srcu;
  inode* files[max_quotas] = {};  // null: that kind is off
  const dquot_operations* dq_op = nullptr;
  // Calls that are under way in each file; kept while checking is on.
  std::atomic<int> io_calls[max_quotas]{};

  Status init() { return dq_srcu.init(); }  // before anything else; ENOMEM
};

HF_NAMESPACE_END
