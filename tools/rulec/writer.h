// SPDX-License-Identifier: Apache-2.0
//
// Writes an edition as a constexpr C++ header. The same edition gives the same text, byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "rulec/source.h"

namespace rulec {

// source: the rules file's name, for the header's first line.
std::string header_of(const edition& e, std::string_view source);

}  // namespace rulec
