// SPDX-License-Identifier: Apache-2.0
//
// Stable directory cookies.
//
// 1. A number is given once and belongs to a name until it goes. New ones are above all others.
//    When the entry with the highest number goes, its number is free again: nothing stands above
//    it, so a reader that has passed it has nothing left but what is created later, which it may or
//    may not see.
// 2. So a directory in which the last file comes and goes stays as it is, and the tree stays dense.
#include <cerrno>

#include "core/dispatch/inode_ops.h"
#include "holdfast/libfs.h"
#include "pagecache/radix.h"

HF_NAMESPACE_BEGIN
namespace {

uint64_t number(const dentry& d) {
  return reinterpret_cast<uint64_t>(d.d_fsdata);
}
void set_number(dentry& d, uint64_t n) {
  d.d_fsdata = reinterpret_cast<void*>(n);
}

constexpr unsigned dt_type(umode_t mode) {
  return (mode & S_IFMT) >> 12;
}

}  // namespace

Status simple_offset_add(offset_ctx& ctx, dentry& d) {
  HF_TRY(radix_insert(ctx.root, ctx.next, 0, &d, radix_reclaim::at_once));
  set_number(d, ctx.next++);
  return {};
}

void simple_offset_remove(offset_ctx& ctx, dentry& d) {
  const uint64_t n = number(d);
  if (!n) return;
  radix_erase(ctx.root, n, 0, radix_reclaim::at_once);
  set_number(d, 0);
  if (n + 1 == ctx.next) ctx.next = n;
}

Status simple_offset_rename(offset_ctx& old_ctx, dentry& old_dentry, offset_ctx& new_ctx,
                            dentry& new_dentry) {
  if (const uint64_t n = number(new_dentry)) {
    radix_replace(new_ctx.root, n, 0, &old_dentry);
    simple_offset_remove(old_ctx, old_dentry);
    set_number(old_dentry, n);
    set_number(new_dentry, 0);
    return {};
  }
  if (&old_ctx == &new_ctx) return {};
  const uint64_t n = new_ctx.next;
  HF_TRY(radix_insert(new_ctx.root, n, 0, &old_dentry, radix_reclaim::at_once));
  ++new_ctx.next;
  simple_offset_remove(old_ctx, old_dentry);
  set_number(old_dentry, n);
  return {};
}

void simple_offset_exchange(offset_ctx& old_ctx, dentry& old_dentry, offset_ctx& new_ctx,
                            dentry& new_dentry) {
  const uint64_t a = number(old_dentry);
  const uint64_t b = number(new_dentry);
  radix_replace(old_ctx.root, a, 0, &new_dentry);
  radix_replace(new_ctx.root, b, 0, &old_dentry);
  set_number(old_dentry, b);
  set_number(new_dentry, a);
}

void simple_offset_destroy(offset_ctx& ctx) {
  for (uint64_t n = 0; radix_next(ctx.root, n);)
    radix_erase(ctx.root, n, 0, radix_reclaim::at_once);
  ctx.next = 2;
}

bool simple_offset_empty(const offset_ctx& ctx) {
  return ctx.root.load(std::memory_order_acquire) == nullptr;
}

Status simple_offset_iterate(offset_ctx& ctx, file& f, dir_context& dc) {
  if (!dir_emit_dots(f, dc)) return {};
  uint64_t n = static_cast<uint64_t>(dc.pos);
  while (void* v = radix_next(ctx.root, n)) {
    auto& d = *static_cast<dentry*>(v);
    dc.pos = static_cast<loff_t>(n);
    const inode& i = *d.inode_ptr();
    if (!dc.emit(d.name(), i.i_ino, dt_type(i.i_mode))) return {};
    dc.pos = static_cast<loff_t>(++n);
  }
  return {};
}

Status simple_iterate(file& f, dir_context& dc) {
  offset_ctx* ctx = inode_ops::get_offset_ctx(*f.f_inode);
  if (!ctx) return Error(ENOTDIR);
  return simple_offset_iterate(*ctx, f, dc);
}

HF_NAMESPACE_END
