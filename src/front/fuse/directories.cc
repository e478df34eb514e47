// SPDX-License-Identifier: Apache-2.0
//
// Requests about open directories.
//
// 1. Names are gathered first, with the directory locked by the dispatcher, then looked up and
//    packed with nothing locked: a look-up that misses takes the same lock.
// 2. The cookie of an entry is where the next one begins: it is known when the next is seen, or at
//    the end.
// 3. A reply that is not the end of the directory has an entry, though others may have been removed
//    between gathering and look-up.
// 4. An entry of READDIRPLUS counts as a look-up exactly if it stands in a reply that arrived, "."
//    and ".." never.
// 5. The kernel may not keep listings (cache_readdir). A reader that stands in the middle of a
//    directory is moved over to a listing that somebody else read later; the kernel looks for the
//    cookie there, and where that entry is gone and the listing fills its last page exactly, it
//    reports the end: entries are lost, and `rm -r` finds the directory not empty.
#include <cerrno>
#include <cstring>

#include "handlers.h"

HF_NAMESPACE_BEGIN

namespace {

// A gathered name, packed one after the other in memory: the head, then the bytes, padded.
struct gathered {
  uint64_t ino;
  loff_t next;
  uint32_t type;
  uint32_t len;
  static size_t size_for(size_t len) { return sizeof(gathered) + (len + 7) / 8 * 8; }
  char* name() { return reinterpret_cast<char*>(this + 1); }
};

// Entries of a reply are at least as long as gathered ones, so what fits in a reply fits in the
// store.
constexpr size_t reply_max = fuse_worker::buffer_size / 2;
constexpr size_t dirent_head = 24;  // fuse_dirent
constexpr size_t plus_head = 152;   // fuse_direntplus before the name
static_assert(sizeof(gathered) <= dirent_head);

struct gather_context {
  dir_context ctx;  // first: the actor casts back
  char* store;
  size_t used = 0;
  size_t head;
  size_t room;  // in the reply
  gathered* last = nullptr;

  static bool actor(dir_context& base, std::string_view name, loff_t off, uint64_t ino,
                    unsigned type) {
    auto& g = reinterpret_cast<gather_context&>(base);
    if (g.last != nullptr) g.last->next = off;
    size_t in_reply = (g.head + name.size() + 7) / 8 * 8;
    if (in_reply > g.room) return false;
    g.room -= in_reply;
    auto* e = new (g.store + g.used)
        gathered{.ino = ino, .next = off, .type = type, .len = static_cast<uint32_t>(name.size())};
    memcpy(e->name(), name.data(), name.size());
    g.used += gathered::size_for(name.size());
    g.last = e;
    return true;
  }
};

bool is_dot(std::string_view name) {
  return name == "." || name == "..";
}

// fuse_add_direntry* want a terminated name.
struct terminated {
  char text[name_max + 1];
  explicit terminated(std::string_view s) {
    size_t n = s.size() < name_max ? s.size() : name_max;
    memcpy(text, s.data(), n);
    text[n] = '\0';
  }
};

class dir_reply {
 public:
  dir_reply(fuse_call& c, size_t size, bool plus)
      : c_(c), out_(c.w.buffer.get() + reply_max), size_(size), plus_(plus) {}

  // Packs what was gathered. False: the entry did not fit.
  bool add(const path& dir, gathered& e) {
    std::string_view name(e.name(), e.len);
    terminated z(name);
    fuse_entry_param p{};
    p.attr.st_ino = e.ino;
    p.attr.st_mode = static_cast<mode_t>(e.type) << 12;
    if (!plus_) {
      size_t n = fuse_add_direntry(c_.req, out_ + used_, size_ - used_, z.text, &p.attr, e.next);
      if (n > size_ - used_) return false;
      used_ += n;
      return true;
    }
    if (!is_dot(name)) {
      Result<path_ref> child = lookup_one(c_.t(), dir, name);
      if (!child && child.code() == ENOENT) return true;
      // An entry without a node is still a name; its look-up will say what is wrong.
      if (child && !c_.fill_entry(std::move(child).value(), p)) p.ino = 0;
    }
    size_t n = fuse_add_direntry_plus(c_.req, out_ + used_, size_ - used_, z.text, &p, e.next);
    if (n > size_ - used_) {
      if (p.ino != 0) c_.door.nodes.forget(p.ino, 1);
      return false;
    }
    used_ += n;
    return true;
  }

  bool empty() const { return used_ == 0; }

  void send() {
    if (fuse_reply_buf(c_.req, out_, used_) == 0 || !plus_) return;
    // The reply was thrown away, and with it the look-ups in it. The node id is the first word of
    // each.
    for (size_t at = 0; at < used_;) {
      uint64_t id;
      uint32_t name_len;
      memcpy(&id, out_ + at, sizeof id);
      memcpy(&name_len, out_ + at + plus_head - 8, sizeof name_len);
      if (id != 0) c_.door.nodes.forget(id, 1);
      at += (plus_head + name_len + 7) / 8 * 8;
    }
  }

 private:
  fuse_call& c_;
  char* out_;
  size_t size_;
  size_t used_ = 0;
  bool plus_;
};

void read_directory(fuse_call& c, size_t size, loff_t off, file& f, bool plus) {
  if (!c.enter()) return;
  if (size > reply_max) size = reply_max;
  dir_reply reply(c, size, plus);
  while (reply.empty()) {
    gather_context g{.ctx = {.actor = gather_context::actor, .pos = off},
                     .store = c.w.buffer.get(),
                     .head = plus ? plus_head : dirent_head,
                     .room = size};
    f.f_pos = off;
    if (Status s = vfs_iterate_dir(c.t(), f, g.ctx); !s) return c.done(s);
    if (g.last == nullptr) break;  // the end
    g.last->next = g.ctx.pos;
    off = g.ctx.pos;
    for (size_t at = 0; at < g.used;) {
      auto* e = std::launder(reinterpret_cast<gathered*>(g.store + at));
      if (!reply.add(f.f_path, *e)) break;
      at += gathered::size_for(e->len);
    }
  }
  reply.send();
}

}  // namespace

namespace fuse_handlers {

void opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::opendir);
  path_ref p = c.node(ino);
  if (!p || !c.enter()) return;
  Result<file*> f = file_open_path(c.t(), *p, O_RDONLY | O_DIRECTORY | O_LARGEFILE);
  if (!f) return c.fail(f.code());
  Result<uint64_t> handle = c.door.files.add(*f);
  if (!handle) return c.fail(handle.code());
  fi->fh = *handle;
  if (fuse_reply_open(req, fi) != 0) c.door.files.drop(fi->fh);
}

void readdir(fuse_req_t req, fuse_ino_t, size_t size, off_t off, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::readdir);
  read_directory(c, size, off, file_of(fi), false);
}

void readdirplus(fuse_req_t req, fuse_ino_t, size_t size, off_t off, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::readdirplus);
  read_directory(c, size, off, file_of(fi), true);
}

void releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::releasedir);
  task_scope as(c.t());
  c.door.files.drop(fi->fh);
  c.fail(0);
}

void fsyncdir(fuse_req_t req, fuse_ino_t, int datasync, fuse_file_info* fi) {
  fuse_call c(req, fuse_request::fsyncdir);
  c.done(vfs_fsync(c.t(), file_of(fi), 0, max_lfs_filesize, datasync != 0));
}

}  // namespace fuse_handlers

HF_NAMESPACE_END
