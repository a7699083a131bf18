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
  EXPECT_EQ(filter("colour ~= 'DARK'*", of), "T");
  EXPECT_EQ(filter("colour ~= *'K b'*", of), "T");
  EXPECT_EQ(filter("colour ~= 'x'*", of), "F");
  EXPECT_EQ(filter("weight ~= 'x'*", of), "F");
  EXPECT_THAT(filter("colour ==", of),
              HasSubstr("SEARCH_INVALID_FILTER: column 10: found the end"));
  EXPECT_THAT(filter("colour < 'a'*", of), HasSubstr("'*' goes with == and !="));
  EXPECT_THAT(filter("%a == %v", of, {"size"}), HasSubstr("there are 1 arguments"));
  EXPECT_THAT(filter("colour", of, {"size"}), HasSubstr("1 arguments were given, 0 are used"));
  EXPECT_THAT(filter("colour == 'a''b'", of), HasSubstr("column 11"));
  EXPECT_THAT(filter("colour == **", of), HasSubstr("column 11"));
  EXPECT_THAT(filter("(colour", of), HasSubstr("column 8"));
}

TEST(Xfn, NegationsStandWhereverAnExpressionDoes) {
  const Value sizes[] = {integer(3), integer(9)};
  const Attributes of{{"size", Value::of(sizes, 2)}, {"name()", text("lp1")}};
  EXPECT_EQ(filter("not not size", of), "T");
  EXPECT_EQ(filter("not not not size", of), "F");
  EXPECT_EQ(filter("not not weight == 'red'", of), "F");
  EXPECT_EQ(filter("not not not weight == 'red'", of), "T");
  EXPECT_EQ(filter("not not (not (not not size == 3))", of), "F");
  EXPECT_EQ(filter("not(not(size))", of), "T");
  EXPECT_EQ(filter("not not size and not weight", of), "T") << "it binds closer than and";
  EXPECT_EQ(filter("not size or not not size", of), "T");
  EXPECT_EQ(filter("not not name('lp'*)", of), "T");
  std::string nots;
  for (int i = 0; i < 100; ++i) nots += "not ";
  EXPECT_EQ(filter(nots + "size", of), "T");
  EXPECT_THAT(filter(nots + "not size", of), HasSubstr("nested 100 deep"));
  EXPECT_THAT(filter("not not", of), HasSubstr("column 8: found the end"));
  EXPECT_THAT(filter("not and size", of), HasSubstr("column 5"));
  EXPECT_THAT(filter("size not size", of), HasSubstr("column 6"));
}

TEST(Xfn, OperatorsAreWrittenAsC403DoesOrWithoutQuotes) {
  const Value addresses[] = {text("tcp"), text("udp")};
  const Attributes of{{"name()", text("lp1")},
                      {"reftype()", text("onc_fn_user")},
                      {"addrtype()", Value::of(addresses, 2)},
                      {"name", text("attribute")},
                      {"not-yet", text("a")},
                      {"or.else", text("b")},
                      {"android", text("c")}};
  EXPECT_EQ(filter("'name'('lp'*)", of), "T");
  EXPECT_EQ(filter("%s(%s*)", of, {"name", "lp"}), "T");
  EXPECT_EQ(filter("%i(%i)", of, {"reftype", "onc_fn_user"}), "T");
  EXPECT_EQ(filter("'addrtype'(%i) and addrtype ( 'udp' )", of, {"tcp"}), "T");
  EXPECT_EQ(filter("reftype(%v)", of, {"onc_fn_user"}), "T") << "a value may be a text";
  EXPECT_EQ(filter("not 'name'('x')", of), "T");
  EXPECT_EQ(filter("name == 'attribute' and name('lp1')", of), "T") << "an attribute, an operator";
  EXPECT_EQ(filter("not-yet and or.else and android", of), "T") << "names begin as words do";
  const std::string none = filter("'colour'('x')", of);
  EXPECT_THAT(none, HasSubstr("SEARCH_INVALID_OP: column"));
  EXPECT_THAT(none, HasSubstr("there is no operator 'colour'"));
  EXPECT_THAT(filter("f()", of), HasSubstr("there is no operator 'f'"));
  EXPECT_THAT(filter("name()", of), HasSubstr("SEARCH_INVALID_OP"));
  EXPECT_THAT(filter("name('a', 'b')", of), HasSubstr("takes one string"));
  EXPECT_THAT(filter("name(5)", of), HasSubstr("takes one string"));
  EXPECT_THAT(filter("name(%a)", of, {"colour"}), HasSubstr("takes one string"));
  EXPECT_THAT(filter("name('a',)", of), HasSubstr("SEARCH_INVALID_FILTER"));
  EXPECT_EQ(filter("'name'(%i)", of, {""}), "F");
  EXPECT_EQ(filter("name('')", of), "F");
  EXPECT_THAT(filter("'name'", of), HasSubstr("SEARCH_INVALID_FILTER"));
  EXPECT_THAT(filter("name < 'a'*", of), HasSubstr("SEARCH_INVALID_OP"));
  EXPECT_THAT(filter("name('l\x01')", of), HasSubstr("column 8: the octet 01")) << "is no '*'";
  EXPECT_THAT(filter("name(%s)", of, {"l\x01"}), HasSubstr("the octet 01"));
}

}  // namespace
}  // namespace hector::expression
