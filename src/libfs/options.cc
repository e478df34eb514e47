// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "holdfast/libfs.h"

HF_NAMESPACE_BEGIN

Status parse_options(std::string_view data, option_fn fn, void* arg) {
  while (!data.empty()) {
    const size_t comma = data.find(',');
    const std::string_view item = data.substr(0, comma);
    data = comma == std::string_view::npos ? std::string_view{} : data.substr(comma + 1);
    if (item.empty()) continue;
    const size_t eq = item.find('=');
    if (eq == std::string_view::npos)
      HF_TRY(fn(item, {}, arg));
    else
      HF_TRY(fn(item.substr(0, eq), item.substr(eq + 1), arg));
  }
  return {};
}

Result<uint64_t> parse_size(std::string_view text, uint64_t whole) {
  unsigned base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  }
  uint64_t n = 0;
  size_t used = 0;
  for (; used < text.size(); ++used) {
    const char c = text[used];
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (base == 16 && c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit >= base) break;
    if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n))
      return Error(EINVAL);
  }
  if (used == 0) return Error(EINVAL);
  text.remove_prefix(used);
  if (text.empty()) return n;
  if (text.size() > 1) return Error(EINVAL);
  if (text[0] == '%') {
    uint64_t v = 0;
    if (whole == 0 || __builtin_mul_overflow(n, whole / 100, &v)) return Error(EINVAL);
    return v + n * (whole % 100) / 100;
  }
  unsigned shift = 0;
  switch (text[0] | 0x20) {
    case 'k':
      shift = 10;
      break;
    case 'm':
      shift = 20;
      break;
    case 'g':
      shift = 30;
      break;
    case 't':
      shift = 40;
      break;
    case 'p':
      shift = 50;
      break;
    case 'e':
      shift = 60;
      break;
    default:
      return Error(EINVAL);
  }
  if (n > UINT64_MAX >> shift) return Error(EINVAL);
  return n << shift;
}

HF_NAMESPACE_END
