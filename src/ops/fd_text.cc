// SPDX-License-Identifier: Apache-2.0
//
// A descriptor's number in reports of violations.
#include <charconv>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

void fd_text::write(int fd) {
  len_ = static_cast<uint8_t>(std::to_chars(buf_, buf_ + sizeof buf_, fd).ptr - buf_);
}

HF_NAMESPACE_END
