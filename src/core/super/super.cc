// SPDX-License-Identifier: Apache-2.0
//
// Superblocks: finding or making one, references, and the list of all.
//
//   sget(): on the list, s_umount held -> ->mount fills it: active -> born (vfs_get_tree)
//   last active reference: s_umount held -> ->kill_sb: dying -> off the list: dead -> last passive:
//   freed
//
// 1. The list and s_count are guarded by sb_lock. A superblock is on the list from sget() to its
//    death.
// 2. A mounter that finds a superblock which isn't born waits; one that finds it dying waits until
//    it is dead and then makes its own. So there are never two live superblocks for what one ->test
//    accepts.
// 3. Whoever waited for s_umount looks again whether the superblock still lives.
#include <cerrno>
#include <cstring>
#include <new>

#include "core/dispatch/fs_type_ops.h"
#include "core/dispatch/super_ops.h"
#include "core/super/super_internal.h"

HF_NAMESPACE_BEGIN

constinit spinlock<sb_lock_class> sb_lock;

namespace {

constinit list_head super_blocks HF_GUARDED_BY(sb_lock);
constinit wait_queue<sb_wait_class> super_wait;

void free_super_rcu(rcu_head& head) {
  delete &container_of<&super_block::s_rcu>(head);
}

// With s_umount held exclusively, or null.
super_block* alloc_super(file_system_type& type, unsigned flags) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (!start_deferred_worker()) return nullptr;
  super_block* sb = new (std::nothrow) super_block;
  if (sb == nullptr) return nullptr;
  if (!sb->s_writers.write.init().ok() || !sb->s_writers.pagefault.init().ok() ||
      !sb->s_writers.fs.init().ok()) {
    delete sb;
    return nullptr;
  }
  sb->s_type = &type;
  sb->s_flags = flags;
  std::strncpy(sb->s_id, type.name, sizeof sb->s_id - 1);
  // A level of its own: its creator may hold the s_umount of a superblock it stands on.
  sb->s_umount.lock(nest::child);
  return sb;
}

void destroy_unused_super(super_block* sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  if (sb == nullptr) return;
  sb->s_umount.unlock();
  delete sb;  // nobody has seen it
}

bool has_state(const super_block& sb, unsigned flags) {
  return (sb.s_flags.atomic().load(std::memory_order_acquire) & flags) != 0;
}

// Takes over a passive reference. True: an active one instead, s_umount held exclusively.
bool grab_super(super_block& sb) HF_NO_THREAD_SAFETY_ANALYSIS {
  sb.s_umount.lock();
  while (!has_state(sb, sb_born | sb_dying | sb_dead)) {
    sb.s_umount.unlock();
    super_wait.wait([&] { return has_state(sb, sb_born | sb_dying | sb_dead); });
    sb.s_umount.lock();
  }
  if (!has_state(sb, sb_dying | sb_dead) && atomic_inc_not_zero_active(sb)) {
    put_super_ref(sb);  // never the last: the active ones stand for one
    return true;
  }
  sb.s_umount.unlock();
  super_wait.wait([&] { return has_state(sb, sb_dead); });
  put_super_ref(sb);
  return false;
}

bool test_any(super_block&, void*) {
  return true;
}

}  // namespace

void super_wake() {
  super_wait.wake_all();
}

bool atomic_inc_not_zero_active(super_block& sb) {
  int n = sb.s_active.load(std::memory_order_relaxed);
  while (n > 0)
    if (sb.s_active.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel,
                                          std::memory_order_relaxed))
      return true;
  return false;
}

void put_super_ref(super_block& sb) {
  {
    exclusive_guard g(sb_lock);
    if (--sb.s_count > 0) return;
    sb.s_list.del();
  }
  call_rcu(sb.s_rcu, free_super_rcu);
}

void super_retire(super_block& sb) {
  {
    exclusive_guard g(sb_lock);
    sb.s_list.del();
  }
  sb.s_flags.atomic().fetch_or(sb_dead, std::memory_order_release);
  super_wake();
}

void for_each_super(void (*fn)(super_block&, void*), void* arg) {
  exclusive_guard g(sb_lock);
  for (super_block& sb : entries<&super_block::s_list>(super_blocks)) fn(sb, arg);
}

Result<super_block*> sget(file_system_type& type, sb_test_fn test, sb_set_fn set, unsigned flags,
                          void* data) HF_NO_THREAD_SAFETY_ANALYSIS {
  super_block* fresh = nullptr;
  for (;;) {
    sb_lock.lock();
    super_block* old = nullptr;
    if (test != nullptr) {
      for (super_block& sb : entries<&super_block::s_list>(super_blocks)) {
        if (sb.s_type == &type && test(sb, data)) {
          old = &sb;
          break;
        }
      }
    }
    if (old != nullptr) {
      ++old->s_count;
      sb_lock.unlock();
      destroy_unused_super(fresh);
      fresh = nullptr;
      if (grab_super(*old)) return old;
      continue;
    }
    if (fresh != nullptr) {
      Status accepted = set(*fresh, data);
      if (accepted.ok()) super_blocks.add_tail(fresh->s_list);
      sb_lock.unlock();
      if (accepted.ok()) return fresh;
      destroy_unused_super(fresh);
      return accepted.error();
    }
    sb_lock.unlock();
    fresh = alloc_super(type, flags);
    if (fresh == nullptr) return Error(ENOMEM);
  }
}

Result<dentry*> mount_nodev(file_system_type& type, unsigned flags, std::string_view source,
                            std::string_view data, fill_super_fn fill) {
  HF_TRY_ASSIGN(super_block * sb, sget(type, nullptr, set_anon_super, flags, nullptr));
  umount_is_held(*sb);
  if (Status s = fill(*sb, source, data); !s.ok()) {
    deactivate_locked_super(*sb);
    return s.error();
  }
  sb->s_flags |= sb_active;
  return dget(sb->s_root);
}

Result<dentry*> mount_single(file_system_type& type, unsigned flags, std::string_view source,
                             std::string_view data, fill_super_fn fill) {
  HF_TRY_ASSIGN(super_block * sb, sget(type, test_any, set_anon_super, flags, nullptr));
  umount_is_held(*sb);
  Status s = sb->s_root == nullptr ? fill(*sb, source, data) : reconfigure_super(*sb, flags, data);
  if (!s.ok()) {
    deactivate_locked_super(*sb);
    return s.error();
  }
  sb->s_flags |= sb_active;
  return dget(sb->s_root);
}

Result<dentry*> vfs_get_tree(file_system_type& type, unsigned flags, std::string_view source,
                             std::string_view data) {
  HF_TRY_ASSIGN(dentry * root, fs_type_ops::mount(type, flags, source, data));
  super_block& sb = *root->d_sb;
  umount_is_held(sb);
  // From here on others may find it; whoever waits for its birth then finds s_umount free.
  sb.s_flags.atomic().fetch_or(sb_born, std::memory_order_release);
  super_wake();
  sb.s_umount.unlock();
  return root;
}

HF_NAMESPACE_END
