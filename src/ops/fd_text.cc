// SPDX-License-Identifier: Apache-2.0
//
// A descriptor in reports of violations: "fd 3".
#include <charconv>

#include "ops/internal.h"

HF_NAMESPACE_BEGIN

void fd_text::write(int fd) {
  buf_[0] = 'f';
  buf_[1] = 'd';
  buf_[2] = ' ';
  len_ = static_cast<uint8_t>(std::to_chars(buf_ + 3, buf_ + sizeof buf_, fd).ptr - buf_);
}

HF_NAMESPACE_END
