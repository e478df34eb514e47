// SPDX-License-Identifier: Apache-2.0
//
// The dispatchers of aops.h for swap files. That a file is active, and how its I/O goes, is kept in
// its mapping's flags, also while checking is off: the rules of a later call rest on it.
#include <cerrno>

#include "core/dispatch/aops.h"

HF_NAMESPACE_BEGIN

namespace aops {

Result<int> swap_activate(swap_info& sis, file& f, sector_t& span) {
  address_space& mapping = *f.f_mapping;
  const address_space_operations& op = *mapping.a_ops;
  if (op.swap_activate == nullptr) return Error(EOPNOTSUPP);
  const int before = sis.nr_extents;
  Result<int> r = door::through(
      method_id::aops_swap_activate,
      [&](gate& g) {
        g.require((mapping.flags & as_swap_active) == 0, prose::aops(37),
                  "the file is active already: a swapoff is missing");
      },
      [&] { return op.swap_activate(sis, f, span); },
      [&](gate& g, const Result<int>& got) {
        if (!got.ok()) return;
        g.require(*got == sis.nr_extents - before, prose::aops(35),
                  "the number returned is not that of the extents added");
        if ((sis.flags & swp_fs_ops) != 0)
          g.require(op.swap_rw != nullptr, prose::aops(36),
                    "SWP_FS_OPS is set, and there is no ->swap_rw");
        else
          g.require(sis.bdev != nullptr, prose::aops(36),
                    "SWP_FS_OPS is not set, and there is no device to do I/O on");
      });
  if (r.ok())
    mapping.flags.fetch_or(as_swap_active | ((sis.flags & swp_fs_ops) != 0 ? as_swap_rw : 0));
  return r;
}

void swap_deactivate(file& f) {
  address_space& mapping = *f.f_mapping;
  const address_space_operations& op = *mapping.a_ops;
  if (op.swap_deactivate != nullptr)
    door::through(
        method_id::aops_swap_deactivate,
        [&](gate& g) {
          g.require((mapping.flags & as_swap_active) != 0, prose::aops(37),
                    "no ->swap_activate of the file succeeded before");
        },
        [&] { op.swap_deactivate(f); });
  mapping.flags.fetch_and(~(as_swap_active | as_swap_rw));
}

Result<size_t> swap_rw(kiocb& iocb, iov_iter& iter) {
  const address_space& mapping = *iocb.ki_filp->f_mapping;
  const address_space_operations& op = *mapping.a_ops;
  if (op.swap_rw == nullptr) return Error(EOPNOTSUPP);
  return door::through(
      method_id::aops_swap_rw,
      [&](gate& g) {
        g.require((mapping.flags & as_swap_rw) != 0, prose::aops(38),
                  "->swap_activate did not ask for it with SWP_FS_OPS");
      },
      [&] { return op.swap_rw(iocb, iter); });
}

}  // namespace aops

HF_NAMESPACE_END
