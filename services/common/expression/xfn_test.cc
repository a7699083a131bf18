// What: XFN's filters on attributes with several values.
// Why: a name is found by what some of its values satisfy.
// Who: ctest, in expression_test.
#include "expression/xfn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expression/testing.h"

namespace hector::expression {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT(google-build-using-namespace): this folder's own helpers

TEST(Xfn, FiltersByWhatSomeValueSatisfies) {
  const Value colours[] = {text("red"), text("dark blue")};
  const Value sizes[] = {integer(3), integer(9)};
  const Attributes of{{"colour", Value::of(colours, 2)},
                      {"size", Value::of(sizes, 2)},
                      {"name()", text("lp1")},
                      {"reftype()", text("onc_fn_user")}};
  EXPECT_EQ(filter("", of), "T");
  EXPECT_EQ(filter("colour", of), "T");
  EXPECT_EQ(filter("weight", of), "F");
  EXPECT_EQ(filter("colour == 'red'", of), "T") << "some value satisfies it";
  EXPECT_EQ(filter("colour != 'red'", of), "F") << "no value may be equal";
  EXPECT_EQ(filter("colour != 'green'", of), "T");
  EXPECT_EQ(filter("weight != 'red'", of), "F")
      << "what is not there makes the innermost logical expression FALSE";
  EXPECT_EQ(filter("not weight == 'red'", of), "T");
  EXPECT_EQ(filter("size > 8 and size < 4", of), "T");
  EXPECT_EQ(filter("size >= 10 or colour == 'd'*", of), "T");
  EXPECT_EQ(filter("colour == *'blue'", of), "T");
  EXPECT_EQ(filter("colour == 'd'*'b'*'e'", of), "T");
  EXPECT_EQ(filter("colour == 'd'*'x'*", of), "F");
  EXPECT_EQ(filter("colour == *", of), "T");
  EXPECT_EQ(filter("colour != 'd'*", of), "F");
  EXPECT_EQ(filter("weight != 'd'*", of), "F");
  EXPECT_EQ(filter("colour ~= 'DarkBlue'", of), "T");
  EXPECT_EQ(filter("name('lp'*) and reftype('onc_fn_user')", of), "T");
  EXPECT_EQ(filter("name('x'*)", of), "F");
  EXPECT_EQ(filter("%a == %v and %a == %s*", of, {"size", "9", "colour", "dark"}), "T");
  EXPECT_EQ(filter("not (colour and not size == 3)", of), "T");
  EXPECT_THAT(filter("colour ==", of),
              HasSubstr("SEARCH_INVALID_FILTER: column 10: found the end"));
  EXPECT_THAT(filter("colour < 'a'*", of), HasSubstr("'*' goes with == and !="));
  EXPECT_THAT(filter("%a == %v", of, {"size"}), HasSubstr("there are 1 arguments"));
  EXPECT_THAT(filter("colour", of, {"size"}), HasSubstr("1 arguments were given, 0 are used"));
  EXPECT_THAT(filter("colour == 'a''b'", of), HasSubstr("column 11"));
  EXPECT_THAT(filter("colour == **", of), HasSubstr("column 11"));
  EXPECT_THAT(filter("(colour", of), HasSubstr("column 8"));
}

}  // namespace
}  // namespace hector::expression
