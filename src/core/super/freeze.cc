// SPDX-License-Identifier: Apache-2.0
//
// Freezing: bringing a file system to a state that a copy of its storage may be taken of.
//
//   unfrozen -> write -> pagefault -> (sync) -> fs -> ->freeze_fs -> complete -> ->unfreeze_fs ->
//   unfrozen
//
// 1. At each level the percpu rwsem of the level is taken exclusively: new holders wait, present
//    ones drain.
// 2. `frozen` changes under s_umount. s_umount is let go while writers drain: a writer inside
//    sb_start_write may be waiting for it.
// 3. A frozen superblock has an active reference of its own: unmounting it leaves it until it is
//    thawed.
// 4. The three locks outlive the call and are released by whoever thaws. That is why the analysis
//    is off here, and why they are passed on and taken over.
#include <cerrno>

#include "core/dispatch/super_ops.h"
#include "core/super/super_internal.h"

HF_NAMESPACE_BEGIN

namespace {

// How far freezing came; the caller releases in reverse.
void unlock_levels(super_block& sb, freeze_level reached) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (reached >= freeze_level::fs) sb.s_writers.fs.unlock();
  if (reached >= freeze_level::pagefault) sb.s_writers.pagefault.unlock();
  if (reached >= freeze_level::write) sb.s_writers.write.unlock();
}

// Gives back what freezing held, s_umount too, and then wakes: who is called holds nothing of ours.
void release_frozen(super_block& sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  sb.s_umount.unlock();
  sb.s_writers.thawed.wake_all();
  deactivate_super(sb);
}

Status give_up(super_block& sb, freeze_level reached, Error why) HF_NO_THREAD_SAFETY_ANALYSIS {
  sb.s_writers.frozen = freeze_level::unfrozen;
  unlock_levels(sb, reached);
  release_frozen(sb);
  return why;
}

}  // namespace

Status freeze_super(super_block& sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (!atomic_inc_not_zero_active(sb)) return Error(EINVAL);
  sb.s_umount.lock();
  if (sb.s_writers.frozen != freeze_level::unfrozen) {
    deactivate_locked_super(sb);
    return Error(EBUSY);
  }
  if (sb.rdonly()) {  // nobody to stop
    sb.s_writers.frozen = freeze_level::complete;
    sb.s_umount.unlock();
    return {};
  }
  sb.s_writers.frozen = freeze_level::write;
  sb.s_umount.unlock();
  sb.s_writers.write.lock();
  sb.s_umount.lock();
  sb.s_writers.frozen = freeze_level::pagefault;
  sb.s_writers.pagefault.lock();
  if (Status s = sync_filesystem(sb); !s.ok())
    return give_up(sb, freeze_level::pagefault, s.error());
  sb.s_writers.frozen = freeze_level::fs;
  sb.s_writers.fs.lock();
  if (Status s = super_ops::freeze_fs(sb); !s.ok()) return give_up(sb, freeze_level::fs, s.error());
  sb.s_writers.frozen = freeze_level::complete;
  sb.s_writers.fs.pass_on(held::exclusive);
  sb.s_writers.pagefault.pass_on(held::exclusive);
  sb.s_writers.write.pass_on(held::exclusive);
  sb.s_umount.unlock();
  return {};
}

Status thaw_super(super_block& sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  sb.s_umount.lock();
  if (sb.s_writers.frozen != freeze_level::complete) {
    sb.s_umount.unlock();
    return Error(EINVAL);
  }
  if (!sb.rdonly()) {
    if (Status s = super_ops::unfreeze_fs(sb); !s.ok()) {
      sb.s_umount.unlock();
      return s;
    }
    sb.s_writers.write.take_over(held::exclusive);
    sb.s_writers.pagefault.take_over(held::exclusive);
    sb.s_writers.fs.take_over(held::exclusive);
    sb.s_writers.frozen = freeze_level::unfrozen;  // before the first writer gets in
    unlock_levels(sb, freeze_level::fs);
  }
  sb.s_writers.frozen = freeze_level::unfrozen;
  release_frozen(sb);
  return {};
}

bool sb_start_write_or_wait(super_block& sb, wait_entry& e) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (sb_start_write_trylock(sb)) return true;
  sb.s_writers.thawed.add(e);
  // A thaw between the two would otherwise have woken nobody.
  if (!sb_start_write_trylock(sb)) return false;
  if (sb.s_writers.thawed.remove(e)) return true;
  sb_end_write(sb);  // it is being called: the caller tries again from there
  return false;
}

bool sb_cancel_wait(super_block& sb, wait_entry& e) {
  return sb.s_writers.thawed.remove(e);
}

HF_NAMESPACE_END
