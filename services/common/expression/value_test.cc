// What: Value: its order, what compares and how it is printed.
// Why: indexes need one order over all values, and 64 bits must compare exactly.
// Who: ctest, in expression_test.
#include "expression/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expression/testing.h"

namespace hector::expression {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT(google-build-using-namespace): this folder's own helpers

TEST(Value, HasATotalOrder) {
  const Value items[] = {integer(1), integer(2)};
  const std::vector<Value> values{Value(),        Value::of(false),        Value::of(true),
                                  integer(-1),    Value::of(0.5),          integer(1),
                                  Value::of(1.5), Value::of(std::nan("")), text(""),
                                  text("a"),      Value::of(items, 1),     Value::of(items, 2)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j)
      EXPECT_EQ(sorts_before(values[i], values[j]), i < j)
          << print(values[i]) << " " << print(values[j]);
  }
}

TEST(Value, ComparesNumbersExactlyAndOtherKindsNever) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_LT(compare(integer(kMax - 1), integer(kMax)), 0);
  EXPECT_LT(compare(integer(kMax), Value::of(9.3e18)), 0);
  EXPECT_EQ(compare(integer(2), Value::of(2.0)), 0);
  EXPECT_EQ(compare(Value::of(std::nan("")), integer(1)), kIncomparable);
  EXPECT_EQ(compare(text("1"), integer(1)), kIncomparable);
  EXPECT_EQ(compare(Value::of(false), Value::of(true)), -1);
  EXPECT_EQ(compare(text("b"), text("a")), 1);
  EXPECT_EQ(compare(Value::of("a", Kind::kOctets), text("a")), kIncomparable);
  EXPECT_EQ(compare(Value(), Value()), kIncomparable);
}

TEST(Value, IsPrintedAsAnExpressionHasIt) {
  const Value items[] = {integer(3), text("a")};
  EXPECT_EQ(print(Value::of(items, 2)), "[3, 'a']");
  EXPECT_EQ(print(Value::of(true)), "TRUE");
  EXPECT_EQ(print(Value::of(0.5)), "0.5");
  EXPECT_EQ(print(Value::of("abc", Kind::kOctets)), "3 octets");
  EXPECT_EQ(print(Value()), "nothing");
  EXPECT_EQ(kind_name(Kind::kList), "list");
}

}  // namespace
}  // namespace hector::expression
