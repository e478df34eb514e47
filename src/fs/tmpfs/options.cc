// SPDX-License-Identifier: Apache-2.0
//
// Mount options, by tmpfs(5).
#include <unistd.h>

#include <cerrno>

#include "fs/tmpfs/tmpfs.h"
#include "holdfast/file.h"

HF_NAMESPACE_BEGIN
namespace tmpfs {
namespace {

uint64_t ram_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size) : 0;
}

Result<uint32_t> number(std::string_view text, unsigned base, uint32_t max) {
  if (text.empty()) return Error(EINVAL);
  uint64_t n = 0;
  for (char c : text) {
    if (c < '0' || c >= static_cast<char>('0' + base)) return Error(EINVAL);
    n = n * base + static_cast<unsigned>(c - '0');
    if (n > max) return Error(EINVAL);
  }
  return static_cast<uint32_t>(n);
}

struct huge_name {
  std::string_view name;
  huge_policy policy;
};
constexpr huge_name huge_names[] = {{"never", huge_policy::never},
                                    {"always", huge_policy::always},
                                    {"within_size", huge_policy::within_size},
                                    {"advise", huge_policy::advise}};

Status one(std::string_view key, std::string_view value, void* arg) {
  options& o = *static_cast<options*>(arg);
  if (key == "size") {
    HF_TRY_ASSIGN(const uint64_t bytes, parse_size(value, ram_bytes()));
    o.max_blocks = (bytes >> page_shift) + (bytes % page_size != 0);
    o.has_blocks = true;
  } else if (key == "nr_blocks") {
    HF_TRY_ASSIGN(o.max_blocks, parse_size(value, 0));
    if (o.max_blocks > UINT64_MAX >> page_shift) return Error(EINVAL);
    o.has_blocks = true;
  } else if (key == "nr_inodes") {
    HF_TRY_ASSIGN(o.max_inodes, parse_size(value, 0));
    if (o.max_inodes > UINT64_MAX / bogo_inode_size) return Error(EINVAL);
    o.has_inodes = true;
  } else if (key == "mode") {
    HF_TRY_ASSIGN(o.mode, number(value, 8, UINT32_MAX));
    o.mode &= 07777;
  } else if (key == "uid") {
    HF_TRY_ASSIGN(o.uid, number(value, 10, UINT32_MAX - 1));
  } else if (key == "gid") {
    HF_TRY_ASSIGN(o.gid, number(value, 10, UINT32_MAX - 1));
  } else if (key == "huge") {
    for (const huge_name& h : huge_names)
      if (value == h.name) {
        o.huge = h.policy;
        o.has_huge = true;
        return {};
      }
    return Error(EINVAL);
  } else if (key == "noswap" && value.empty()) {
    o.noswap = true;  // nothing is ever swapped here: kept so that it can be shown
  } else if (key == "inode64" && value.empty()) {
    // the only width there is
  } else {
    return Error(EINVAL);
  }
  return {};
}

}  // namespace

uint64_t default_max_blocks() {
  return (ram_bytes() >> page_shift) / 2;
}

Result<options> read_options(std::string_view data) {
  options o;
  o.max_blocks = default_max_blocks();
  o.max_inodes = default_max_blocks();
  HF_TRY(parse_options(data, one, &o));
  return o;
}

Status apply_remount(sb_info& sbi, const options& o) {
  // A file system without a limit has not been counting against one that could be kept from now on.
  if (o.has_blocks && o.max_blocks) {
    if (!sbi.max_blocks.load(std::memory_order_relaxed)) return Error(EINVAL);
    if (sbi.used_blocks.load(std::memory_order_relaxed) > o.max_blocks) return Error(EINVAL);
  }
  if (o.has_inodes && o.max_inodes) {
    if (!sbi.max_inodes.load(std::memory_order_relaxed)) return Error(EINVAL);
    if (sbi.used_ispace.load(std::memory_order_relaxed) > o.max_inodes * bogo_inode_size)
      return Error(EINVAL);
  }
  if (o.noswap && !sbi.noswap) return Error(EINVAL);
  if (o.has_blocks) sbi.max_blocks.store(o.max_blocks, std::memory_order_relaxed);
  if (o.has_inodes) sbi.max_inodes.store(o.max_inodes, std::memory_order_relaxed);
  if (o.has_huge) sbi.huge = o.huge;
  return {};
}

void write_options(const sb_info& sbi, seq_file& m) {
  const uint64_t blocks = sbi.max_blocks.load(std::memory_order_relaxed);
  const uint64_t inodes = sbi.max_inodes.load(std::memory_order_relaxed);
  if (blocks != default_max_blocks()) {
    m.put(",size=");
    m.put_num(blocks << (page_shift - 10));
    m.put("k");
  }
  if (inodes != default_max_blocks()) {
    m.put(",nr_inodes=");
    m.put_num(inodes);
  }
  if (sbi.mode != 01777) {
    m.put(",mode=");
    m.put_octal(sbi.mode);
  }
  if (sbi.uid) {
    m.put(",uid=");
    m.put_num(sbi.uid);
  }
  if (sbi.gid) {
    m.put(",gid=");
    m.put_num(sbi.gid);
  }
  for (const huge_name& h : huge_names)
    if (sbi.huge == h.policy) {
      m.put(",huge=");
      m.put(h.name);
    }
  if (sbi.noswap) m.put(",noswap");
  m.put(",inode64");
}

}  // namespace tmpfs
HF_NAMESPACE_END
