// SPDX-License-Identifier: Apache-2.0
//
// The namespace every public declaration lives in.
//
// 1. HOLDFAST_CHECKING (0 or 1, default 1) decides layouts, so it is part of every mangled name: a
//    program and a library that disagree on it fail to link.
// 2. A forward declaration of a public type uses the same two macros; a plain `namespace holdfast`
//    would declare another type.
#pragma once

#ifndef HOLDFAST_CHECKING
#define HOLDFAST_CHECKING 1
#endif

#if HOLDFAST_CHECKING
#define HOLDFAST_ABI abi_checked
#else
#define HOLDFAST_ABI abi_unchecked
#endif

#define HF_NAMESPACE_BEGIN \
  namespace holdfast {     \
  inline namespace HOLDFAST_ABI {
#define HF_NAMESPACE_END \
  }                      \
  }

HF_NAMESPACE_BEGIN
inline constexpr bool checking_compiled_in = HOLDFAST_CHECKING != 0;
HF_NAMESPACE_END
