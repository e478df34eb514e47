// SPDX-License-Identifier: Apache-2.0
//
// What `holdfast status` and the demo show: the state of a server as JSON, and that JSON for
// people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "holdfast/contract.h"
#include "holdfast/fuse.h"

namespace holdfast::app {

// Of this process; `door` may be null (no mount).
nlohmann::json take_snapshot(const fuse_door* door);
// Every rule with its count.
nlohmann::json take_rules();

std::string describe_snapshot(const nlohmann::json& snapshot);
std::string describe_rules(const nlohmann::json& rules);

const char* mode_name(check_mode mode);

}  // namespace holdfast::app
