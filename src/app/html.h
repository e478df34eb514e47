// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace holdfast::app {

// Text to be put between tags or into a quoted attribute.
std::string html_escaped(std::string_view text);

}  // namespace holdfast::app
