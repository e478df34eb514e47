// SPDX-License-Identifier: Apache-2.0
//
// Inodes, attributes and tables of simple file systems.
#include <cerrno>
#include <cstring>
#include <new>

#include "holdfast/libfs.h"
#include "holdfast/super_block.h"
#include "mem/slab.h"

HF_NAMESPACE_BEGIN
namespace {

constinit slab_cache<offset_ctx> contexts("offset_ctx");

// In front of a link's body.
struct link_header {
  rcu_head rcu;
  char* body() { return reinterpret_cast<char*>(this + 1); }
};
void free_link_cb(rcu_head& head) {
  ::operator delete(&container_of<&link_header::rcu>(head));
}

}  // namespace

offset_ctx* simple_get_offset_ctx(inode& i) {
  return static_cast<offset_ctx*>(i.i_private);
}

const char* alloc_link_body(std::string_view target) {
  if (mem_should_fail()) return nullptr;
  void* mem = ::operator new(sizeof(link_header) + target.size() + 1, std::nothrow);
  if (!mem) return nullptr;
  char* body = (new (mem) link_header)->body();
  std::memcpy(body, target.data(), target.size());
  body[target.size()] = '\0';
  return body;
}

void free_link_body(const char* body) {
  if (!body) return;
  auto* h = reinterpret_cast<link_header*>(const_cast<char*>(body)) - 1;
  call_rcu(h->rcu, free_link_cb);
}

Status simple_set_link(inode& i, std::string_view target) {
  i.i_link = alloc_link_body(target);
  if (!i.i_link) return Error(ENOMEM);
  i.i_size.store(static_cast<loff_t>(target.size()), std::memory_order_release);
  return {};
}

Result<const char*> simple_get_link(dentry*, inode& i, delayed_call&) {
  return i.i_link;
}

Status simple_setattr(const mnt_idmap& idmap, dentry& d, iattr& attr) {
  inode& i = *d.inode_ptr();
  HF_TRY(setattr_prepare(idmap, d, attr));
  if (attr.ia_valid & attr_size) truncate_setsize(i, attr.ia_size);
  setattr_copy(idmap, i, attr);
  mark_inode_dirty(i);
  return {};
}

Status simple_getattr(const mnt_idmap& idmap, const path& p, kstat& st, uint32_t, unsigned) {
  inode& i = *p.dent->inode_ptr();
  generic_fillattr(idmap, i, st);
  st.blocks = i.i_mapping->nrpages << (page_shift - 9);
  return {};
}

Status simple_statfs(dentry& d, kstatfs& st) {
  const super_block& sb = *d.d_sb;
  st.f_type = static_cast<long>(sb.s_magic);
  st.f_bsize = page_size;
  st.f_frsize = page_size;
  st.f_namelen = name_max;
  st.f_fsid = sb.s_fsid;
  return {};
}

Result<size_t> generic_read_dir(file&, char*, size_t, loff_t&) {
  return Error(EISDIR);
}
Status noop_fsync(file&, loff_t, loff_t, bool) {
  return {};
}
Status generic_file_open(inode&, file&) {
  return {};
}

inode* simple_new_inode(super_block& sb, const inode* dir, umode_t mode, dev_t dev) {
  inode* i = new_inode(sb);
  if (!i) return nullptr;
  i->i_ino = get_next_ino();
  if (dir)
    inode_init_owner(nop_mnt_idmap, *i, dir, mode);
  else
    i->i_mode = mode;  // a root, made by a mount that may have no task: owned by 0
  const timespec64 now = current_time(*i);
  inode_set_times(*i, &now, &now, &now);
  inode_set_btime(*i, now);
  switch (mode & S_IFMT) {
    case S_IFREG:
      i->i_op = &simple_file_inode_operations;
      i->i_fop = &simple_file_operations;
      i->i_data.a_ops = &ram_aops;
      i->i_data.flags |= as_absent_is_hole | as_large_folio;
      break;
    case S_IFDIR: {
      offset_ctx* ctx = contexts.allocate();
      if (!ctx) {
        clear_nlink(*i);
        iput(i);
        return nullptr;
      }
      i->i_private = new (ctx) offset_ctx;
      i->i_op = &simple_dir_inode_operations;
      i->i_fop = &simple_dir_operations;
      set_nlink(*i, 2);
      break;
    }
    case S_IFLNK:
      i->i_op = &simple_symlink_inode_operations;
      break;
    default:
      i->i_op = &simple_file_inode_operations;
      init_special_inode(*i, mode, dev);
  }
  return i;
}

void simple_evict_inode(inode& i) {
  truncate_inode_pages_final(i.i_data);
  clear_inode(i);
  // Readers under RCU may still be at the link's body, which is freed after them.
  if (i.is_lnk()) free_link_body(i.i_link);
  if (i.is_dir() && i.i_private) {
    auto* ctx = static_cast<offset_ctx*>(i.i_private);
    simple_offset_destroy(*ctx);
    contexts.free(ctx);
    i.i_private = nullptr;
  }
}

constinit const inode_operations simple_dir_inode_operations = {
    .lookup = simple_lookup,
    .link = simple_link,
    .unlink = simple_unlink,
    .rmdir = simple_rmdir,
    .rename = simple_rename,
    .setattr = simple_setattr,
    .get_offset_ctx = simple_get_offset_ctx,
};
constinit const inode_operations simple_file_inode_operations = {
    .setattr = simple_setattr,
    .getattr = simple_getattr,
};
constinit const inode_operations simple_symlink_inode_operations = {
    .get_link = simple_get_link,
    .setattr = simple_setattr,
};
constinit const file_operations simple_dir_operations = {
    .llseek = generic_dir_llseek,
    .read = generic_read_dir,
    .iterate_shared = simple_iterate,
    .fsync = noop_fsync,
};
constinit const file_operations simple_file_operations = {
    .llseek = generic_file_llseek,
    .read_iter = generic_file_read_iter,
    .write_iter = generic_file_write_iter,
    .open = generic_file_open,
    .fsync = noop_fsync,
};
constinit const super_operations simple_super_operations = {
    .drop_inode = generic_delete_inode,
    .evict_inode = simple_evict_inode,
    .statfs = simple_statfs,
};

HF_NAMESPACE_END
