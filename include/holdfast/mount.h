// SPDX-License-Identifier: Apache-2.0
//
// Mounts, paths and mount namespaces.
//
// 1. The tree of mounts changes only under namespace_sem exclusively and mount_lock's write side;
//    path walk reads it under RCU and mount_lock's sequence.
// 2. A mount holds one active reference on its superblock and one on its root dentry; a mounted
//    mount holds one on its mountpoint and one on its parent mount.
// 3. References on a mount and counts of its writers are sharded by thread; their sums are taken
//    only by umount and remount, which first stop new ones.
#pragma once

#include "holdfast/super_block.h"

HF_NAMESPACE_BEGIN

// vfsmount::mnt_flags
inline constexpr unsigned mnt_nosuid = 1u << 0;
inline constexpr unsigned mnt_nodev = 1u << 1;
inline constexpr unsigned mnt_noexec = 1u << 2;
inline constexpr unsigned mnt_noatime = 1u << 3;
inline constexpr unsigned mnt_nodiratime = 1u << 4;
inline constexpr unsigned mnt_relatime = 1u << 5;
inline constexpr unsigned mnt_readonly = 1u << 6;
inline constexpr unsigned mnt_nosymfollow = 1u << 7;
inline constexpr unsigned mnt_write_hold = 1u << 9;
inline constexpr unsigned mnt_doomed = 1u << 24;
inline constexpr unsigned mnt_umount = 1u << 27;
inline constexpr unsigned mnt_sync_umount = 1u << 25;

// Identity map only, until idmapped mounts come: it makes the mapped and the plain id explicit in
// types' stead at every place that will need it.
struct mnt_idmap {
  uid_t to_fs(uid_t u) const { return u; }
  gid_t to_fs_gid(gid_t g) const { return g; }
  uid_t from_fs(uid_t u) const { return u; }
  gid_t from_fs_gid(gid_t g) const { return g; }
};
inline constexpr mnt_idmap nop_mnt_idmap{};

struct vfsmount {
  dentry* mnt_root = nullptr;
  super_block* mnt_sb = nullptr;
  relaxed<unsigned> mnt_flags{0};
  const mnt_idmap* idmap = &nop_mnt_idmap;
};

// A place: a dentry as seen through a mount. Owns nothing by itself; see path_get/path_put and
// path_ref.
struct path {
  vfsmount* mnt = nullptr;
  dentry* dent = nullptr;
  friend bool operator==(const path&, const path&) = default;
  explicit operator bool() const { return dent != nullptr; }
};

void mntput(vfsmount* m);  // may block; null is allowed
vfsmount* mntget(vfsmount* m);
inline void path_get(const path& p) {
  mntget(p.mnt);
  dget(p.dent);
}
inline void path_put(const path& p) {
  dput(p.dent);
  mntput(p.mnt);
}

// A path with its two references.
class path_ref {
 public:
  path_ref() = default;
  static path_ref adopt(path p) {  // takes over references the caller has
    path_ref r;
    r.p_ = p;
    return r;
  }
  static path_ref share(path p) {
    path_get(p);
    return adopt(p);
  }
  path_ref(path_ref&& o) noexcept : p_(o.release()) {}
  path_ref& operator=(path_ref&& o) noexcept {
    if (this != &o) {
      reset();
      p_ = o.release();
    }
    return *this;
  }
  path_ref(const path_ref&) = delete;
  path_ref& operator=(const path_ref&) = delete;
  ~path_ref() { reset(); }
  void reset() {
    if (p_.dent) path_put(p_);
    p_ = {};
  }
  path release() {
    path p = p_;
    p_ = {};
    return p;
  }
  const path& get() const { return p_; }
  const path* operator->() const { return &p_; }
  const path& operator*() const { return p_; }
  explicit operator bool() const { return p_.dent != nullptr; }

 private:
  path p_;
};

// Write access to a mount: counted, refused with EROFS where the mount or the superblock is
// read-only. mnt_want_write also takes sb_start_write and so blocks while frozen; mnt_drop_write
// gives both back.
Status mnt_want_write(vfsmount& m);
// The completion form: false where mnt_want_write would block; see sb_start_write_or_wait.
Result<bool> mnt_want_write_or_wait(vfsmount& m, wait_entry& e);
void mnt_drop_write(vfsmount& m);
Status mnt_get_write_access(vfsmount& m);  // the mount's count alone
void mnt_put_write_access(vfsmount& m);
bool mnt_is_readonly(const vfsmount& m);

// Namespaces. A new one has `type` mounted at its root and nothing else; the reference is the
// caller's. Errors: ENODEV (no such type), what ->mount says.
Result<mnt_namespace*> create_mnt_namespace(std::string_view type, std::string_view source,
                                            unsigned flags, std::string_view data);
void put_mnt_ns(mnt_namespace* ns);  // the last one unmounts everything in it
mnt_namespace* get_mnt_ns(mnt_namespace* ns);
path mnt_ns_root(mnt_namespace& ns);  // borrowed
struct mount_info {
  uint64_t id, parent_id;
  dev_t dev;
  char type[32];
  char source[256];
  char options[512];
  char mountpoint[1024];
};
void for_each_mount(mnt_namespace& ns, void (*fn)(const mount_info&, void*), void* arg);

HF_NAMESPACE_END
