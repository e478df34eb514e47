// SPDX-License-Identifier: Apache-2.0
//
// Device numbers (major 0) for superblocks without a device: a bitmap, smallest free number first.
//
// 1. No lock: a number is taken by setting its bit. Called under sb_lock, so nothing here blocks.
// 2. Minor 0 is never given out: st_dev 0 means "none" to many programs.
#include <sys/sysmacros.h>

#include <bit>
#include <cerrno>

#include "core/super/super_internal.h"

HF_NAMESPACE_BEGIN

namespace {

constexpr unsigned minors = 1u << 20;
constinit std::atomic<uint64_t> used[minors / 64] = {1};

}  // namespace

Result<dev_t> get_anon_dev() {
  for (unsigned w = 0; w < minors / 64; ++w) {
    uint64_t bits = used[w].load(std::memory_order_relaxed);
    while (~bits != 0) {
      const unsigned b = static_cast<unsigned>(std::countr_one(bits));
      if (used[w].compare_exchange_weak(bits, bits | uint64_t{1} << b, std::memory_order_relaxed))
        return makedev(0, w * 64 + b);
    }
  }
  return Error(EMFILE);
}

void free_anon_dev(dev_t dev) {
  const unsigned n = minor(dev);
  if (n != 0) used[n / 64].fetch_and(~(uint64_t{1} << n % 64), std::memory_order_relaxed);
}

Status set_anon_super(super_block& sb, void*) {
  HF_TRY_ASSIGN(sb.s_dev, get_anon_dev());
  return {};
}

HF_NAMESPACE_END
