// SPDX-License-Identifier: Apache-2.0
//
// Scripts: parsing, rendering of results, and the walk over a whole tree.
#include "tests/conformance/script.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

namespace conformance {

namespace {

std::string error_text(long r) {
  const char* n = strerrorname_np(static_cast<int>(-r));
  return n ? n : "errno " + std::to_string(-r);
}

std::string plain(long r) {
  return r < 0 ? error_text(r) : "ok";
}
std::string number(long r) {
  return r < 0 ? error_text(r) : "ok " + std::to_string(r);
}

std::string octal(uint64_t v) {
  char b[32];
  snprintf(b, sizeof b, "%llo", static_cast<unsigned long long>(v));
  return b;
}

// Letters for what is printable, so that results compare as one line.
std::string shown(const std::string& s) {
  std::string r;
  for (size_t i = 0; i < s.size();) {
    size_t n = 1;
    while (i + n < s.size() && s[i + n] == s[i]) ++n;
    if (s[i] == '\0')
      r += "\\0";
    else
      r += s[i];
    if (n > 3)
      r += "{" + std::to_string(n) + "}";
    else
      n = 1;
    i += n;
  }
  return r;
}

std::string show(const attributes& a) {
  std::string r = "mode " + octal(a.mode) + " nlink " + std::to_string(a.nlink) + " uid " +
                  std::to_string(a.uid) + " gid " + std::to_string(a.gid);
  if (!S_ISDIR(a.mode))
    r += " size " + std::to_string(a.size);  // a directory's size is a file system's own idea
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) r += " rdev " + std::to_string(a.rdev);
  return r;
}

std::vector<std::string> words(std::string_view l) {
  std::vector<std::string> r;
  size_t i = 0;
  while (i < l.size()) {
    while (i < l.size() && l[i] == ' ') ++i;
    size_t j = i;
    while (j < l.size() && l[j] != ' ') ++j;
    if (j > i) r.emplace_back(l.substr(i, j - i));
    i = j;
  }
  for (auto& w : r) {
    if (w == "<>") w.clear();
    // x{300}: 300 times x
    const size_t open = w.find('{'), close = w.find('}');
    if (open != std::string::npos && open > 0 && close != std::string::npos && close > open)
      w = w.substr(0, open - 1) + std::string(std::stoul(w.substr(open + 1)), w[open - 1]) +
          w.substr(close + 1);
  }
  return r;
}

unsigned oct(const std::string& s) {
  return static_cast<unsigned>(std::stoul(s, nullptr, 8));
}

int at_flags(const std::string& s) {
  int f = 0;
  for (char c : s) {
    if (c == 'n') f |= AT_SYMLINK_NOFOLLOW;
    if (c == 'f') f |= AT_SYMLINK_FOLLOW;
    if (c == 'e') f |= AT_EMPTY_PATH;
    if (c == 'x') f |= 0x40000000;
  }
  return f;
}

unsigned rename_flags(const std::string& s) {
  unsigned f = 0;
  for (char c : s) {
    if (c == 'n') f |= 1;
    if (c == 'e') f |= 2;
    if (c == 'w') f |= 4;
    if (c == 'x') f |= 0x40;
  }
  return f;
}

int open_flags(const std::string& s) {
  int f = 0;
  size_t i = 1;
  if (s.starts_with("rw")) {
    f = O_RDWR;
    i = 2;
  } else if (s.starts_with("w")) {
    f = O_WRONLY;
  }
  for (; i < s.size(); ++i) {
    switch (s[i]) {
      case 'c':
        f |= O_CREAT;
        break;
      case 'x':
        f |= O_EXCL;
        break;
      case 't':
        f |= O_TRUNC;
        break;
      case 'a':
        f |= O_APPEND;
        break;
      case 'd':
        f |= O_DIRECTORY;
        break;
      case 'n':
        f |= O_NOFOLLOW;
        break;
      case 'p':
        f |= O_PATH;
        break;
      case 'T':
        f |= O_TMPFILE;
        break;
      case 'k':
        f |= O_NONBLOCK;
        break;
      default:
        break;
    }
  }
  return f;
}

std::string dotted(const std::string& dir, const std::string& name) {
  return dir == "." ? name : dir + "/" + name;
}

}  // namespace

runner::runner(world& w) : w_(w) {
  std::fill(std::begin(slots_), std::end(slots_), -1);
}

runner::~runner() {
  for (int fd : slots_) {
    if (fd >= 0) w_.close(fd);
  }
}

int runner::slot(const std::string& s) const {
  const int i = std::stoi(s);
  return i < 0 || i >= static_cast<int>(nr_slots) ? -1 : slots_[i];
}

std::string runner::list(const std::string& dir) {
  long fd = w_.open(dir, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return error_text(fd);
  std::set<std::string> names;  // with '\0' for ':' so that a name sorts before one that it begins
  alignas(8) char buf[512];     // small on purpose: several calls continue one another
  long n;
  while ((n = w_.getdents(static_cast<int>(fd), buf, sizeof buf)) > 0) {
    for (long off = 0; off < n;) {
      const auto* e = reinterpret_cast<const dirent64*>(buf + off);
      static const char kinds[] = {'?', 'p', 'c', '?', 'd', '?', 'b', '?', 'f', '?', 'l', '?', 's'};
      names.insert(std::string(e->d_name) + '\0' +
                   (e->d_type < sizeof kinds ? kinds[e->d_type] : '?'));
      off += e->d_reclen;
    }
  }
  w_.close(static_cast<int>(fd));
  if (n < 0) return error_text(n);
  std::string r = "ok";
  for (const std::string& s : names) r += " " + s.substr(0, s.size() - 2) + ":" + s.back();
  return r;
}

std::string runner::contents(const std::string& p) {
  long fd = w_.open(p, O_RDONLY, 0);
  if (fd < 0) return error_text(fd);
  std::string all;
  char buf[4096];
  long n;
  while ((n = w_.read(static_cast<int>(fd), buf, sizeof buf)) > 0)
    all.append(buf, static_cast<size_t>(n));
  w_.close(static_cast<int>(fd));
  return n < 0 ? error_text(n) : shown(all);
}

std::string runner::run(std::string_view l) {
  std::string r = run_words(words(l));
  while (r.ends_with(' ')) r.pop_back();
  return r;
}

std::string runner::run_words(std::vector<std::string> a) {
  if (a.empty()) return "ok";
  const std::string verb = a[0];
  a.resize(8);
  auto arg = [&](size_t i) -> const std::string& { return a[i]; };
  auto num = [&](size_t i) { return a[i].empty() ? 0L : std::stol(a[i]); };
  attributes st;
  if (verb == "as") return plain(w_.become(static_cast<unsigned>(num(1))));
  if (verb == "umask") return plain(w_.set_umask(oct(arg(1))));
  if (verb == "mkdir") return plain(w_.mkdir(arg(1), oct(arg(2))));
  if (verb == "rmdir") return plain(w_.unlink(arg(1), AT_REMOVEDIR));
  if (verb == "unlink") return plain(w_.unlink(arg(1), 0));
  if (verb == "mknod") return plain(w_.mknod(arg(1), oct(arg(2)), static_cast<uint64_t>(num(3))));
  if (verb == "symlink") return plain(w_.symlink(arg(1), arg(2)));
  if (verb == "link") return plain(w_.link(arg(1), arg(2), at_flags(arg(3))));
  if (verb == "rename") return plain(w_.rename(arg(1), arg(2), rename_flags(arg(3))));
  if (verb == "readlink") {
    std::string out;
    long r = w_.readlink(arg(1), out);
    return r < 0 ? error_text(r) : "ok " + out;
  }
  if (verb == "stat") {
    long r = w_.stat(arg(1), at_flags(arg(2)), st);
    return r < 0 ? error_text(r) : "ok " + show(st);
  }
  if (verb == "times") {
    long r = w_.stat(arg(1), AT_SYMLINK_NOFOLLOW, st);
    if (r < 0) return error_text(r);
    // What a script sets lies before this; anything later is "now".
    auto when = [](int64_t t) { return t < 1'000'000'000 ? std::to_string(t) : "now"; };
    return "ok " + when(st.atime) + " " + when(st.mtime);
  }
  if (verb == "chmod") return plain(w_.chmod(arg(1), oct(arg(2))));
  if (verb == "chown")
    return plain(w_.chown(arg(1), static_cast<unsigned>(num(2)), static_cast<unsigned>(num(3)),
                          at_flags(arg(4))));
  if (verb == "truncate") return plain(w_.truncate(arg(1), num(2)));
  if (verb == "utimens") {
    if (arg(2) == "null") return plain(w_.utimens(arg(1), nullptr, at_flags(arg(3))));
    auto nsec = [](const std::string& s) {
      return s == "now" ? UTIME_NOW : s == "omit" ? UTIME_OMIT : std::stol(s);
    };
    timespec ts[2] = {{num(2), nsec(arg(3))}, {num(4), nsec(arg(5))}};
    return plain(w_.utimens(arg(1), ts, at_flags(arg(6))));
  }
  if (verb == "access")
    return plain(w_.access(arg(1), static_cast<int>(num(2)), at_flags(arg(3)) | AT_EACCESS));
  if (verb == "dents") return list(arg(1));
  if (verb == "open") {
    const int s = std::stoi(arg(1));
    long r = w_.open(arg(2), open_flags(arg(3)), oct(arg(4).empty() ? "0" : arg(4)));
    if (r < 0) return error_text(r);
    if (slots_[s] >= 0) w_.close(slots_[s]);
    slots_[s] = static_cast<int>(r);
    return "ok";
  }
  if (verb == "listx") {
    std::vector<char> buf(static_cast<size_t>(num(2)) + 1);
    long r = w_.listx(arg(1), buf.data(), static_cast<size_t>(num(2)));
    if (r < 0) return error_text(r);
    if (num(2) == 0) return number(r);
    std::vector<std::string> names;
    for (long off = 0; off < r;) {
      names.emplace_back(buf.data() + off);
      off += static_cast<long>(names.back().size()) + 1;
    }
    std::sort(names.begin(), names.end());
    std::string out = "ok";
    for (auto& n : names) out += " " + n;
    return out;
  }
  if (verb == "setx") return plain(w_.setx(arg(1), arg(2), arg(3), static_cast<int>(num(4))));
  if (verb == "rmx") return plain(w_.rmx(arg(1), arg(2)));
  if (verb == "getx") {
    std::string buf(static_cast<size_t>(num(3)), '\0');
    long r = w_.getx(arg(1), arg(2), buf.data(), buf.size());
    if (r < 0) return error_text(r);
    if (num(3) == 0) return number(r);
    buf.resize(static_cast<size_t>(r));
    return "ok " + shown(buf);
  }
  const int fd = slot(arg(1));
  if (verb == "close") {
    if (fd >= 0) slots_[std::stoi(arg(1))] = -1;
    return plain(w_.close(fd));
  }
  if (verb == "read" || verb == "pread") {
    std::string buf(static_cast<size_t>(std::max(0L, num(2))), '\0');
    long r = verb == "read" ? w_.read(fd, buf.data(), buf.size())
                            : w_.pread(fd, buf.data(), buf.size(), num(3));
    if (r < 0) return error_text(r);
    buf.resize(static_cast<size_t>(r));
    return "ok " + shown(buf);
  }
  if (verb == "write") return number(w_.write(fd, arg(2).data(), arg(2).size()));
  if (verb == "pwrite") return number(w_.pwrite(fd, arg(2).data(), arg(2).size(), num(3)));
  if (verb == "lseek") return number(w_.lseek(fd, num(2), static_cast<int>(num(3))));
  if (verb == "ftruncate") return plain(w_.ftruncate(fd, num(2)));
  if (verb == "fstat") {
    long r = w_.fstat(fd, st);
    return r < 0 ? error_text(r) : "ok " + show(st);
  }
  if (verb == "fchmod") return plain(w_.fchmod(fd, oct(arg(2))));
  if (verb == "fallocate") return plain(w_.fallocate(fd, static_cast<int>(num(2)), num(3), num(4)));
  if (verb == "fsync") return plain(w_.fsync(fd));
  if (verb == "getfl") {
    long r = w_.getfl(fd);
    return r < 0 ? error_text(r)
                 : "ok " + octal(static_cast<uint64_t>(r) &
                                 (O_ACCMODE | O_APPEND | O_NONBLOCK | O_PATH));
  }
  if (verb == "setfl") return plain(w_.setfl(fd, open_flags(arg(2))));
  if (verb == "dup") {
    long r = w_.dup(fd);
    if (r < 0) return error_text(r);
    const int s = std::stoi(arg(2));
    if (slots_[s] >= 0) w_.close(slots_[s]);
    slots_[s] = static_cast<int>(r);
    return "ok";
  }
  return "unknown call " + verb;
}

void runner::tree_below(const std::string& dir, std::string& out) {
  std::string names = list(dir);
  if (!names.starts_with("ok")) {
    out += dir + ": " + names + "\n";
    return;
  }
  for (const std::string& entry : words(std::string_view(names).substr(2))) {
    const std::string name = entry.substr(0, entry.size() - 2);
    if (name == "." || name == "..") continue;
    const std::string p = dotted(dir, name);
    attributes st;
    long r = w_.stat(p, AT_SYMLINK_NOFOLLOW, st);
    out += entry + " at " + p + ": " + (r < 0 ? error_text(r) : show(st));
    if (S_ISLNK(st.mode)) out += " -> " + run("readlink " + p);
    if (S_ISREG(st.mode)) out += " = " + contents(p);
    if (S_ISREG(st.mode) || S_ISDIR(st.mode)) out += " attrs " + run("listx " + p + " 4096");
    out += "\n";
    if (S_ISDIR(st.mode)) tree_below(p, out);
  }
}

std::string runner::tree() {
  w_.become(0);
  std::string out;
  tree_below(".", out);
  return out;
}

line split_line(std::string_view l) {
  const size_t eq = l.rfind(" = ");
  if (eq == std::string_view::npos) return {std::string(l), {}};
  return {std::string(l.substr(0, eq)), std::string(l.substr(eq + 3))};
}

std::vector<std::string> split_lines(std::string_view script) {
  std::vector<std::string> r;
  while (!script.empty()) {
    size_t nl = script.find('\n');
    std::string_view l = script.substr(0, nl);
    script = nl == std::string_view::npos ? std::string_view() : script.substr(nl + 1);
    while (!l.empty() && l.front() == ' ') l.remove_prefix(1);
    if (!l.empty() && l.front() != '#') r.emplace_back(l);
  }
  return r;
}

}  // namespace conformance
