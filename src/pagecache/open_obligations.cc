// SPDX-License-Identifier: Apache-2.0
//
// Missing unlocks and ends of writeback, at eviction and unmount: one walk of what a mapping has.
#include "contract/obligations.h"
#include "holdfast/inode.h"
#include "holdfast/super_block.h"
#include "pagecache/pagecache.h"

HF_NAMESPACE_BEGIN

void report_open_obligations(address_space& mapping, bool drained) {
  if (!checking_on() || mapping.nrpages == 0) return;
  folio* found[32];
  for (pgoff_t index = 0;;) {
    const unsigned n = filemap_get_marked(mapping, index, UINT64_MAX - 1, 0, found, 32);
    if (n == 0) return;
    for (unsigned i = 0; i < n; ++i) {
      obligations::report_open(*found[i], drained);
      folio_put(found[i]);
    }
  }
}

void report_open_obligations(super_block& sb) {
  if (!checking_on()) return;
  // Nobody adds or removes inodes any more; those that are left are in use and stay.
  exclusive_guard g(sb.s_inode_list_lock);
  for (inode& i : entries<&inode::i_sb_list>(sb.s_inodes)) report_open_obligations(i.i_data, true);
}

HF_NAMESPACE_END
