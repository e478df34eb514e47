// SPDX-License-Identifier: Apache-2.0
#include "base/copy_bytes.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast {
namespace {

// Every distance that goes backwards, lengths around each step, and nothing written beside.
TEST(copy_bytes, is_memcpy_at_every_distance) {
  constexpr size_t room = 16384;
  std::vector<unsigned char> store(4 * room), from(room);
  auto* page = reinterpret_cast<unsigned char*>((reinterpret_cast<uintptr_t>(store.data()) + 4095) &
                                                ~uintptr_t{4095});
  for (size_t i = 0; i < room; ++i) from[i] = static_cast<unsigned char>(i * 131 + i / 256);
  unsigned char* src = page;
  for (size_t distance : {0, 1, 8, 16, 31, 62, 63, 64, 65, 4095}) {
    for (size_t n : {0, 1, 63, 511, 512, 513, 575, 640, 4095, 4096, 4097, 8000}) {
      unsigned char* dst = page + room + distance;
      std::memcpy(src, from.data(), room);
      std::memset(page + room, 0xEE, room);
      copy_bytes(dst, src, n);
      EXPECT_EQ(std::memcmp(dst, from.data(), n), 0) << distance << " " << n;
      EXPECT_EQ(dst[n], 0xEE) << distance << " " << n;
      if (distance != 0) EXPECT_EQ(dst[-1], 0xEE) << distance << " " << n;
    }
  }
}

}  // namespace
}  // namespace holdfast
