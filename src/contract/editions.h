// SPDX-License-Identifier: Apache-2.0
//
// All editions of the contract that were compiled in.
//
// 1. Oldest first; the last one is the native edition, which the gates check.
// 2. Constant data: nothing is initialised at start-up, everything lives as long as the program.
#pragma once

#include <span>
#include <string_view>

#include "contract/rule.h"

HF_NAMESPACE_BEGIN

std::span<const edition_rules* const> editions();

// The edition of a release ("4.4"), or null.
const edition_rules* find_edition(std::string_view release);

HF_NAMESPACE_END
