// SPDX-License-Identifier: Apache-2.0
//
// `holdfast rules` as a user calls it: what it prints, how it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/contract/synthetic_document.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct outcome {
  int status = -1;
  std::string text;  // standard output, with `2>&1` also the errors
};

outcome holdfast(const std::string& arguments) {
  outcome out;
  FILE* pipe = popen((std::string(HOLDFAST_BINARY_DIR "/holdfast ") + arguments).c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) out.text.append(buffer, n);
  const int status = pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

class rules_command : public testing::Test {
 protected:
  void SetUp() override {
    file =
        (std::filesystem::path(testing::TempDir()) / ("toys_" + std::to_string(getpid()) + ".txt"))
            .string();
    write(synthetic::plain);
  }
  void TearDown() override { std::filesystem::remove(file); }
  void write(const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

  std::string file;
};

TEST_F(rules_command, prints_what_was_asked_for) {
  EXPECT_THAT(holdfast("rules").text, HasSubstr("Release 6.6"));
  const outcome method = holdfast("rules inode_operations.rename");
  EXPECT_EQ(method.status, 0);
  EXPECT_THAT(method.text, HasSubstr("read as: exclusive, of the parents and some children"));
  EXPECT_THAT(method.text, HasSubstr("6.6-inode-3"));
  EXPECT_EQ(holdfast("rules rename").text, method.text);
  EXPECT_EQ(holdfast("rules xattr_handler").text,
            holdfast("rules 'xattr_handler operations'").text);
  EXPECT_THAT(holdfast("rules --release 4.1 follow_link").text,
              HasSubstr("In release 6.6: inode_operations.get_link"));
  EXPECT_EQ(holdfast("rules --release 5.6 --format csv xattr_handler").text,
            "table,method,column,value\nxattr_handler operations,list,i_rwsem(inode),no\n"
            "xattr_handler operations,get,i_rwsem(inode),no\n"
            "xattr_handler operations,set,i_rwsem(inode),exclusive\n");
  EXPECT_EQ(holdfast("rules prototypes --release 6.6 --format csv buffer_head").text,
            "table,method,prototype\n"
            "buffer_head,b_end_io,\"void (*b_end_io)(struct buffer_head *bh, int uptodate);\"\n");
  for (const char* table : {"inode_operations", "address_space_operations", "file_operations"})
    for (const std::string& line :
         synthetic::lines_of(holdfast(std::string("rules ") + table).text))
      EXPECT_LE(line.size(), 100u) << line;
}

TEST_F(rules_command, unknown_names_are_answered_with_near_ones) {
  const outcome method = holdfast("rules inode_operations.renam 2>&1");
  EXPECT_EQ(method.status, 2);
  EXPECT_THAT(method.text, HasSubstr("did you mean rename"));
  EXPECT_EQ(holdfast("rules no_such_thing 2>&1").status, 2);
  const outcome release = holdfast("rules --release 4.2 2>&1");
  EXPECT_EQ(release.status, 2);
  EXPECT_THAT(release.text, HasSubstr("3.5, 4.1, 4.4, 5.6, 6.6"));
  const outcome several = holdfast("rules open 2>&1");
  EXPECT_EQ(several.status, 2);
  EXPECT_THAT(several.text, HasSubstr("vm_operations_struct.open"));
  EXPECT_EQ(holdfast("rules diff 6.6 6.7 2>&1").status, 2);
}

TEST_F(rules_command, imports_a_document) {
  EXPECT_EQ(holdfast("rules import " + file + " --format csv 2>/dev/null").text,
            synthetic::rules_csv);
  EXPECT_EQ(holdfast("rules import " + file + " --prototypes --format csv").text,
            synthetic::prototypes_csv);
  EXPECT_THAT(holdfast("rules import " + file).text, HasSubstr("stop has no semicolon"));
  const auto json = nlohmann::json::parse(holdfast("rules import " + file + " --format json").text);
  EXPECT_EQ(json["tables"][0]["rows"][1]["cells"]["toy_lock"], "yes (both)");
  EXPECT_EQ(json["notes"].size(), 1u);
}

TEST_F(rules_command, a_malformed_document_is_an_error_with_its_line) {
  write("no document\nat all\n");
  const outcome nothing = holdfast("rules import " + file + " 2>&1");
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.text, HasSubstr(file + ":1: "));
  write(synthetic::as_diff(synthetic::plain).substr(0, 900));
  const outcome half = holdfast("rules import " + file + " --format csv 2>/dev/null");
  EXPECT_EQ(half.status, 1);
  EXPECT_EQ(half.text, "");
  EXPECT_EQ(holdfast("rules import /no/such/file 2>&1").status, 1);
}

TEST_F(rules_command, compares_releases_and_files) {
  EXPECT_THAT(holdfast("rules diff 6.6 6.6").text, HasSubstr("the same rules"));
  const outcome text = holdfast("rules diff 4.1 6.6");
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.text, HasSubstr("readpage -> read_folio"));
  EXPECT_THAT(holdfast("rules diff 4.1 6.6 --format csv").text,
              StartsWith("change,table,method,column,old,new\n"));
  const outcome with_file = holdfast("rules diff 6.6 " + file + " --format csv");
  EXPECT_EQ(with_file.status, 0);
  EXPECT_THAT(with_file.text, HasSubstr("table added,toy_operations,"));
  EXPECT_THAT(with_file.text, HasSubstr("method added,super_operations,sync_toys,,,sync_toys\n"));
  EXPECT_THAT(with_file.text, Not(HasSubstr("method added,super_operations,put_super,")));
  const auto json = nlohmann::json::parse(holdfast("rules diff 3.5 4.1 --format json").text);
  EXPECT_GT(json.size(), 10u);
}

}  // namespace
}  // namespace holdfast
