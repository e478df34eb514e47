// SPDX-License-Identifier: Apache-2.0
// Holds the tree to its layers, to one door, and to its form; and the checker to its promises, by
// planted violations.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "checker.h"

namespace holdfast::layers {
namespace {

std::string root() {
  return HOLDFAST_SOURCE_DIR;
}

std::string read(const std::string& path) {
  std::ifstream in(root() + "/" + path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool in_tree(const std::string& path) {
  return std::filesystem::is_regular_file(root() + "/" + path);
}

bool nowhere(const std::string&) {
  return false;
}

void report(const std::vector<finding>& found) {
  for (const finding& f : found) ADD_FAILURE() << f.file << ":" << f.line << ": " << f.what;
}

size_t include_findings(const std::string& path, std::string_view text) {
  return check_includes(path, text, nowhere).size();
}

size_t door_findings(std::string_view text) {
  return check_one_door("src/ops/x.cc", text).size();
}

// --- the tree ---

TEST(layers, includes_follow_the_arrows) {
  size_t files = 0;
  for (const char* folder : {"src", "include", "examples"}) {
    for (const std::string& path : source_files(root(), folder)) {
      report(check_includes(path, read(path), in_tree));
      ++files;
    }
  }
  EXPECT_GT(files, 0U) << "no sources below " << root();
}

TEST(layers, methods_are_called_by_dispatchers_alone) {
  for (const char* folder : {"src", "include", "examples", "sim", "bench"}) {
    for (const std::string& path : source_files(root(), folder)) {
      report(check_one_door(path, read(path)));
    }
  }
}

TEST(layers, every_file_has_its_form) {
  for (const char* folder : {"src", "include", "examples", "sim", "bench", "tests", "tools"}) {
    for (const std::string& path : source_files(root(), folder)) {
      report(check_form(path, read(path)));
    }
  }
}

// --- the checker: arrows ---

TEST(layers_checker, permits_what_lies_behind_the_arrow) {
  EXPECT_EQ(include_findings("src/sync/a.cc", "#include \"host/time.h\"\n"), 0U);
  EXPECT_EQ(include_findings("src/fs/ext4/a.cc", "#include \"base/result.h\"\n"), 0U);
  EXPECT_EQ(include_findings("src/fs/ext4/a.cc", "#include \"fs/ext4/inode.h\"\n"), 0U);
  EXPECT_EQ(include_findings("src/base/a.cc", "#include <holdfast/result.h>\n"), 0U);
  EXPECT_EQ(include_findings("src/app/a.cc", "#include \"ops/open.h\"\n"), 0U);
  EXPECT_EQ(include_findings("src/core/upcalls.h", "#include \"pagecache/folio.h\"\n"), 0U);
}

TEST(layers_checker, finds_an_include_against_the_arrow) {
  EXPECT_EQ(include_findings("src/base/a.cc", "#include \"sync/mutex.h\"\n"), 1U);
  EXPECT_EQ(include_findings("src/core/a.cc", "#include \"pagecache/folio.h\"\n"), 1U);
  EXPECT_EQ(include_findings("src/namei/a.cc", "#include \"locks/posix.h\"\n"), 1U);
  EXPECT_EQ(include_findings("src/fs/ext4/a.cc", "#include \"fs/tmpfs/inode.h\"\n"), 1U);
  EXPECT_EQ(include_findings("src/fs/tmpfs/a.cc", "#include \"ops/open.h\"\n"), 1U);
  EXPECT_EQ(include_findings("src/nonsense/a.cc", "int x;\n"), 1U);
}

TEST(layers_checker, doors_examples_and_the_api_see_the_api_only) {
  EXPECT_EQ(include_findings("src/front/fuse/a.cc", "#include <holdfast/vfs.h>\n"), 0U);
  EXPECT_EQ(include_findings("src/front/fuse/a.cc", "#include \"core/dentry.h\"\n"), 1U);
  EXPECT_EQ(include_findings("include/holdfast/a.h", "#include \"base/list.h\"\n"), 1U);
  EXPECT_EQ(include_findings("examples/a.cc", "#include \"core/dentry.h\"\n"), 1U);
}

TEST(layers_checker, a_path_out_of_the_folder_is_followed) {
  auto exists = [](const std::string& path) { return path == "src/sync/mutex.h"; };
  EXPECT_EQ(check_includes("src/base/a.cc", "#include \"../sync/mutex.h\"\n", exists).size(), 1U);
  EXPECT_EQ(check_includes("src/base/a.cc", "#include <sync/mutex.h>\n", exists).size(), 1U);
  EXPECT_EQ(check_includes("src/sync/a.cc", "#include \"mutex.h\"\n", exists).size(), 0U);
}

TEST(layers_checker, a_library_stays_in_its_folder) {
  EXPECT_EQ(include_findings("src/sync/rcu.cc", "#include <urcu/urcu-memb.h>\n"), 0U);
  EXPECT_EQ(include_findings("src/core/a.cc", "#include <urcu/urcu-memb.h>\n"), 1U);
  EXPECT_EQ(include_findings("src/ops/a.cc", "#include <fuse_lowlevel.h>\n"), 1U);
}

TEST(layers_checker, a_commented_include_is_none) {
  EXPECT_EQ(include_findings("src/base/a.cc", "// #include \"sync/mutex.h\"\n"), 0U);
  EXPECT_EQ(include_findings("src/base/a.cc", "/*\n#include \"sync/mutex.h\"\n*/\n"), 0U);
}

TEST(layers_checker, names_the_line) {
  auto found = check_includes("src/base/a.cc", "\n// x\n#include \"sync/mutex.h\"\n", nowhere);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, 3);
}

// --- the checker: one door ---

TEST(layers_checker, finds_a_call_through_a_table) {
  EXPECT_EQ(door_findings("r = dir.i_op->lookup(dir, dentry, 0);"), 1U);
  EXPECT_EQ(door_findings("r = dentry->d_op -> d_revalidate(dentry, 0);"), 1U);
  EXPECT_EQ(door_findings("sb.s_op->\n    evict_inode(inode);"), 1U);
  EXPECT_EQ(door_findings("(*file.f_op->read_iter)(iocb, iter);"), 1U);
  EXPECT_EQ(door_findings("mapping->a_ops.writepage(f);"), 1U);
  EXPECT_EQ(door_findings("inode.i_op.load(std::memory_order_acquire)->lookup(d);"), 1U);
  EXPECT_EQ(door_findings("sb.s_type->kill_sb(sb);"), 1U);
  EXPECT_GE(door_findings("type.mount(type, flags);"), 1U);
  EXPECT_EQ(door_findings("handler->get(*handler, dentry);"), 1U);
  EXPECT_EQ(door_findings("sb.handlers[i]->set(a, b);"), 1U);
  EXPECT_EQ(door_findings("fc->ops->get_tree(*fc);"), 1U);
}

TEST(layers_checker, finds_a_method_or_table_that_gets_another_name) {
  EXPECT_EQ(door_findings("auto f = dir.i_op->lookup;"), 1U);
  EXPECT_EQ(door_findings("call(dir.i_op->lookup);"), 1U);
  EXPECT_EQ(door_findings("const inode_operations* o = dir.i_op;"), 1U);
  EXPECT_EQ(door_findings("auto& o = *dir->i_op;"), 1U);
}

TEST(layers_checker, permits_null_tests_and_comparisons) {
  EXPECT_EQ(door_findings("if (dir.i_op->lookup == nullptr) return;"), 0U);
  EXPECT_EQ(door_findings("return dir.i_op->lookup != nullptr;"), 0U);
  EXPECT_EQ(door_findings("if (!dir.i_op->lookup) return;"), 0U);
  EXPECT_EQ(door_findings("if (dir.i_op->lookup) return;"), 0U);
  EXPECT_EQ(door_findings("if (a && dir->i_op->lookup && b) return;"), 0U);
  EXPECT_EQ(door_findings("if (dir.i_op == nullptr) return;"), 0U);
}

TEST(layers_checker, permits_tables_and_what_only_looks_like_a_call) {
  EXPECT_EQ(door_findings("inode.i_op = &tmpfs_dir_inode_operations;"), 0U);
  EXPECT_EQ(door_findings("file->f_op = inode.i_fop;"), 0U);
  EXPECT_EQ(door_findings("constexpr inode_operations o = { .lookup = simple_lookup };"), 0U);
  EXPECT_EQ(door_findings("// dir.i_op->lookup(dir)\n"), 0U);
  EXPECT_EQ(door_findings("log(\"dir.i_op->lookup(dir)\");"), 0U);
  EXPECT_EQ(door_findings("std::unique_ptr<x> handler; use(handler.get());"), 0U);
  EXPECT_EQ(check_one_door("src/core/dispatch/inode.cc", "dir.i_op->lookup(dir);").size(), 0U);
}

// --- the checker: text ---

TEST(layers_checker, blanks_out_literals_and_comments_in_place) {
  EXPECT_EQ(blank_out("a /* b\n */ c", false), "a     \n    c");
  EXPECT_EQ(blank_out("f(\"//\") // x", true), "f(\"//\")     ");
  EXPECT_EQ(blank_out("f(R\"(\" // )\");", false), "f(          );");
  EXPECT_EQ(blank_out("1'000'000 + 'a'", false), "1'000'000 +    ");
}

TEST(layers_checker, finds_a_missing_licence_and_a_long_file) {
  EXPECT_EQ(check_form("a.cc", "int x;\n").size(), 1U);
  std::string text = "// SPDX-License-Identifier: Apache-2.0\n";
  EXPECT_EQ(check_form("a.cc", text).size(), 0U);
  text.append(700, '\n');
  EXPECT_EQ(check_form("a.cc", text).size(), 1U);
}

}  // namespace
}  // namespace holdfast::layers
