// SPDX-License-Identifier: Apache-2.0
//
// examples/broken_fs from end to end: each mistake gives the one report that its author is to read,
// the corrected form none, and docs/reports.md shows what the program prints.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "contract/broken_rule_log.h"

namespace holdfast {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct outcome {
  int status = -1;
  std::string out;
  std::vector<json> found, totals;
};

outcome broken_fs(const std::string& arguments) {
  outcome o;
  char log[] = "/tmp/holdfast_broken_fs_XXXXXX";
  const int fd = mkstemp(log);
  EXPECT_GE(fd, 0);
  close(fd);
  const std::string command =
      std::string(HOLDFAST_BINARY_DIR "/broken_fs --check-log ") + log + ' ' + arguments;
  FILE* p = popen(command.c_str(), "r");
  EXPECT_NE(p, nullptr);
  char buffer[4096];
  for (size_t n; p != nullptr && (n = fread(buffer, 1, sizeof buffer, p)) > 0;)
    o.out.append(buffer, n);
  if (p != nullptr) {
    const int end = pclose(p);
    o.status = WIFEXITED(end) ? WEXITSTATUS(end) : -1;
  }
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    json j = json::parse(line);
    (j.contains("total") ? o.totals : o.found).push_back(j);
  }
  unlink(log);
  return o;
}

struct expected {
  const char *name, *kind, *table, *method, *column, *rule, *finding;
  const char* operation;
  std::vector<std::string> held;  // "class mode role"
  const char* advice;             // a part of it that fits this mistake alone
  const char* logged;             // the rule's id, or null: the cell
};

void PrintTo(const expected& e, std::ostream* out) {
  *out << e.name;
}

const expected mistakes[] = {
    {"read-error",
     "exit",
     "address_space_operations",
     "read_folio",
     "folio locked",
     "",
     "not released: folio_lock of folio",
     "pread",
     {"invalidate_lock shared mapping", "folio_lock exclusive folio"},
     "errors too: folio_unlock()",
     nullptr},
    {"fault-lock",
     "order",
     "vm_operations_struct",
     "fault",
     "",
     "",
     "takes i_rwsem while it holds mmap_lock; the reverse order is known",
     "page fault /d/file, page 0",
     {"mmap_lock shared the area's memory"},
     "take invalidate_lock shared",
     ""},
    {"rcu-walk",
     "blocks_in_rcu",
     "inode_operations",
     "permission",
     "",
     "6.6-inode-6",
     "rights_lock may block, inside an RCU read section",
     "stat /d/file",
     {},
     "return Error(ECHILD)",
     "6.6-inode-6"},
    {"writepage",
     "prose",
     "address_space_operations",
     "writepage",
     "",
     "6.6-aops-17",
     "the folio was unlocked, neither redirtied nor under writeback: it is clean, and its mark in "
     "the index is dirty",
     "reclaim /d/file, page 0",
     {},
     "folio_redirty_for_writepage()",
     "6.6-aops-17"},
    {"child-first",
     "order",
     "file_operations",
     "fsync",
     "",
     "",
     "takes i_rwsem/parent while it holds i_rwsem/child; the reverse order is known",
     "fsync",
     {"i_rwsem exclusive "},
     "Lock the parent first (nest::parent)",
     "6.6-inode-9"},
    {"release",
     "prose",
     "address_space_operations",
     "release_folio",
     "",
     "6.6-aops-30",
     "the private data is still there",
     "reclaim /d/file, page 0",
     {"invalidate_lock shared ", "folio_lock exclusive folio"},
     "folio_detach_private()",
     "6.6-aops-30"},
};

void need_program() {
#if !HOLDFAST_CHECKING
  GTEST_SKIP() << "checking is compiled out";
#endif
  if (access(HOLDFAST_BINARY_DIR "/broken_fs", X_OK) != 0)
    GTEST_SKIP() << "the examples are not built";
}

class broken_fs_test : public testing::TestWithParam<expected> {
 protected:
  void SetUp() override { need_program(); }
};

class broken_fs_docs_test : public testing::Test {
 protected:
  void SetUp() override { need_program(); }
};

TEST_P(broken_fs_test, gives_one_report_that_names_everything) {
  const expected& e = GetParam();
  const outcome o = broken_fs(e.name);
  EXPECT_EQ(o.status, 0) << o.out;
  ASSERT_EQ(o.found.size(), 1u) << o.out;
  const json& j = o.found[0];
  for (const auto& [member, value] : {std::pair{"kind", e.kind},
                                      {"table", e.table},
                                      {"method", e.method},
                                      {"column", e.column},
                                      {"rule", e.rule},
                                      {"finding", e.finding}})
    EXPECT_EQ(j[member], value) << member;
  EXPECT_THAT(j["operation"].get<std::string>(), HasSubstr(e.operation));
  EXPECT_THAT(j["advice"].get<std::string>(), HasSubstr(e.advice));
  EXPECT_FALSE(j["sentence"].get<std::string>().empty());
  std::vector<std::string> held;
  for (const json& h : j["held"]) {
    held.push_back(h["class"].get<std::string>() + ' ' + h["mode"].get<std::string>() + ' ' +
                   h["role"].get<std::string>());
    EXPECT_FALSE(h["stack"].empty()) << held.back();
  }
  EXPECT_EQ(held, e.held);
  EXPECT_FALSE(j["stack"].empty());
  // Nobody else is blamed for it, and it happened once; the walk asks / and /d.
  ASSERT_EQ(o.totals.size(), 1u);
  EXPECT_EQ(o.totals[0]["count"], std::string_view(e.name) == "rcu-walk" ? 2 : 1);
  EXPECT_THAT(o.out, HasSubstr(std::string(e.table) + '.' + e.method));
  EXPECT_THAT(o.out, HasSubstr("6.6"));
  if (HasFailure()) return;
  if (e.logged == nullptr)
    log_broken_cell(e.table, e.method, e.column);
  else
    log_broken_rule(e.logged);
}

TEST_P(broken_fs_test, the_corrected_form_gives_none) {
  const outcome o = broken_fs(std::string("--fixed ") + GetParam().name);
  EXPECT_EQ(o.status, 0) << o.out;
  EXPECT_TRUE(o.found.empty()) << o.out;
}

INSTANTIATE_TEST_SUITE_P(mistakes, broken_fs_test, testing::ValuesIn(mistakes),
                         [](const auto& param) {
                           std::string name = param.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// What a report says, without the frames of its stacks: which functions are inlined is the
// compiler's to choose.
std::string without_frames(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  bool stack = false;
  for (std::string line; std::getline(in, line);) {
    const bool begins =
        line.starts_with("       taken in ") || line.starts_with("       the first in ") ||
        line.starts_with("       the second in ") || line.starts_with("  found in   ");
    const bool goes_on = stack && line.starts_with("             ");
    stack = begins || goes_on;
    if (!stack) out += line + '\n';
  }
  return out;
}

TEST_F(broken_fs_docs_test, the_document_shows_what_is_printed) {
  std::ifstream in(HOLDFAST_SOURCE_DIR "/docs/reports.md");
  ASSERT_TRUE(in.good());
  std::map<std::string, std::string> shown;
  std::string* at = nullptr;
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view begin = "<!-- broken_fs ";
    if (line.starts_with(begin)) {
      at = &shown[line.substr(begin.size(), line.find(' ', begin.size()) - begin.size())];
    } else if (line == "<!-- end -->") {
      at = nullptr;
    } else if (at != nullptr && !line.starts_with("```")) {
      *at += line + '\n';
    }
  }
  for (const expected& e : mistakes)
    EXPECT_EQ(without_frames(shown[e.name]),
              without_frames(broken_fs(std::string("--stable ") + e.name).out))
        << "scripts/reports-doc brings docs/reports.md up to date";
  EXPECT_EQ(shown.size(), std::size(mistakes));
}

// The faulty lines in the document are those of the source.
TEST_F(broken_fs_docs_test, the_document_quotes_the_source) {
  auto read = [](const char* path) {
    std::ifstream in(path);
    std::stringstream s;
    s << in.rdbuf();
    return s.str();
  };
  const std::string doc = read(HOLDFAST_SOURCE_DIR "/docs/reports.md");
  const std::string source = read(HOLDFAST_SOURCE_DIR "/examples/broken_fs.cc");
  const std::string fence = "```cpp\n";
  size_t quotes = 0;
  for (size_t at = doc.find(fence); at != doc.npos; at = doc.find(fence, at)) {
    at += fence.size();
    const std::string quote = doc.substr(at, doc.find("```", at) - at);
    EXPECT_THAT(source, HasSubstr(quote));
    ++quotes;
    at += quote.size();
  }
  EXPECT_GE(quotes, 2 * std::size(mistakes));
}

TEST_F(broken_fs_docs_test, refuses_what_it_does_not_know) {
  EXPECT_EQ(broken_fs("no-such-mistake 2>/dev/null").status, 2);
  EXPECT_EQ(broken_fs("2>/dev/null").status, 2);
}

}  // namespace
}  // namespace holdfast
