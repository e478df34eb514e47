// SPDX-License-Identifier: Apache-2.0
//
// What operations on attributes exchange: kstat out, iattr in, kstatfs for a whole file system.
#pragma once

#include "holdfast/types.h"

HF_NAMESPACE_BEGIN

struct kstat {
  uint32_t result_mask = 0;  // STATX_*
  umode_t mode = 0;
  uint32_t nlink = 0;
  uint32_t blksize = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t attributes = 0;  // STATX_ATTR_*
  uint64_t attributes_mask = 0;
  uint64_t ino = 0;
  dev_t dev = 0;
  dev_t rdev = 0;
  loff_t size = 0;
  uint64_t blocks = 0;  // of 512 bytes
  timespec64 atime, mtime, ctime, btime;
  uint64_t mnt_id = 0;
  uint32_t generation = 0;  // inode generation: with ino the identity that a handle carries
  uint64_t change_cookie = 0;
};

// `ia_valid` says which members hold (attr_*). Ids are the file system's (already mapped).
struct iattr {
  unsigned ia_valid = 0;
  umode_t ia_mode = 0;
  uid_t ia_uid = 0;
  gid_t ia_gid = 0;
  loff_t ia_size = 0;
  timespec64 ia_atime{}, ia_mtime{}, ia_ctime{};
  file* ia_file = nullptr;  // with attr_file: the descriptor the request came through
};

struct kstatfs {
  long f_type = 0;
  long f_bsize = 0;
  uint64_t f_blocks = 0, f_bfree = 0, f_bavail = 0;
  uint64_t f_files = 0, f_ffree = 0;
  uint64_t f_fsid = 0;
  long f_namelen = 0;
  long f_frsize = 0;
  long f_flags = 0;  // ST_*
};

HF_NAMESPACE_END
