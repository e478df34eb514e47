// SPDX-License-Identifier: Apache-2.0
//
// Errors that end a command. The text says what failed and what to do about it; main() prints it
// after "holdfast: " and exits with 1.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

namespace holdfast::app {

class user_error : public std::runtime_error {
 public:
  explicit user_error(const std::string& text) : std::runtime_error(text) {}
};

inline std::string error_text(int code) {
  return strerror(code);
}

}  // namespace holdfast::app
