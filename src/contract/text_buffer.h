// SPDX-License-Identifier: Apache-2.0
//
// Text of bounded length without allocation: reports are written where memory may be out and
// nothing may block. What doesn't fit is cut, and overflowed() says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

class text_writer {
 public:
  text_writer(char* to, size_t size) : to_(to), size_(size) {}

  text_writer& operator<<(std::string_view s) {
    const size_t n = s.size() < size_ - used_ ? s.size() : size_ - used_;
    overflowed_ = overflowed_ || n < s.size();
    if (n != 0) std::memcpy(to_ + used_, s.data(), n);
    used_ += n;
    return *this;
  }
  text_writer& operator<<(const char* s) { return *this << std::string_view(s); }
  text_writer& operator<<(char c) { return *this << std::string_view(&c, 1); }
  text_writer& operator<<(uint64_t n) {
    char digits[20];
    size_t i = sizeof digits;
    do digits[--i] = static_cast<char>('0' + n % 10);
    while ((n /= 10) != 0);
    return *this << std::string_view(digits + i, sizeof digits - i);
  }
  text_writer& operator<<(uint32_t n) { return *this << uint64_t{n}; }
  text_writer& hex(uint64_t n) {
    *this << std::string_view("0x");
    int shift = 60;
    while (shift > 0 && (n >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) *this << "0123456789abcdef"[(n >> shift) & 15];
    return *this;
  }
  text_writer& address(const void* p) { return hex(reinterpret_cast<uintptr_t>(p)); }

  std::string_view view() const { return {to_, used_}; }
  size_t size() const { return used_; }
  bool overflowed() const { return overflowed_; }

 private:
  char* to_;
  size_t size_;
  size_t used_ = 0;
  bool overflowed_ = false;
};

template <size_t N>
class text_buffer : public text_writer {
 public:
  text_buffer() : text_writer(bytes_, N) {}
  text_buffer(const text_buffer&) = delete;
  text_buffer& operator=(const text_buffer&) = delete;

 private:
  char bytes_[N];
};

HF_NAMESPACE_END
