// SPDX-License-Identifier: Apache-2.0
//
// rulec RULES HEADER [NATIVE]: compiles rules/<release>.rules into a constexpr C++ header. NATIVE
// is the rules file of the native edition, which an older one refers to.
//
// The format is described at the head of rules/6.6.rules, the model in src/contract/rule.h. An
// error is one line, "file:line: message", on stderr; the header is then not written and the exit
// status is 1.
//
// 1. What is not understood is refused. Nothing is guessed, nothing is skipped.
// 2. A header is written whole or not at all (a temporary file beside it is renamed over it).
// 3. The same input gives the same output, byte for byte.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include "rulec/parser.h"
#include "rulec/writer.h"

namespace {

bool write_whole(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    return false;
  }
  return true;
}

// Nothing, after a message, when the file can't be read or understood.
std::optional<rulec::edition> read(const std::string& path, const rulec::edition* native) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::cerr << path << ": can't be read\n";
    return std::nullopt;
  }
  try {
    return rulec::parse(in, native);
  } catch (const rulec::syntax_error& error) {
    std::cerr << path << ':' << error.line << ": " << error.message << '\n';
    return std::nullopt;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: rulec RULES HEADER [NATIVE]\n";
    return 2;
  }
  const std::string input = argv[1];
  std::optional<rulec::edition> native;
  if (argc == 4) {
    native = read(argv[3], nullptr);
    if (!native) return 1;
  }
  const auto edition = read(input, native ? &*native : nullptr);
  if (!edition) return 1;
  const std::string source = input.substr(input.rfind('/') + 1);
  if (!write_whole(argv[2], rulec::header_of(*edition, source))) {
    std::cerr << argv[2] << ": can't be written\n";
    return 1;
  }
  return 0;
}
