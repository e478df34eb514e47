// SPDX-License-Identifier: Apache-2.0
//
// A path walk under way.
//
// 1. RCU-walk (flags & lookup_rcu): nothing is referenced. `p` was seen at `seq`, mounts at
//    `m_seq`, each link on the stack at its own sequence. What is found under them counts only
//    after they are re-checked.
// 2. REF-walk: p, the root once it was needed, and every link on the stack are referenced.
// 3. unlazy() turns 1 into 2 or fails; after a failure only terminate() may be called. There is no
//    way back.
// 4. Hand over hand: the child's d_seq is sampled, then the parent's is re-checked, then the child
//    is used.
#pragma once

#include <new>

#include "core/dentry/dcache.h"
#include "core/mount/mount.h"
#include "namei/namei.h"

HF_NAMESPACE_BEGIN

inline constexpr unsigned walk_trailing = 1;
inline constexpr unsigned walk_more = 2;
inline constexpr unsigned walk_nofollow = 4;

struct nameidata {
  struct saved_link {
    path at;
    uint32_t seq;
    delayed_call done;
    const char* cur;  // what is left of the string that the link stood in
    const char* end;
    const char* whole;
  };

  nameidata(task& tsk, at start, std::string_view name)
      : t(tsk),
        where(start),
        cur(name.data()),
        end(name.data() + name.size()),
        whole(name.data()) {}
  nameidata(const nameidata&) = delete;
  nameidata& operator=(const nameidata&) = delete;

  task& t;
  at where;
  const char* cur;
  const char* end;
  const char* whole;
  path p{};
  inode* ino = nullptr;
  path root{};
  qstr last{};
  last_type type = last_type::root;
  bool trailing_slash = false;
  bool jumped = false;
  bool root_grabbed = false;
  unsigned flags = 0;
  uint32_t seq = 0;
  uint32_t next_seq = 0;
  uint32_t m_seq = 0;
  uint32_t root_seq = 0;
  unsigned total_links = 0;
  unsigned depth = 0;
  // Raw, because most walks meet no link and should not pay for forty constructors.
  saved_link& stack(unsigned i) {
    return *std::launder(reinterpret_cast<saved_link*>(stack_bytes + i * sizeof(saved_link)));
  }
  saved_link& push() { return *new (stack_bytes + depth++ * sizeof(saved_link)) saved_link; }

  bool rcu() const { return flags & lookup_rcu; }

  Status start(unsigned lookup_flags);  // to the starting point; enters RCU if asked
  void terminate();                     // always the last call
  Status link_path_walk();              // all but the last component
  // One more component, `last`. link: a symlink was pushed, and cur..end is its body.
  Status walk_component(unsigned walk_flags, bool& link);
  Status lookup_last(bool& link);
  Status complete();  // leaves RCU, re-validates where the walk jumped
  Status handle_dots(last_type which);
  Status lookup_fast(dentry*& d);  // null: not in the cache (and RCU was left)
  // Crosses what is mounted on `d` (whose reference it takes in REF-walk), then moves there or
  // pushes a link.
  Status step_into(dentry* d, unsigned walk_flags, bool& link);
  bool unlazy();
  void put_link();

 private:
  void set_root();
  Status jump_root();
  Status may_lookup();
  Status dotdot_rcu();
  Status dotdot_ref();
  Status cross_mounts_rcu(path& to, inode*& to_inode);
  Status cross_mounts_ref(path& to);
  Status pick_link(path& link_path, inode* i, bool& link);
  bool legitimize(path& what, uint32_t at_seq);
  bool legitimize_links();

  alignas(saved_link) std::byte stack_bytes[max_symlinks * sizeof(saved_link)];
};

// Runs `attempt(nd, mode flags)` as RCU-walk, then REF-walk, then with lookup_reval, as the errors
// ask.
template <class Attempt>
Status walk_modes(unsigned flags, Attempt&& attempt) {
  Status st = attempt(flags | lookup_rcu);
  if (!st.ok() && st.code() == ECHILD) st = attempt(flags);
  if (!st.ok() && st.code() == ESTALE) st = attempt(flags | lookup_reval);
  return st;
}

Status check_name(std::string_view name, bool may_be_empty);
Status path_lookupat(nameidata& nd, unsigned flags);
Status path_parentat(nameidata& nd, unsigned flags);

HF_NAMESPACE_END
