// SPDX-License-Identifier: Apache-2.0
//
// memcpy for data between callers' buffers and page-aligned folios.
//
// The C library copies such lengths with one string instruction. Where the destination lies 1 to 31
// bytes above the source modulo 4096 (what malloc's header does to a large buffer beside an aligned
// folio), loads then seem to depend on the stores just before them, and a copy of 4 KiB takes up to
// forty times as long. Such copies go backwards, so that no load follows a store that looks like
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

void copy_backwards(void* dst, const void* src, size_t n);

// The ranges don't overlap.
inline void copy_bytes(void* dst, const void* src, size_t n) {
  constexpr size_t worth_it = 512;
  const auto ahead =
      (reinterpret_cast<uintptr_t>(dst) - reinterpret_cast<uintptr_t>(src)) & uintptr_t{4095};
  if (n >= worth_it && ahead - 1 < 31) [[unlikely]]
    return copy_backwards(dst, src, n);
  std::memcpy(dst, src, n);
}

HF_NAMESPACE_END
