// SPDX-License-Identifier: Apache-2.0
//
// The kernel's id of the calling thread.
#pragma once

#include <cstdint>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

int32_t thread_id();

HF_NAMESPACE_END
