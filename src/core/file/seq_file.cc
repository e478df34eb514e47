// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "holdfast/file.h"

HF_NAMESPACE_BEGIN

// All or nothing: half a word would be read as another word.
void seq_file::put(std::string_view s) {
  if (overflowed || s.size() > size - count) {
    overflowed = true;
    return;
  }
  std::memcpy(buf + count, s.data(), s.size());
  count += s.size();
}

namespace {

void put_base(seq_file& m, uint64_t v, unsigned base) {
  char digits[24];
  char* p = digits + sizeof digits;
  do {
    *--p = static_cast<char>('0' + v % base);
    v /= base;
  } while (v != 0);
  m.put({p, static_cast<size_t>(digits + sizeof digits - p)});
}

}  // namespace

void seq_file::put_num(uint64_t v) {
  put_base(*this, v, 10);
}

void seq_file::put_octal(uint64_t v) {
  put_base(*this, v, 8);
}

void seq_file::put_escaped(std::string_view s, std::string_view specials) {
  for (char c : s) {
    if (specials.find(c) == std::string_view::npos) {
      put({&c, 1});
      continue;
    }
    const auto b = static_cast<unsigned char>(c);
    const char escaped[4] = {'\\', static_cast<char>('0' + (b >> 6)),
                             static_cast<char>('0' + (b >> 3 & 7)),
                             static_cast<char>('0' + (b & 7))};
    put({escaped, 4});
  }
}

HF_NAMESPACE_END
