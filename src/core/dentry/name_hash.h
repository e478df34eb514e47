// SPDX-License-Identifier: Apache-2.0
//
// The hash of a name, eight bytes a step, and the splitter that hashes a component while it looks
// for its end.
//
// 1. Both give the same value for the same bytes and salt. The salt is the parent's address, so
//    that equal names in different directories spread.
// 2. Nothing outside [begin, end) of the caller's string is read.
#pragma once

#include <bit>
#include <cstring>

#include "holdfast/types.h"

HF_NAMESPACE_BEGIN

namespace name_hash {

static_assert(std::endian::native == std::endian::little,
              "word-at-a-time splitting assumes little endian");

inline uint64_t start(const void* salt) {
  return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(salt)) * 0x9E3779B97F4A7C15u;
}
inline uint64_t step(uint64_t h, uint64_t word) {
  h = (h ^ word) * 0xD6E8FEB86659FD93u;
  return h ^ (h >> 32);
}
inline uint32_t finish(uint64_t h) {
  return static_cast<uint32_t>(h ^ (h >> 29));
}

// Up to eight bytes from p, zero beyond end; whole[0] is the first byte that may be read.
inline uint64_t load(const char* p, const char* end, const char* whole) {
  uint64_t w;
  const auto left = static_cast<size_t>(end - p);
  if (left >= 8) {
    std::memcpy(&w, p, 8);
    return w;
  }
  if (left == 0) return 0;
  if (end - whole >= 8) {
    std::memcpy(&w, end - 8, 8);
    return w >> (8 * (8 - left));
  }
  w = 0;
  for (size_t i = 0; i < left; ++i) w |= uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
  return w;
}

// Bit 7 of each byte of w that is zero; exact up to and including the lowest one.
inline uint64_t zero_bytes(uint64_t w) {
  return (w - 0x0101010101010101u) & ~w & 0x8080808080808080u;
}

}  // namespace name_hash

inline uint32_t hash_bytes(const void* salt, std::string_view name) {
  uint64_t h = name_hash::start(salt);
  const char* p = name.data();
  const char* end = p + name.size();
  while (end - p >= 8) {
    h = name_hash::step(h, name_hash::load(p, end, p));
    p += 8;
  }
  return name_hash::finish(name_hash::step(h, name_hash::load(p, end, name.data())));
}

// Hashes from p up to the next '/' or end; returns that place. A NUL byte ends it too (see the
// caller).
inline const char* hash_component(const void* salt, const char* p, const char* end,
                                  const char* whole, uint32_t& hash) {
  uint64_t h = name_hash::start(salt);
  for (;;) {
    const uint64_t w = name_hash::load(p, end, whole);
    // Beyond the end the word is zero, which ends it like a NUL.
    const uint64_t stop = name_hash::zero_bytes(w) | name_hash::zero_bytes(w ^ 0x2F2F2F2F2F2F2F2Fu);
    if (!stop) {
      h = name_hash::step(h, w);
      p += 8;
      continue;
    }
    const unsigned bytes = static_cast<unsigned>(std::countr_zero(stop)) >> 3;
    const uint64_t mask = (uint64_t{1} << (8 * bytes)) - 1;
    hash = name_hash::finish(name_hash::step(h, w & mask));
    return p + bytes;
  }
}

HF_NAMESPACE_END
