// SPDX-License-Identifier: Apache-2.0
#include "base/copy_bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

HF_NAMESPACE_BEGIN
namespace {

using step_fn = void (*)(char* dst, const char* src, size_t n);

void plain_steps(char* dst, const char* src, size_t n) {
  while (n >= 64) {
    n -= 64;
    char block[64];
    std::memcpy(block, src + n, 64);
    std::memcpy(dst + n, block, 64);
  }
  std::memcpy(dst, src, n);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void avx2_steps(char* dst, const char* src, size_t n) {
  auto load = [](const char* p) { return reinterpret_cast<const __m256i*>(p); };
  auto store = [](char* p) { return reinterpret_cast<__m256i*>(p); };
  while (n >= 128) {
    n -= 128;
    const __m256i d = _mm256_loadu_si256(load(src + n + 96));
    const __m256i c = _mm256_loadu_si256(load(src + n + 64));
    const __m256i b = _mm256_loadu_si256(load(src + n + 32));
    const __m256i a = _mm256_loadu_si256(load(src + n));
    _mm256_storeu_si256(store(dst + n + 96), d);
    _mm256_storeu_si256(store(dst + n + 64), c);
    _mm256_storeu_si256(store(dst + n + 32), b);
    _mm256_storeu_si256(store(dst + n), a);
  }
  plain_steps(dst, src, n);
}
#endif

step_fn choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return avx2_steps;
#endif
  return plain_steps;
}

const step_fn steps = choose();

}  // namespace

void copy_backwards(void* dst, const void* src, size_t n) {
  steps(static_cast<char*>(dst), static_cast<const char*>(src), n);
}

HF_NAMESPACE_END
