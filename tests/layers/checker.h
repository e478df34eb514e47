// SPDX-License-Identifier: Apache-2.0
// Checks of the source tree itself: which folder may include which, and that methods of operation
// tables are called in one place. Works on text, so that it also sees code that a configuration
// does not compile. Paths are relative to the root of the tree, with '/'.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::layers {

// One thing that is wrong. line counts from 1.
struct finding {
  std::string file;
  int line = 0;
  std::string what;
};

// Says whether the tree has a file of this relative path; decides what a quoted include means.
using exists_fn = std::function<bool(const std::string&)>;

// Includes that go against the arrows of the layers.
std::vector<finding> check_includes(const std::string& path, std::string_view text,
                                    const exists_fn& exists);

// Methods of operation tables that are called, copied or aliased outside the dispatchers.
std::vector<finding> check_one_door(const std::string& path, std::string_view text);

// The licence line on top, and a file's length.
std::vector<finding> check_form(const std::string& path, std::string_view text);

// The text with comments blanked out, and string and character literals too unless keep_strings.
// Line breaks stay, so positions still name lines.
std::string blank_out(std::string_view text, bool keep_strings);

// Every .h and .cc of the tree below the folder, sorted.
std::vector<std::string> source_files(const std::string& root, const std::string& folder);

}  // namespace holdfast::layers
