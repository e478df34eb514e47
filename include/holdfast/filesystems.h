// SPDX-License-Identifier: Apache-2.0
//
// The file systems that come with Holdfast. Registering makes a type known to mounts; nothing
// registers itself.
#pragma once

#include "holdfast/result.h"

HF_NAMESPACE_BEGIN

// "tmpfs": files in memory, gone with the last mount. Error EBUSY: registered already.
Status register_tmpfs();

HF_NAMESPACE_END
