// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer target: the document parser. `scripts/fuzz document SECONDS` builds and runs it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/document_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bool accepted = false;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string wrong = holdfast::document_check::check(text, accepted);
  if (!wrong.empty()) {
    fprintf(stderr, "%s\n", wrong.c_str());
    abort();
  }
  return 0;
}
