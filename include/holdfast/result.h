// SPDX-License-Identifier: Apache-2.0
//
// Errors are values: a function that can fail returns Result<T>, which is a T or an errno.
//
// 1. Exactly one of value and error is present. code() == 0 means: value.
// 2. An Error's code is a positive errno.
// 3. A Result of a trivial T is trivial itself: Result<T*> travels in two registers.
#pragma once

#include <cassert>
#include <memory>
#include <type_traits>
#include <utility>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

// A positive errno. Converts to every Result<T>: `return Error(ENOENT);`
class [[nodiscard]] Error {
 public:
  constexpr explicit Error(int errno_value) : code_(errno_value) { assert(errno_value > 0); }
  constexpr int code() const { return code_; }
  friend constexpr bool operator==(Error, Error) = default;

 private:
  int code_;
};

template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T>, "return a pointer, or std::reference_wrapper");
  static constexpr bool trivial_copy =
      std::is_trivially_copy_constructible_v<T> && std::is_trivially_destructible_v<T>;
  static constexpr bool trivial_move =
      std::is_trivially_move_constructible_v<T> && std::is_trivially_destructible_v<T>;

 public:
  using value_type = T;

  template <class U = T>
    requires(std::is_constructible_v<T, U &&> && std::is_convertible_v<U &&, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error>)
  constexpr Result(U&& value) : value_(std::forward<U>(value)), code_(0) {}
  constexpr Result(Error e) : none_(), code_(e.code()) {}

  constexpr Result(const Result&)
    requires(trivial_copy)
  = default;
  constexpr Result(const Result& o)
    requires(!trivial_copy && std::is_copy_constructible_v<T>)
      : none_(), code_(o.code_) {
    if (o.ok()) std::construct_at(std::addressof(value_), o.value_);
  }
  constexpr Result(Result&&)
    requires(trivial_move)
  = default;
  constexpr Result(Result&& o) noexcept
    requires(!trivial_move)
      : none_(), code_(o.code_) {
    if (o.ok()) std::construct_at(std::addressof(value_), std::move(o.value_));
  }
  constexpr Result& operator=(const Result&)
    requires(trivial_copy && std::is_trivially_copy_assignable_v<T>)
  = default;
  constexpr Result& operator=(Result&&)
    requires(trivial_move && std::is_trivially_move_assignable_v<T>)
  = default;
  constexpr Result& operator=(const Result& o)
    requires(!(trivial_copy && std::is_trivially_copy_assignable_v<T>) &&
             std::is_copy_constructible_v<T>)
  {
    if (this != &o) {
      std::destroy_at(this);
      std::construct_at(this, o);
    }
    return *this;
  }
  constexpr Result& operator=(Result&& o) noexcept
    requires(!(trivial_move && std::is_trivially_move_assignable_v<T>))
  {
    if (this != &o) {
      std::destroy_at(this);
      std::construct_at(this, std::move(o));
    }
    return *this;
  }
  constexpr Result& operator=(Error e) {
    if constexpr (!std::is_trivially_destructible_v<T>)
      if (ok()) std::destroy_at(std::addressof(value_));
    code_ = e.code();
    return *this;
  }
  constexpr ~Result()
    requires(std::is_trivially_destructible_v<T>)
  = default;
  constexpr ~Result()
    requires(!std::is_trivially_destructible_v<T>)
  {
    if (ok()) std::destroy_at(std::addressof(value_));
  }

  constexpr bool ok() const { return code_ == 0; }
  constexpr explicit operator bool() const { return ok(); }
  constexpr int code() const { return code_; }  // 0: ok
  constexpr Error error() const {
    assert(!ok());
    return Error(code_);
  }

  constexpr T& value() & {
    assert(ok());
    return value_;
  }
  constexpr const T& value() const& {
    assert(ok());
    return value_;
  }
  constexpr T&& value() && {
    assert(ok());
    return std::move(value_);
  }
  constexpr T value_or(T other) && { return ok() ? std::move(value_) : std::move(other); }
  constexpr T value_or(T other) const& { return ok() ? value_ : std::move(other); }
  constexpr T& operator*() & { return value(); }
  constexpr const T& operator*() const& { return value(); }
  constexpr T&& operator*() && { return std::move(*this).value(); }
  constexpr T* operator->() { return std::addressof(value()); }
  constexpr const T* operator->() const { return std::addressof(value()); }

 private:
  union {
    T value_;
    char none_;
  };
  int code_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  constexpr Result() = default;  // success
  constexpr Result(Error e) : code_(e.code()) {}
  constexpr bool ok() const { return code_ == 0; }
  constexpr explicit operator bool() const { return ok(); }
  constexpr int code() const { return code_; }
  constexpr Error error() const {
    assert(!ok());
    return Error(code_);
  }
  constexpr void value() const { assert(ok()); }

 private:
  int code_ = 0;
};

using Status = Result<void>;

HF_NAMESPACE_END

#define HF_RESULT_CAT2(a, b) a##b
#define HF_RESULT_CAT(a, b) HF_RESULT_CAT2(a, b)

// HF_TRY(expr): evaluates a Result once; a failure is returned from the enclosing function, a value
// dropped.
#define HF_TRY(...) HF_TRY_NAMED(HF_RESULT_CAT(hf_try_, __LINE__), __VA_ARGS__)
#define HF_TRY_NAMED(name, ...)                        \
  do {                                                 \
    if (auto name = (__VA_ARGS__); !name) [[unlikely]] \
      return name.error();                             \
  } while (false)

// HF_TRY_ASSIGN(decl, expr): as HF_TRY, and initialises (`auto x`) or assigns (`x`) with the value.
// It is several statements: give it braces under an `if`.
#define HF_TRY_ASSIGN(decl, ...) \
  HF_TRY_ASSIGN_NAMED(HF_RESULT_CAT(hf_try_, __LINE__), decl, __VA_ARGS__)
#define HF_TRY_ASSIGN_NAMED(name, decl, ...) \
  auto name = (__VA_ARGS__);                 \
  if (!name) [[unlikely]]                    \
    return name.error();                     \
  decl = std::move(name).value()
