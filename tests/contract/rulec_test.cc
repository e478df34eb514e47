// SPDX-License-Identifier: Apache-2.0
//
// rulec refuses what it doesn't understand, with file and line, and writes nothing then.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

struct outcome {
  int status;
  std::string errors;
  std::string header;
  bool written;
};

class rulec_test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "holdfast_rulec_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }

  // native: the text of the native edition's rules, for an older edition.
  outcome run(const std::string& rules, const std::string& native = "") {
    const fs::path in = dir_ / "x.rules", out = dir_ / "x.h", err = dir_ / "err";
    const fs::path native_in = dir_ / "native.rules";
    fs::remove(out);
    std::ofstream(in, std::ios::binary) << rules;
    std::string command = std::string("'") + HOLDFAST_BINARY_DIR + "/rulec' '" + in.string() +
                          "' '" + out.string() + "'";
    if (!native.empty()) {
      std::ofstream(native_in, std::ios::binary) << native;
      command += " '" + native_in.string() + "'";
    }
    command += " 2>'" + err.string() + "'";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(err), slurp(out), fs::exists(out)};
  }

  static std::string slurp(const fs::path& p) {
    std::ostringstream text;
    text << std::ifstream(p, std::ios::binary).rdbuf();
    return text.str();
  }

  fs::path dir_;
};

const std::string head = "release 9.9\ndocument a test\n";  // lines 1, 2
const std::string table = head +
                          "table dentry_operations\n"               // 3
                          "column d_lock lock ->d_lock\n"           // 4
                          "column may_block may_block may block\n"  // 5
                          "row d_hash | no | yes\n";                // 6
const std::string inode = head +
                          "table inode_operations\n"              // 3
                          "column i_rwsem lock i_rwsem(inode)\n"  // 4
                          "row lookup | shared\n";                // 5
const std::string rule = inode +
                         "rule 9.9-inode-1\n"         // 6
                         "  on *\n"                   // 7
                         "  says all may block\n"     // 8
                         "  check gate: at entry\n";  // 9

TEST_F(rulec_test, a_small_file_compiles) {
  const outcome o =
      run(rule + "blocking * blocks by 9.9-inode-1\nproto lookup = int (*lookup)(int);\n");
  EXPECT_EQ(o.status, 0) << o.errors;
  EXPECT_NE(o.header.find("namespace rules_9_9"), std::string::npos);
  EXPECT_NE(o.header.find("requirement_kind::shared"), std::string::npos);
  EXPECT_NE(o.header.find("\"all may block\""), std::string::npos);
}

TEST_F(rulec_test, the_same_input_gives_the_same_output) {
  EXPECT_EQ(run(rule).header, run(rule).header);
}

TEST_F(rulec_test, a_table_without_heading_goes_by_its_name) {
  EXPECT_NE(run(inode).header.find("{table_id::inode_operations, \"inode_operations\"}"),
            std::string::npos);
  const outcome o = run(head + "table xattr_handler\nheading xattr_handler  operations\n");
  EXPECT_EQ(o.status, 0) << o.errors;
  EXPECT_NE(o.header.find("{table_id::xattr_handler, \"xattr_handler operations\"}"),
            std::string::npos);
}

TEST_F(rulec_test, a_column_may_lack_its_heading) {
  const outcome o = run(head + "table super_operations\ncolumn note note -\n");
  EXPECT_EQ(o.status, 0) << o.errors;
  EXPECT_NE(o.header.find("column::note, column_kind::note, \"\"}"), std::string::npos);
}

// --- an older edition, next to the native one ---

const std::string native =
    rule +  // release 9.9
    "rule 9.9-inode-2\n  on *\n  says x\n  not checkable: y\n"
    "row get_link | no\n"
    "table xattr_handler\ncolumn i_rwsem lock i_rwsem(inode)\nrow set | exclusive\n"
    "rule 9.9-xattr-1\n  on *\n  says x\n  check gate: y\n";
const std::string older =
    "release 1.0\ndocument an old test\n"   // 1, 2
    "table inode_operations\n"              // 3
    "column i_mutex lock i_mutex(inode)\n"  // 4
    "row lookup | yes\n"                    // 5
    "successor column i_mutex i_rwsem\n";   // 6
const std::string old_rule = older +
                             "rule 1.0-inode-1\n"         // 7
                             "  on *\n"                   // 8
                             "  says all could block\n";  // 9

TEST_F(rulec_test, an_older_edition_refers_to_the_native_one) {
  const outcome o = run(older +
                            "row follow_link | no\n"
                            "row put_link | no\n"
                            "row setxattr | yes\n"
                            "successor follow_link get_link\n"
                            "successor put_link none: the delayed call does it\n"
                            "successor setxattr xattr_handler.set\n"
                            "rule 1.0-inode-1\n  on *\n  says a\n  same 9.9-inode-1\n"
                            "rule 1.0-inode-2\n  on *\n  says b\n  check adapter: by it\n"
                            "rule 1.0-inode-3\n  on *\n  says c\n  not checkable: so it is\n",
                        native);
  EXPECT_EQ(o.status, 0) << o.errors;
  const char* const lines[] = {
      "{table_id::inode_operations, \"follow_link\", table_id::inode_operations, \"get_link\", "
      "\"\"}",
      "{table_id::inode_operations, \"put_link\", table_id::inode_operations, \"\", "
      "\"the delayed call does it\"}",
      "{table_id::inode_operations, \"setxattr\", table_id::xattr_handler, \"set\", \"\"}",
      "{table_id::inode_operations, column::i_mutex, column::i_rwsem}",
      "checked_by::same, \"\", \"9.9-inode-1\"}",
      "checked_by::adapter, \"by it\", \"\"}",
      "checked_by::not_checkable, \"so it is\", \"\"}",
  };
  for (const char* line : lines) EXPECT_NE(o.header.find(line), std::string::npos) << line;
}

TEST_F(rulec_test, an_error_in_the_native_edition_is_reported_there) {
  const outcome o = run(older, native + "nonsense\n");
  EXPECT_EQ(o.status, 1);
  EXPECT_FALSE(o.written);
  EXPECT_NE(o.errors.find("native.rules:22: unknown keyword 'nonsense'"), std::string::npos)
      << o.errors;
}

TEST_F(rulec_test, a_wrong_reference_is_refused_with_its_line) {
  struct bad {
    std::string text;
    int line;
    const char* message;
  };
  const bad cases[] = {
      {older + "row follow_link | no\n", 7, "'follow_link' is not native and has no 'successor'"},
      {older + "proto put_link = int (*put_link)(int);\n", 7, "'put_link' is not native"},
      {older + "row follow_link | no\nsuccessor follow_link\n", 8, "a method's name is missing"},
      {older + "row follow_link | no\nsuccessor follow_link gone\n", 8, "has no method 'gone'"},
      {older + "row follow_link | no\nsuccessor follow_link *\n", 8, "not a native method"},
      {older + "row follow_link | no\nsuccessor follow_link set\n", 8, "has no method 'set'"},
      {older + "row follow_link | no\nsuccessor follow_link x.set\n", 8, "unknown table 'x'"},
      {older + "row follow_link | no\nsuccessor follow_link none\n", 8, "no reason"},
      {older + "row follow_link | no\nsuccessor follow_link none:\n", 8, "no reason"},
      {older + "successor follow_link get_link\n", 7, "has neither row nor prototype"},
      {older + "successor lookup lookup\nsuccessor lookup lookup\n", 8, "a successor already"},
      {older + "successor column i_mutex i_rwsem\n", 7, "a successor already"},
      {older + "successor column bd_mutex i_rwsem\n", 7, "the table has no column 'bd_mutex'"},
      {older + "successor column i_mutex flc_lock\n", 7, "native table has no column 'flc_lock'"},
      {older + "successor column wrong i_rwsem\n", 7, "unknown column 'wrong'"},
      {older.substr(0, older.rfind("successor")), 4,
       "'i_mutex' is not native and has no successor"},
      {old_rule + "  same 9.9-inode-9\n", 10, "no rule '9.9-inode-9'"},
      {old_rule + "  same 9.9-inode-2\n", 10, "isn't checked either"},
      {old_rule + "  same 9.9-xattr-1\n", 10, "is of another section"},
      {old_rule + "  same 9.9-inode-1\n  not checkable: x\n", 11, "checked by one"},
      {old_rule + "  check gate: x\n", 10, "checked by its adapter, or by the same rule"},
      {old_rule + "  check same: x\n", 10, "'check' by whom? 'same'"},
      {old_rule + "  check adapter\n", 10, "'check' without saying how"},
      {old_rule, 7, "lacks 'check', 'same' or 'not checkable'"},
      {older + "successor rename\n", 7, "a method's name is missing"},
  };
  for (const bad& b : cases) {
    const outcome o = run(b.text, native);
    SCOPED_TRACE(b.text + "--> " + o.errors);
    EXPECT_EQ(o.status, 1);
    EXPECT_FALSE(o.written);
    const std::string prefix = (dir_ / "x.rules").string() + ":" + std::to_string(b.line) + ": ";
    EXPECT_EQ(o.errors.substr(0, prefix.size()), prefix);
    EXPECT_NE(o.errors.find(b.message), std::string::npos);
  }
}

TEST_F(rulec_test, malformed_input_is_refused_with_its_line) {
  struct bad {
    std::string text;
    int line;
    const char* message;
  };
  const bad cases[] = {
      {"", 1, "the file is empty"},
      {"table dentry_operations\n", 1, "the first line must be 'release R'"},
      {"release\n", 1, "'release' without a name"},
      {"release 6/6\n", 1, "letters, digits and dots"},
      {"release 6.6\nrelease 6.6\n", 2, "a second 'release'"},
      {"release 6.6\n", 2, "no 'document'"},
      {head + "document again\n", 3, "a second 'document'"},
      {head + "tabel x\n", 3, "unknown keyword 'tabel'"},
      {head + "table dentries\n", 3, "unknown table 'dentries'"},
      {head + "row x | no\n", 3, "'row' outside of a table"},
      {head + "table inode_operations\ntable dentry_operations\n", 4, "out of order"},
      {head + "table inode_operations\ncolumn wrong lock x\n", 4, "unknown column 'wrong'"},
      {head + "table inode_operations\ncolumn i_rwsem wrong x\n", 4, "unknown kind of column"},
      {head + "table inode_operations\ncolumn i_rwsem lock\n", 4, "without a heading"},
      {head + "table inode_operations\nrow lookup | no\n", 4, "a table without columns"},
      {inode + "column d_lock lock x\n", 6, "a column after the table's first row"},
      {head + "table inode_operations\ncolumn i_rwsem lock a\ncolumn i_rwsem lock b\n", 5, "twice"},
      {inode + "row create | exclusive | no\n", 6, "has 2 cells, the table has 1 columns"},
      {inode + "row create\n", 6, "has 0 cells, the table has 1 columns"},
      {inode + "row create | perhaps\n", 6, "no reading for the cell 'perhaps'"},
      {inode + "row lookup | no\n", 6, "has a row already"},
      {inode + "row look-up | no\n", 6, "not a method's name"},
      {inode + "row | no\n", 6, "a method's name is missing"},
      {inode + "reading lookup i_rwsem unchecked\n", 6, "a reading says why"},
      {inode + "reading create i_rwsem unchecked: x\n", 6, "no row above"},
      {inode + "reading lookup d_lock unchecked: x\n", 6, "the table has no column 'd_lock'"},
      {inode + "reading lookup i_rwsem maybe_so: x\n", 6, "unknown requirement 'maybe_so'"},
      {inode + "blocking * blocks\n", 6, "is expected"},
      {inode + "blocking * shared by 9.9-inode-1\n", 6, "does not speak about blocking"},
      {inode + "blocking * blocks by 9.9-inode-1\n", 6, "unknown rule '9.9-inode-1'"},
      {rule + "blocking x blocks by 9.9-inode-1\n", 10, "neither row nor prototype"},
      {rule + "blocking * blocks by 9.9-inode-1\nblocking * blocks by 9.9-inode-1\n", 11, "twice"},
      {table + "blocking * blocks by 9.9-dentry-1\n", 7, "a column that speaks about blocking"},
      {inode + "proto lookup int\n", 6, "'proto METHOD = C prototype'"},
      {inode + "proto lookup = int (*create)(int);\n", 6, "does not name 'lookup'"},
      {inode + "proto lookup = int (*lookup)();\nproto lookup = int (*lookup)();\n", 7, "already"},
      {inode + "rule 6.6-inode-1\n", 6, "a rule is named 9.9-SECTION-NUMBER"},
      {inode + "rule 9.9-inodes-1\n", 6, "unknown section 'inodes'"},
      {inode + "rule 9.9-inode-x\n", 6, "a rule's number is 1 to 255"},
      {inode + "rule 9.9-inode-2\n", 6, "number 1 is next"},
      {rule + "rule 9.9-inode-1\n  on *\n", 10, "number 2 is next"},
      {rule + "rule 9.9-dentry-1\n  on *\n", 10, "out of order"},
      {inode + "  says x\n", 6, "an indented line outside of a rule"},
      {inode + "rule 9.9-inode-1\n  says x\n  check gate: y\n", 6, "lacks 'on'"},
      {inode + "rule 9.9-inode-1\n  on *\n  check gate: y\n", 6, "lacks 'says'"},
      {inode + "rule 9.9-inode-1\n  on *\n  says x\n", 6,
       "lacks 'check', 'same' or 'not checkable'"},
      {inode + "rule 9.9-inode-1\n  on create\n  says x\n  check gate: y\n", 6,
       "neither row nor prototype"},
      {inode + "rule 9.9-inode-1\n  on *\n  on *\n", 8, "a second 'on'"},
      {inode + "rule 9.9-inode-1\n  on\n", 7, "'on' without a method"},
      {inode + "rule 9.9-inode-1\n  on *\n  says\n", 8, "'says' without a text"},
      {inode + "rule 9.9-inode-1\n  check nobody: x\n", 7, "'check' by whom? 'nobody'"},
      {inode + "rule 9.9-inode-1\n  check gate\n", 7, "'check' without saying how"},
      {inode + "rule 9.9-inode-1\n  not checkable:\n", 7, "'not checkable' without a reason"},
      {inode + "rule 9.9-inode-1\n  check gate: x\n  check test: x\n", 8, "checked by one"},
      {inode + "rule 9.9-inode-1\n  wants x\n", 7, "unknown part of a rule 'wants'"},
      {inode + "heading\n", 6, "'heading' without a text"},
      {inode + "heading inode_operations\n", 6, "goes without saying"},
      {inode + "heading a\nheading b\n", 7, "a second 'heading'"},
      {head + "heading a\n", 3, "'heading' outside of a table"},
      {inode + "successor lookup lookup\n", 6, "no native edition to find it in"},
      {inode + "successor column i_rwsem i_rwsem\n", 6, "no native edition to find it in"},
      {inode + "rule 9.9-inode-1\n  same 9.9-inode-1\n", 7, "no native edition to find it in"},
      {inode + "rule 9.9-inode-1\n  check adapter: x\n", 7, "an older edition's rules only"},
      {inode + "row caf\xc3\xa9 | no\n", 6, "only printable ASCII"},
  };
  for (const bad& b : cases) {
    const outcome o = run(b.text);
    SCOPED_TRACE(b.text + "--> " + o.errors);
    EXPECT_EQ(o.status, 1);
    EXPECT_FALSE(o.written);
    const std::string prefix = (dir_ / "x.rules").string() + ":" + std::to_string(b.line) + ": ";
    EXPECT_EQ(o.errors.substr(0, prefix.size()), prefix);
    EXPECT_NE(o.errors.find(b.message), std::string::npos);
  }
}

}  // namespace
