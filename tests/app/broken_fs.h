// SPDX-License-Identifier: Apache-2.0
//
// A file system that breaks rules on purpose, one for each kind of finding:
//   rename   returns with a lock that it took
//   mkdir    takes two locks in one order, create in the other
//   rmdir    fails, obeying every rule
#pragma once

#include "holdfast/libfs.h"
#include "holdfast/sync/guard.h"

namespace holdfast::app_test {

// Registered once a process under the name "broken".
Status register_broken_fs();

}  // namespace holdfast::app_test
