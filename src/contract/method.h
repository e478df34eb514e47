// SPDX-License-Identifier: Apache-2.0
//
// Ids of the native edition's methods, from the tables' own lists.
//
// 1. An id is <section>_<method>: method_id::inode_lookup, method_id::dentry_d_revalidate.
// 2. table_check.cc proves at compile time that the lists and the rules have the same methods.
#pragma once

#include <string_view>

#include "contract/rule.h"
#include "holdfast/operations.h"

HF_NAMESPACE_BEGIN

enum class method_id : uint16_t {
#define HF_ID(name, ...) dentry_##name,
  HOLDFAST_DENTRY_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) inode_##name,
      HOLDFAST_INODE_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) xattr_##name,
          HOLDFAST_XATTR_HANDLER(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) super_##name,
              HOLDFAST_SUPER_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) fstype_##name,
                  HOLDFAST_FILE_SYSTEM_TYPE(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) aops_##name,
                      HOLDFAST_ADDRESS_SPACE_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) flock_##name,
                          HOLDFAST_FILE_LOCK_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) lockmgr_##name,
                              HOLDFAST_LOCK_MANAGER_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) bh_##name,
                                  HOLDFAST_BUFFER_HEAD(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) bdev_##name,
                                      HOLDFAST_BLOCK_DEVICE_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) file_##name,
                                          HOLDFAST_FILE_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) dquot_##name,
                                              HOLDFAST_DQUOT_OPERATIONS(HF_ID)
#undef HF_ID
#define HF_ID(name, ...) vm_##name,
                                                  HOLDFAST_VM_OPERATIONS_STRUCT(HF_ID)
#undef HF_ID
};

struct method_entry {
  table_id table;
  std::string_view name;
};

// Indexed by method_id.
inline constexpr method_entry methods[] = {
#define HF_ROW(name, ...) {HF_TABLE, #name},
#define HF_TABLE table_id::dentry_operations
    HOLDFAST_DENTRY_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::inode_operations
        HOLDFAST_INODE_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::xattr_handler
            HOLDFAST_XATTR_HANDLER(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::super_operations
                HOLDFAST_SUPER_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::file_system_type
                    HOLDFAST_FILE_SYSTEM_TYPE(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::address_space_operations
                        HOLDFAST_ADDRESS_SPACE_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::file_lock_operations
                            HOLDFAST_FILE_LOCK_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::lock_manager_operations
                                HOLDFAST_LOCK_MANAGER_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::buffer_head
                                    HOLDFAST_BUFFER_HEAD(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::block_device_operations
                                        HOLDFAST_BLOCK_DEVICE_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::file_operations
                                            HOLDFAST_FILE_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::dquot_operations
                                                HOLDFAST_DQUOT_OPERATIONS(HF_ROW)
#undef HF_TABLE
#define HF_TABLE table_id::vm_operations_struct
                                                    HOLDFAST_VM_OPERATIONS_STRUCT(HF_ROW)
#undef HF_TABLE
#undef HF_ROW
};
inline constexpr size_t method_count = sizeof(methods) / sizeof(methods[0]);

constexpr const method_entry& entry_of(method_id m) {
  return methods[static_cast<size_t>(m)];
}

HF_NAMESPACE_END
