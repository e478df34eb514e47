// SPDX-License-Identifier: Apache-2.0
// Result: triviality, ownership of move-only values, the two macros.
#include "holdfast/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

namespace holdfast {
namespace {

static_assert(std::is_trivially_copyable_v<Result<int*>>);
static_assert(sizeof(Result<int*>) == 16);
static_assert(std::is_trivially_copyable_v<Status> && sizeof(Status) == sizeof(int));
static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
static_assert(Result<int>(3).value() == 3);
static_assert(Result<int>(Error(ENOENT)).code() == ENOENT);

Result<std::unique_ptr<int>> make(int v) {
  if (v < 0) return Error(EINVAL);
  return std::make_unique<int>(v);
}
Result<int> twice(int v) {
  HF_TRY_ASSIGN(auto p, make(v));
  HF_TRY(make(v));
  int again = 0;
  HF_TRY_ASSIGN(again, Result<int>(*p));
  return *p + again;
}
Status check(int v) {
  HF_TRY(twice(v));
  return {};
}

TEST(Result, ValuesAndErrorsPassThroughTheMacros) {
  EXPECT_EQ(twice(21).value(), 42);
  EXPECT_EQ(twice(-1).code(), EINVAL);
  EXPECT_TRUE(check(1).ok());
  EXPECT_EQ(check(-1).error(), Error(EINVAL));
}

TEST(Result, HoldsNonTrivialValues) {
  Result<std::string> a = std::string(100, 'x');
  Result<std::string> b = a;
  Result<std::string> c = std::move(a);
  EXPECT_EQ(*b, *c);
  b = Error(EIO);
  EXPECT_FALSE(b);
  b = c;
  EXPECT_EQ(b->size(), 100u);
  c = std::move(b);
  EXPECT_EQ(c.value_or("none").size(), 100u);
  EXPECT_EQ(Result<std::string>(Error(EIO)).value_or("none"), "none");
}

TEST(Result, DestroysItsValueOnce) {
  auto counted = std::make_shared<int>(1);
  {
    Result<std::shared_ptr<int>> r = counted;
    Result<std::shared_ptr<int>> s = r;
    s = Error(EIO);
    EXPECT_EQ(counted.use_count(), 2);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
}  // namespace holdfast
