// SPDX-License-Identifier: Apache-2.0
//
// Holdfast's tmpfs against the running kernel's: the table of cases, the rename matrix, and random
// scripts. Every result is compared, and the trees at the end. A failing random run prints its seed
// and the whole script; HOLDFAST_DIFF_SEED and HOLDFAST_DIFF_RUNS choose others,
// HOLDFAST_DIFF_PRINT prints those that agree, too.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/conformance/script.h"

namespace conformance {
namespace {

// What the running kernel, being newer, says differently from 6.6: the line and its result there.
bool known_difference(const std::string& text, const std::string& result) {
  // 6.13 reordered the checks of fallocate(2): a mode that no file system takes is EOPNOTSUPP
  // throughout.
  return text.starts_with("fallocate") && result == "EOPNOTSUPP";
}

class kernel_diff : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    kernel_ = make_kernel_world(reason);
    if (!kernel_) GTEST_SKIP() << reason;
    holdfast_ = make_holdfast_world();
  }
  std::unique_ptr<world> kernel_;
  std::unique_ptr<world> holdfast_;
};

// Runs both; false at the first difference, with everything run so far printed.
bool same(runner& h, runner& k, const std::string& text, std::string& log) {
  const std::string a = h.run(text);
  const std::string b = k.run(text);
  log += text + " = " + b + "\n";
  if (a == b || known_difference(text, b)) return true;
  ADD_FAILURE() << text << "\n  holdfast: " << a << "\n  kernel:   " << b << "\nscript:\n" << log;
  return false;
}

class kernel_cases : public testing::TestWithParam<script_case> {};

TEST_P(kernel_cases, the_kernel_says_what_the_table_says) {
  if (geteuid() != 0) GTEST_SKIP() << "the table's ids need root";
  std::string reason;
  auto w = make_kernel_world(reason);
  if (!w) GTEST_SKIP() << reason;
  runner r(*w);
  for (const std::string& l : split_lines(GetParam().script)) {
    const line s = split_line(l);
    // The kernel's own root can't stand for the world's.
    if (s.text.find(" / ") != std::string::npos || s.text.ends_with(" /")) continue;
    const std::string got = r.run(s.text);
    if (s.expected.empty()) {
      EXPECT_TRUE(got.starts_with("ok")) << s.text << ": " << got;
    } else if (!known_difference(s.text, got)) {
      EXPECT_EQ(got, s.expected) << s.text;
    }
  }
}

std::string test_name(const testing::TestParamInfo<script_case>& info) {
  std::string n = info.param.name;
  for (char& c : n) {
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return n;
}
INSTANTIATE_TEST_SUITE_P(names, kernel_cases, testing::ValuesIn(name_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(files, kernel_cases, testing::ValuesIn(file_cases()), test_name);

// Each rename starts from the same tree, in a directory of its own.
TEST_F(kernel_diff, rename_matrix) {
  runner h(*holdfast_), k(*kernel_);
  int n = 0;
  for (const std::string& l : rename_matrix_lines()) {
    const std::string home = "m" + std::to_string(n++);
    auto place = [&](const std::string& s) {
      // Paths of the matrix begin with p/ or q/, or are p or q.
      std::string r, word;
      for (size_t i = 0; i <= s.size(); ++i) {
        if (i < s.size() && s[i] != ' ') {
          word += s[i];
          continue;
        }
        if (word == "p" || word == "q" || word.starts_with("p/") || word.starts_with("q/"))
          word = home + "/" + word;
        r += (r.empty() ? "" : " ") + word;
        word.clear();
      }
      return r;
    };
    std::string log;
    ASSERT_TRUE(same(h, k, "mkdir " + home + " 755", log));
    for (const std::string& s : rename_matrix_setup()) ASSERT_TRUE(same(h, k, place(s), log));
    same(h, k, place(l), log);
  }
  EXPECT_EQ(h.tree(), k.tree());
}

// fs.protected_*: off in a kernel that nobody configured, as in Holdfast; distributions turn them
// on. They concern links that others make, and what lies in sticky directories that everybody may
// write.
bool sysctl_on(const char* name) {
  std::ifstream f(std::string("/proc/sys/fs/") + name);
  int v = 0;
  return f >> v && v != 0;
}

class script_maker {
 public:
  explicit script_maker(uint64_t seed) : rng_(seed) {}
  std::string next() {
    std::string l = next_unprotected();
    static const bool links = sysctl_on("protected_hardlinks");
    static const bool sticky = sysctl_on("protected_symlinks") || sysctl_on("protected_regular");
    if (links && as_user_ && l.starts_with("link ")) l = "stat a n";
    if (const size_t m = l.find(" 1777"); sticky && m != std::string::npos)
      l.replace(m, 5, " 1755");
    // Changing the fs uid takes the file system capabilities away, not CAP_SYS_ADMIN.
    if (const size_t x = l.find("trusted.c"); as_user_ && x != std::string::npos)
      l.replace(x, 9, "user.c");
    return l;
  }

 private:
  std::string next_unprotected() {
    switch (pick(40)) {
      case 0:
      case 1:
      case 2:
        return "mkdir " + path() + " " + mode();
      case 3:
      case 4:
        return "rmdir " + path();
      case 5:
      case 6:
        return "unlink " + path();
      case 7:
        return "mknod " + path() + " " + one({"100644", "140600", "20600", "40755", "640"}) + " " +
               one({"0", "61440"});  // none that opens
      case 8:
      case 9:
        return "symlink " + path() + " " + path();
      case 10:
      case 11:
        return "link " + path() + " " + path() + " " + one({"0", "0", "f"});
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
        return "rename " + path() + " " + path() + " " + one({"0", "0", "0", "n", "e", "e", "w"});
      case 18:
        return "readlink " + path();
      case 19:
      case 20:
        return "stat " + path() + " " + one({"0", "n"});
      case 21:
        return "chmod " + path() + " " + mode();
      case 22:
        return "chown " + path() + " " + one({"0", "1000", "-1"}) + " " + one({"0", "1000", "-1"}) +
               " " + one({"0", "n"});
      case 23:
        return "truncate " + path() + " " + number();
      case 24:
        return "utimens " + path() + " " + std::to_string(pick(1000)) + " " +
               one({"0", "now", "omit"}) + " " + std::to_string(pick(1000)) + " " +
               one({"0", "now", "omit"}) + " " + one({"0", "n"});
      case 25:
        return "access " + path() + " " + std::to_string(pick(8)) + " 0";
      case 26:
        return "dents " + path();
      case 27:
      case 28:
      case 29:
        return "open " + slot() + " " + path() + " " + flags() + " " + mode();
      case 30:
        return "write " + slot() + " " + one({"a", "hello", "x{300}", "y{5000}"});
      case 31:
        return "pwrite " + slot() + " " + one({"b", "z{4096}"}) + " " + number();
      case 32:
        return "read " + slot() + " " + std::to_string(pick(10000));
      case 33:
        return "lseek " + slot() + " " + number() + " " + std::to_string(pick(3));
      case 34:
        return one({"ftruncate ", "pread "}) + slot() + " " + number() + " " + number();
      case 35:
        return one({"fstat ", "close ", "fsync "}) + slot();
      case 36:
        return "fallocate " + slot() + " " + one({"0", "1", "3"}) + " " + number() + " " + number();
      case 37:
        return "setx " + path() + " " + one({"user.a", "user.b", "trusted.c"}) + " v " +
               std::to_string(pick(3));
      case 38:
        return one({"getx ", "rmx "}) + path() + " " + one({"user.a", "user.b"}) + " 10";
      default:
        return as_user_                    ? (as_user_ = false, "as 0")
               : (as_user_ = pick(3) == 0) ? "as 1000"
                                           : "umask " + one({"0", "22", "77"});
    }
  }

  unsigned pick(unsigned n) { return static_cast<unsigned>(rng_() % n); }
  std::string one(std::initializer_list<const char*> l) {
    return *(l.begin() + pick(static_cast<unsigned>(l.size())));
  }
  std::string slot() { return std::to_string(pick(4)); }
  std::string number() { return one({"0", "1", "5", "4095", "4096", "10000", "70000", "-1"}); }
  std::string mode() {
    return one({"755", "700", "777", "644", "1777", "2755", "2777", "6755", "0"});
  }
  std::string flags() {
    return one({"r", "w", "rw", "rwc", "rwcx", "wct", "rwa", "rd", "rn", "rp", "rwct", "wca", "rcd",
                "rwT"});
  }
  std::string path() {
    std::string p = one({"a", "b", "c", "d"});
    for (unsigned depth = pick(3); depth > 0; --depth)
      p += "/" + one({"a", "b", "c", "d", "d", "a", ".", ".."});
    if (pick(12) == 0) p += "/";
    if (pick(60) == 0) p = one({".", "..", "a//b", "<>", "./a"});
    return p;
  }
  std::mt19937_64 rng_;
  bool as_user_ = false;
};

TEST_F(kernel_diff, random_scripts) {
  if (geteuid() != 0) GTEST_SKIP() << "the scripts' ids need root";
  const char* seed_text = getenv("HOLDFAST_DIFF_SEED");
  const char* runs_text = getenv("HOLDFAST_DIFF_RUNS");
  const uint64_t first = seed_text ? strtoull(seed_text, nullptr, 0) : std::random_device{}();
  const uint64_t runs = runs_text ? strtoull(runs_text, nullptr, 0) : 60;
  printf("seeds %llu.. (%llu runs)\n", static_cast<unsigned long long>(first),
         static_cast<unsigned long long>(runs));
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    std::string reason;
    auto kernel = make_kernel_world(reason);
    auto holdfast = make_holdfast_world();
    runner h(*holdfast), k(*kernel);
    script_maker make(seed);
    std::string log = "# seed " + std::to_string(seed) + "\n";
    // Something to work on: a script from nothing fails most of its calls.
    for (const char* l : {"umask 0", "mkdir a 777", "mkdir b 777", "mkdir a/a 777", "mkdir a/c 755",
                          "mkdir b/d 1755", "open 0 a/d rwc 666", "write 0 some",
                          "open 1 c rwc 644", "link c b/c 0", "symlink a d", "symlink ../c a/b",
                          "setx a user.a 1 0", "setx c user.b 2 0"})
      ASSERT_TRUE(same(h, k, l, log));
    for (int i = 0; i < 400; ++i) {
      if (!same(h, k, make.next(), log)) return;
    }
    const std::string ht = h.tree(), kt = k.tree();
    ASSERT_EQ(ht, kt) << log;
    if (getenv("HOLDFAST_DIFF_PRINT")) printf("%s", log.c_str());
  }
}

}  // namespace
}  // namespace conformance
