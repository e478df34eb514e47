// SPDX-License-Identifier: Apache-2.0
//
// See explain_ops.h.
#include "app/explain_ops.h"

#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "app/errors.h"

namespace holdfast::app {
namespace {

using words = std::vector<std::string>;

operation_result failure(int code) {
  const char* name = strerrorname_np(code);
  return {"= -1 " + std::string(name != nullptr ? name : std::to_string(code)) + " (" +
              error_text(code) + ")",
          true};
}
operation_result outcome(const Status& s) {
  return s ? operation_result{"= 0", false} : failure(s.code());
}
operation_result outcome(const Result<size_t>& r, const std::string& data = {}) {
  if (!r) return failure(r.code());
  return {"= " + std::to_string(*r) + (data.empty() ? "" : " " + data), false};
}

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (char c : s.substr(0, 60))
    if (c == '\n')
      out += "\\n";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? '.' : c;
  return out + (s.size() > 60 ? "\"..." : "\"");
}

unsigned long number(const std::string& text, int base = 10) {
  char* end = nullptr;
  const unsigned long n = strtoul(text.c_str(), &end, base);
  if (text.empty() || *end != '\0') throw user_error("not a number: " + text);
  return n;
}

template <class F>
operation_result with_file(task& t, const std::string& name, int flags, F&& f) {
  Result<int> fd = sys_open(t, at_cwd, name, flags, 0644);
  if (!fd) return failure(fd.code());
  operation_result r = f(*fd);
  static_cast<void>(sys_close(t, *fd));
  return r;
}

// --- names ---

operation_result create(task& t, const words& w) {
  return with_file(t, w[1], O_CREAT | O_WRONLY | (w[0] == "create" ? O_EXCL : 0),
                   [](int) { return operation_result{"= 0", false}; });
}

operation_result rename(task& t, const words& w) {
  unsigned flags = 0;
  words names;
  for (size_t i = 1; i < w.size(); ++i)
    if (w[i] == "--exchange")
      flags |= rename_exchange;
    else if (w[i] == "--noreplace")
      flags |= rename_noreplace;
    else if (w[i] == "--whiteout")
      flags |= rename_whiteout;
    else
      names.push_back(w[i]);
  if (names.size() != 2) throw user_error("rename takes two names");
  return outcome(sys_rename(t, at_cwd, names[0], at_cwd, names[1], flags));
}

operation_result make_node(task& t, const words& w) {
  const std::string type = w.size() > 2 ? w[2] : "p";
  const umode_t mode = type == "p"   ? S_IFIFO
                       : type == "s" ? S_IFSOCK
                       : type == "c" ? S_IFCHR
                       : type == "b" ? S_IFBLK
                                     : S_IFREG;
  return outcome(sys_mknod(t, at_cwd, w[1], mode | 0644u, 0x103));
}

operation_result read_link(task& t, const words& w) {
  char buf[4096];
  Result<size_t> n = sys_readlink(t, at_cwd, w[1], buf, sizeof buf);
  return outcome(n, n ? quoted({buf, *n}) : "");
}

operation_result status_of(task& t, const words& w) {
  kstat st;
  return outcome(sys_stat(t, at_cwd, w[1], w[0] == "lstat" ? AT_SYMLINK_NOFOLLOW : 0, st));
}

// --- data ---

struct open_word {
  const char* name;
  int flag;
};
constexpr open_word open_words[] = {
    {"r", O_RDONLY},          {"w", O_WRONLY},
    {"rw", O_RDWR},           {"creat", O_CREAT},
    {"excl", O_EXCL},         {"trunc", O_TRUNC},
    {"append", O_APPEND},     {"directory", O_DIRECTORY},
    {"nofollow", O_NOFOLLOW}, {"path", O_PATH},
    {"tmpfile", O_TMPFILE},   {"sync", O_SYNC},
};

int open_flags(const words& w) {
  int flags = 0;
  for (size_t i = 2; i < w.size(); ++i) {
    const auto known = std::find_if(std::begin(open_words), std::end(open_words),
                                    [&](const open_word& o) { return w[i] == o.name; });
    if (known == std::end(open_words)) {
      std::string list;
      for (const open_word& o : open_words) list += std::string(" ") + o.name;
      throw user_error("open: the flags are" + list + ", not " + w[i]);
    }
    flags |= known->flag;
  }
  return flags;
}

operation_result open_close(task& t, const words& w) {
  return with_file(t, w[1], open_flags(w), [](int) { return operation_result{"= 0", false}; });
}

operation_result read_file(task& t, const words& w) {
  return with_file(t, w[1], O_RDONLY, [&](int fd) {
    std::string buf(w.size() > 2 ? std::min(number(w[2]), 1ul << 24) : 4096, '\0');
    Result<size_t> n = sys_read(t, fd, buf.data(), buf.size());
    return outcome(n, n ? quoted({buf.data(), *n}) : "");
  });
}

operation_result write_file(task& t, const words& w) {
  const std::string text = w.size() > 2 ? w[2] : "hello";
  return with_file(t, w[1], O_WRONLY | (w[0] == "append" ? O_APPEND : 0),
                   [&](int fd) { return outcome(sys_write(t, fd, text.data(), text.size())); });
}

operation_result list_dir(task& t, const words& w) {
  return with_file(t, w.size() > 1 ? w[1] : ".", O_RDONLY | O_DIRECTORY, [&](int fd) {
    alignas(8) char buf[8192];
    size_t entries = 0;
    for (;;) {
      Result<size_t> n = sys_getdents(t, fd, buf, sizeof buf);
      if (!n) return failure(n.code());
      if (*n == 0) break;
      for (size_t at = 0; at < *n; ++entries) {
        uint16_t length;
        memcpy(&length, buf + at + 16, sizeof length);  // linux_dirent64: ino, off, length
        at += length;
      }
    }
    return operation_result{"= " + std::to_string(entries) + " entries", false};
  });
}

// --- file systems ---

std::mutex frozen_lock;
std::vector<super_block*> frozen;

operation_result freeze(task& t, const words& w) {
  const bool thaw = w[0] == "thaw";
  const std::string name = w.size() > 1 ? w[1] : "/";
  Result<path_ref> p = user_path_at(t, at_cwd, name);
  if (!p) return failure(p.code());
  super_block& sb = *(*p)->mnt->mnt_sb;
  task_scope scope(t);
  operation_scope op(thaw ? "thaw" : "freeze", name);
  Status s = thaw ? thaw_super(sb) : freeze_super(sb);
  if (s) {
    const std::lock_guard g(frozen_lock);
    std::erase(frozen, &sb);
    if (!thaw) frozen.push_back(&sb);
  }
  return outcome(s);
}

operation_result mount(task& t, const words& w) {
  const bool typed = w.size() > 2;
  return outcome(sys_mount(t, "none", typed ? w[2] : w[1], typed ? w[1] : "tmpfs", 0, {}));
}

operation_result file_system_of(task& t, const words& w) {
  kstatfs st;
  return outcome(sys_statfs(t, at_cwd, w.size() > 1 ? w[1] : "/", st));
}

// --- the table ---

struct known_operation {
  const char* names;  // the first is shown, the others are taken too
  const char* usage;
  const char* what;
  size_t least, most;  // words after the name
  void (*prepare)(scratch& s, const words& w);
  operation_result (*run)(task& t, const words& w);
};

words without_options(const words& w) {
  words out;
  for (const std::string& word : w)
    if (!word.starts_with("--")) out.push_back(word);
  return out;
}

void prepare_rename(scratch& s, const words& all) {
  const words w = without_options(all);
  if (w.size() != 3) return;
  s.need(w[1]);
  s.need_parent(w[2]);
  if (std::find(all.begin(), all.end(), "--exchange") != all.end()) s.need(w[2]);
  s.will_make(w[2]);
}
void prepare_new(scratch& s, const words& w) {
  s.need_parent(w[1]);
  s.will_make(w[1]);
}
void prepare_second(scratch& s, const words& w) {  // link OLD NEW
  s.need(w[1]);
  s.need_parent(w[2]);
  s.will_make(w[2]);
}
void prepare_any(scratch& s, const words& w) {
  if (w.size() > 1) s.need(w[1]);
}
void prepare_dir(scratch& s, const words& w) {
  if (w.size() > 1) s.need_dir(w[1]);
}
void prepare_open(scratch& s, const words& w) {
  const bool creates = (open_flags(w) & O_CREAT) != 0;
  if ((open_flags(w) & O_DIRECTORY) != 0) return s.need_dir(w[1]);
  if (creates) return prepare_new(s, w);
  s.need(w[1]);
}

constexpr known_operation table[] = {
    {"create", "create FILE", "open(O_CREAT|O_EXCL), close", 1, 1, prepare_new, create},
    {"touch", "touch FILE", "open(O_CREAT), close", 1, 1, prepare_new, create},
    {"mkdir", "mkdir DIR", "", 1, 1, prepare_new,
     [](task& t, const words& w) { return outcome(sys_mkdir(t, at_cwd, w[1], 0755)); }},
    {"mknod mkfifo", "mknod NAME [p|s|c|b|f]", "a FIFO unless said otherwise", 1, 2, prepare_new,
     make_node},
    {"symlink", "symlink TARGET NAME", "", 2, 2,
     [](scratch& s, const words& w) {
       s.need_parent(w[2]);
       s.will_make(w[2]);
     },
     [](task& t, const words& w) { return outcome(sys_symlink(t, w[1], at_cwd, w[2])); }},
    {"link ln", "link OLD NEW", "", 2, 2, prepare_second,
     [](task& t, const words& w) { return outcome(sys_link(t, at_cwd, w[1], at_cwd, w[2], 0)); }},
    {"unlink rm", "unlink NAME", "", 1, 1, prepare_any,
     [](task& t, const words& w) { return outcome(sys_unlink(t, at_cwd, w[1], 0)); }},
    {"rmdir", "rmdir DIR", "", 1, 1, prepare_dir,
     [](task& t, const words& w) { return outcome(sys_unlink(t, at_cwd, w[1], AT_REMOVEDIR)); }},
    {"rename mv", "rename [--exchange|--noreplace|--whiteout] OLD NEW", "", 2, 5, prepare_rename,
     rename},
    {"readlink", "readlink NAME", "", 1, 1,
     [](scratch& s, const words& w) { s.need_symlink(w[1]); }, read_link},
    {"stat", "stat NAME", "", 1, 1, prepare_any, status_of},
    {"lstat", "lstat NAME", "does not follow a symlink", 1, 1, prepare_any, status_of},
    {"access", "access NAME", "for reading", 1, 1, prepare_any,
     [](task& t, const words& w) { return outcome(sys_access(t, at_cwd, w[1], R_OK, 0)); }},
    {"open", "open FILE [FLAG...]",
     "and close; r w rw creat excl trunc append directory nofollow path tmpfile sync", 1, 13,
     prepare_open, open_close},
    {"read cat", "read FILE [BYTES]", "open, read, close", 1, 2, prepare_any, read_file},
    {"write", "write FILE [TEXT]", "open, write, close", 1, 2, prepare_any, write_file},
    {"append", "append FILE [TEXT]", "open(O_APPEND), write, close", 1, 2, prepare_any, write_file},
    {"truncate", "truncate FILE SIZE", "", 2, 2, prepare_any,
     [](task& t, const words& w) {
       return outcome(sys_truncate(t, at_cwd, w[1], static_cast<loff_t>(number(w[2]))));
     }},
    {"fallocate", "fallocate FILE SIZE", "open, fallocate, close", 2, 2, prepare_any,
     [](task& t, const words& w) {
       return with_file(t, w[1], O_WRONLY, [&](int fd) {
         return outcome(sys_fallocate(t, fd, 0, 0, static_cast<loff_t>(number(w[2]))));
       });
     }},
    {"fsync", "fsync FILE", "open, fsync, close", 1, 1, prepare_any,
     [](task& t, const words& w) {
       return with_file(t, w[1], O_WRONLY,
                        [&](int fd) { return outcome(sys_fsync(t, fd, false)); });
     }},
    {"readdir ls", "readdir [DIR]", "open, getdents, close", 0, 1, prepare_dir, list_dir},
    {"chdir cd", "chdir DIR", "", 1, 1, prepare_dir,
     [](task& t, const words& w) { return outcome(sys_chdir(t, w[1])); }},
    {"chmod", "chmod MODE NAME", "MODE is octal", 2, 2,
     [](scratch& s, const words& w) { s.need(w[2]); },
     [](task& t, const words& w) {
       return outcome(sys_chmod(t, at_cwd, w[2], static_cast<umode_t>(number(w[1], 8)), 0));
     }},
    {"chown", "chown UID NAME", "", 2, 2, [](scratch& s, const words& w) { s.need(w[2]); },
     [](task& t, const words& w) {
       return outcome(
           sys_chown(t, at_cwd, w[2], static_cast<uid_t>(number(w[1])), static_cast<gid_t>(-1), 0));
     }},
    {"utimens", "utimens NAME", "to now", 1, 1, prepare_any,
     [](task& t, const words& w) { return outcome(sys_utimens(t, at_cwd, w[1], nullptr, 0)); }},
    {"setxattr", "setxattr FILE NAME VALUE", "NAME as in user.note", 3, 3, prepare_any,
     [](task& t, const words& w) {
       return outcome(sys_setxattr(t, at_cwd, w[1], w[2], w[3].data(), w[3].size(), 0, 0));
     }},
    {"getxattr", "getxattr FILE NAME", "", 2, 2,
     [](scratch& s, const words& w) {
       s.need(w[1]);
       s.need_xattr(w[1], w[2]);
     },
     [](task& t, const words& w) {
       char buf[4096];
       Result<size_t> n = sys_getxattr(t, at_cwd, w[1], w[2], buf, sizeof buf, 0);
       return outcome(n, n ? quoted({buf, *n}) : "");
     }},
    {"listxattr", "listxattr FILE", "", 1, 1, prepare_any,
     [](task& t, const words& w) {
       char buf[4096];
       return outcome(sys_listxattr(t, at_cwd, w[1], buf, sizeof buf, 0));
     }},
    {"removexattr", "removexattr FILE NAME", "", 2, 2,
     [](scratch& s, const words& w) {
       s.need(w[1]);
       s.need_xattr(w[1], w[2]);
     },
     [](task& t, const words& w) { return outcome(sys_removexattr(t, at_cwd, w[1], w[2], 0)); }},
    {"statfs", "statfs [NAME]", "", 0, 1, prepare_any, file_system_of},
    {"sync", "sync [DIR]", "open, syncfs, close", 0, 1, prepare_dir,
     [](task& t, const words& w) {
       return with_file(t, w.size() > 1 ? w[1] : "/", O_RDONLY,
                        [&](int fd) { return outcome(sys_syncfs(t, fd)); });
     }},
    {"mount", "mount [TYPE] DIR", "tmpfs unless said otherwise", 1, 2,
     [](scratch& s, const words& w) { s.need_dir(w.back()); }, mount},
    {"remount", "remount ro|rw DIR", "", 2, 2,
     [](scratch& s, const words& w) { s.need_dir(w.back()); },
     [](task& t, const words& w) {
       return outcome(
           sys_mount(t, "none", w[2], "", MS_REMOUNT | (w[1] == "ro" ? 1ul * MS_RDONLY : 0ul), {}));
     }},
    {"umount", "umount DIR", "", 1, 1, [](scratch&, const words&) {},
     [](task& t, const words& w) { return outcome(sys_umount(t, w[1], 0)); }},
    {"freeze", "freeze [DIR]", "the file system that DIR is on", 0, 1, prepare_dir, freeze},
    {"thaw", "thaw [DIR]", "", 0, 1, prepare_dir, freeze},
};

const known_operation* find_operation(const std::string& name) {
  for (const known_operation& o : table) {
    const std::string names = " " + std::string(o.names) + " ";
    if (name.find(' ') == std::string::npos && names.find(" " + name + " ") != std::string::npos)
      return &o;
  }
  return nullptr;
}

// By the name that its code looks at.
words canonical_words(const known_operation& o, words w) {
  w[0] = std::string(o.names).substr(0, std::string(o.names).find(' '));
  return w;
}

}  // namespace

std::string scratch::trim(const std::string& path) {
  std::string out;
  for (char c : path)
    if (c != '/' || (!out.empty() && out.back() != '/')) out += c;
  while (out.ends_with('/')) out.pop_back();
  return out;
}

void scratch::must(const Status& s, const std::string& what) {
  if (!s) throw user_error("cannot prepare " + what + ": " + error_text(s.code()));
}

bool scratch::exists(const std::string& path) {
  kstat st;
  const std::string p = trim(path);
  return p.empty() || p == "." || coming_.contains(p) ||
         sys_stat(task_, at_cwd, p, AT_SYMLINK_NOFOLLOW, st).ok();
}

void scratch::need_parent(const std::string& path) {
  const std::string p = trim(path);
  const size_t slash = p.rfind('/');
  if (slash != std::string::npos && slash != 0) need_dir(p.substr(0, slash));
}

void scratch::need_dir(const std::string& path) {
  const std::string p = trim(path);
  if (p.ends_with("..") || exists(p)) return;
  need_parent(p);
  if (coming_.contains(p.substr(0, p.find('/')))) return;  // inside of what comes
  must(sys_mkdir(task_, at_cwd, p, 0755), p);
  made.push_back(p + "/");
}

void scratch::need_file(const std::string& path) {
  const std::string p = trim(path);
  if (exists(p)) return;
  need_parent(p);
  Result<int> fd = sys_open(task_, at_cwd, p, O_CREAT | O_WRONLY, 0644);
  must(fd ? Status{} : Status(fd.error()), p);
  static constexpr char content[] = "scratch\n";
  static_cast<void>(sys_write(task_, *fd, content, sizeof content - 1));
  must(sys_close(task_, *fd), p);
  made.push_back(p);
}

void scratch::need_symlink(const std::string& path) {
  const std::string p = trim(path);
  if (exists(p)) return;
  need_parent(p);
  must(sys_symlink(task_, "target", at_cwd, p), p);
  made.push_back(p + " -> target");
}

void scratch::need_xattr(const std::string& path, const std::string& name) {
  char buf[1];
  if (coming_.contains(trim(path))) return;
  if (sys_getxattr(task_, at_cwd, path, name, buf, 0, 0).ok()) return;
  if (!sys_setxattr(task_, at_cwd, path, name, "value", 5, 0, 0).ok()) return;
  made.push_back(name + " of " + trim(path));
}

void scratch::need(const std::string& path) {
  if (path.ends_with('/'))
    need_dir(path);
  else
    need_file(path);
}

void check_operation(const script_operation& op) {
  const known_operation* o = find_operation(op.words[0]);
  if (o == nullptr)
    throw user_error("no operation '" + op.words[0] + "'; there are:\n" + operations_help());
  const size_t given = op.words.size() - 1;
  if (given < o->least || given > o->most)
    throw user_error("'" + op.text + "': the operation is: " + o->usage);
}

void prepare_operation(scratch& s, const script_operation& op) {
  const known_operation& o = *find_operation(op.words[0]);
  o.prepare(s, canonical_words(o, op.words));
}

operation_result run_operation(task& t, const script_operation& op) {
  const known_operation& o = *find_operation(op.words[0]);
  return o.run(t, canonical_words(o, op.words));
}

unsigned thaw_all() {
  std::vector<super_block*> all;
  {
    const std::lock_guard g(frozen_lock);
    all.swap(frozen);
  }
  for (super_block* sb : all) static_cast<void>(thaw_super(*sb));
  return static_cast<unsigned>(all.size());
}

std::string operations_help() {
  std::string out;
  for (const known_operation& o : table) {
    std::string line = std::string("  ") + o.usage;
    if (*o.what != '\0') {
      if (line.size() < 32) line.resize(32, ' ');
      line += std::string("  ") + o.what;
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace holdfast::app
