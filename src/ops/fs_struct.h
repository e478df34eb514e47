// SPDX-License-Identifier: Apache-2.0
//
// Root and working directory of a task: reading and replacing them.
//
// A path walk reads them under RCU and fs_struct::seq; a replacement is published under
// fs_struct::lock and seq's write side, and gives the old place's references back after both.
#pragma once

#include "holdfast/task.h"

HF_NAMESPACE_BEGIN

path_ref get_fs_root(fs_struct& fs);
path_ref get_fs_pwd(fs_struct& fs);
// References on `p` are taken. May block (the old place's last reference may go).
void set_fs_root(fs_struct& fs, const path& p);
void set_fs_pwd(fs_struct& fs, const path& p);

HF_NAMESPACE_END
