// SPDX-License-Identifier: Apache-2.0
//
// Reads one rules file. The format is described at the head of rules/6.6.rules.
//
// 1. What is not understood is refused, by a syntax_error that names its line. Nothing is guessed,
//    nothing is skipped.
// 2. An older edition is read next to the native one, which must have what it refers to.
#pragma once

#include <iosfwd>

#include "rulec/source.h"

namespace rulec {

// native: null for the native edition itself, and for a file that stands alone.
edition parse(std::istream& in, const edition* native);

}  // namespace rulec
