// What: OMG's constraints and preferences: precedence, arithmetic, mistakes with their columns.
// Why: what a role asks for in one line has to mean what the specification says.
// Who: ctest, in expression_test.
#include "expression/omg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expression/testing.h"

namespace hector::expression {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT(google-build-using-namespace): this folder's own helpers

TEST(Omg, PrecedenceAndArithmetic) {
  EXPECT_EQ(truth("1 + 2 * 3 == 7"), "T");
  EXPECT_EQ(truth("(1 + 2) * 3 == 9"), "T");
  EXPECT_EQ(truth("7 / 2 == 3"), "T") << "integers stay integers";
  EXPECT_EQ(truth("7 / 2.0 == 3.5"), "T");
  EXPECT_EQ(truth("1 / 0 == 1"), "?");
  EXPECT_EQ(truth("9223372036854775807 + 1 > 9223372036854775807"), "T")
      << "what overflows goes on in reals";
  EXPECT_EQ(truth("9223372036854775807 == 9223372036854775806"), "F")
      << "64 bits are compared exactly";
  EXPECT_EQ(truth("-3 < -2 and - 2 < 1"), "T");
  EXPECT_EQ(truth("1-1 == 0 and 3 -2 == 1"), "T") << "a sign is no part of a number";
  EXPECT_EQ(truth("1e3 == 1000 and .5 == 0.5 and 5. == 5"), "T");
  EXPECT_EQ(truth("FALSE or TRUE and FALSE"), "F");
  EXPECT_EQ(truth("not FALSE and TRUE"), "T");
  EXPECT_EQ(truth("not x == FALSE", {{"x", Value::of(true)}}), "T") << "not binds tighter than ==";
  EXPECT_EQ(truth("FALSE < TRUE and 'a' < 'b'"), "T");
  EXPECT_EQ(truth("'a\\'b' == 'a\\'b' and 'a\\\\' == 'a\\\\'"), "T");
  EXPECT_EQ(truth(""), "T");
  EXPECT_EQ(truth("  \n"), "T");
  const Value items[] = {text("ps"), text("pcl"), integer(3)};
  const Attributes listed{{"langs", Value::of(items, 3)}};
  EXPECT_EQ(truth("'ps' in langs and 3.0 in langs", listed), "T");
  EXPECT_EQ(truth("'tex' in langs", listed), "F");
  EXPECT_EQ(truth("'ps' in missing"), "?");
  EXPECT_EQ(truth("'p' ~ name", {{"name", text("lp1")}}), "T");
  EXPECT_EQ(truth("'x' ~ name", {{"name", text("lp1")}}), "F");
  EXPECT_EQ(truth("'1' == 1"), why("'1' == 1"));
}

TEST(Omg, AMistakeIsNamedWithItsColumn) {
  EXPECT_THAT(why("ppm >="), HasSubstr("IllegalConstraint: column 7: found the end"));
  EXPECT_THAT(why("ppm >= 'x"), HasSubstr("column 10"));
  EXPECT_THAT(why("a == 1 b"), HasSubstr("column 8: found 'b'"));
  EXPECT_THAT(why("a = 1"), HasSubstr("column 3: found '='"));
  EXPECT_THAT(why("a == b == c"), HasSubstr("column 8")) << "comparisons do not associate";
  EXPECT_THAT(why("1 + TRUE == 2"), HasSubstr("'+' needs numbers, not boolean"));
  EXPECT_THAT(why("1 + 2"), HasSubstr("of kind integer, boolean is needed"));
  EXPECT_THAT(why("'a' in 'b'"), HasSubstr("column 8"));
  const auto declared = [](std::string_view name) -> Declared {
    if (name == "ppm") return {Kind::kInteger, {}};
    if (name == "langs") return {Kind::kList, Kind::kText};
    return {};
  };
  EXPECT_THAT(why("other == 1 and ppm == 'x'", {.declared = declared}),
              HasSubstr("column 16: '==' cannot compare integer with text"));
  EXPECT_THAT(why("3 in langs", {.declared = declared}),
              HasSubstr("'in' cannot compare integer with text"));
  EXPECT_THAT(why("'x' in ppm", {.declared = declared}),
              HasSubstr("'in' needs a sequence on its right, not integer"));
  EXPECT_THAT(why("langs == langs", {.declared = declared}), HasSubstr("use 'in'"));
  EXPECT_THAT(why("ppm", {.declared = declared}), HasSubstr("of kind integer, boolean is needed"));
  EXPECT_EQ(why("ppm > 1.5 and unknown == 'x'", {.declared = declared}), "compiles");
}

TEST(Omg, ReadsPreferences) {
  const auto kind = [](std::string_view text) {
    auto preference = compile_preference(text, {});
    return preference ? std::to_string(static_cast<int>(preference->kind))
                      : preference.error().text();
  };
  EXPECT_EQ(kind(""), "0");
  EXPECT_EQ(kind(" random "), "1");
  EXPECT_EQ(kind("max ppm * 2"), "2");
  EXPECT_EQ(kind("min(floor)"), "3");
  EXPECT_EQ(kind("with not colour"), "4");
  EXPECT_THAT(kind("best ppm"), HasSubstr("IllegalPreference: column 1: 'best' is none of"));
  EXPECT_THAT(kind("max"), HasSubstr("'max' needs an expression"));
  EXPECT_THAT(kind("first ppm"), HasSubstr("column 6: nothing may follow 'first'"));
  EXPECT_THAT(kind("max ppm >"), HasSubstr("column 10"));
  EXPECT_THAT(kind("with 1 + 1"), HasSubstr("of kind integer, boolean is needed"));
}

}  // namespace
}  // namespace hector::expression
