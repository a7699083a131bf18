// What: the parser of protocol expressions, and that printing one and parsing it again changes
// nothing.
// Why: one parser serves files, editors and tools.
// Who: types_test.
#include "types/order/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::types {
namespace {

using ::testing::HasSubstr;

std::string round_trip(const std::string& text) {
  auto parsed = parse_expression(text);
  return parsed ? print_expression(*parsed) : parsed.error().message;
}

TEST(Expression, BindsPostfixTightestThenSequenceInterleavingAndChoice) {
  EXPECT_EQ(round_trip("a;b&c|d"), "a ; b & c | d");
  EXPECT_EQ(round_trip("(a|b);c*"), "(a | b) ; c*");
  EXPECT_EQ(round_trip("a;(b;c)"), "a ; (b ; c)");
  EXPECT_EQ(round_trip("x{2} ; y{1,} ; z{2,5} ; w?"), "x{2} ; y+ ; z{2,5} ; w?");
  EXPECT_EQ(round_trip("@m(a[w] | end) before 2s # why"), "@m(a[w] | end) before 2000ms");
  EXPECT_EQ(round_trip("a[w?] ; b[w*] ; c[w+]"), "a[w?] ; b[w*] ; c[w+]");
}

TEST(Expression, SaysTheColumnOfAMistake) {
  EXPECT_THAT(round_trip("a ; ; b"), HasSubstr("column 5: found ';'"));
  EXPECT_THAT(round_trip("()"), HasSubstr("column 2"));
  EXPECT_THAT(round_trip("a | (b"), HasSubstr("column 7: found the end"));
  EXPECT_THAT(round_trip("before"), HasSubstr("reserved"));
  EXPECT_THAT(round_trip("a{5,2}"), HasSubstr("m may not be less than n"));
  EXPECT_THAT(round_trip(std::string(300, '(') + "a" + std::string(300, ')')),
              HasSubstr("open parentheses"));
  EXPECT_THAT(round_trip(std::string(70'000, 'a')), HasSubstr("65536 octets"));
}

TEST(Expression, MayBeAsLargeAsItsLimitsSayAndNoLarger) {
  const auto nested = [](std::size_t depth) {
    return round_trip(std::string(depth, '(') + "a" + std::string(depth, ')'));
  };
  EXPECT_EQ(nested(kExpressionDepthMax), "a");
  EXPECT_THAT(nested(kExpressionDepthMax + 1), HasSubstr("more than 200 open parentheses"));
  const auto postfix = [](std::size_t count) { return round_trip("a" + std::string(count, '?')); };
  EXPECT_EQ(postfix(kExpressionHeightMax - 1).size(), kExpressionHeightMax);
  EXPECT_THAT(postfix(kExpressionHeightMax), HasSubstr("more than 1000 operators"));
  EXPECT_EQ(round_trip("a{1000}"), "a{1000}");
  EXPECT_THAT(round_trip("a{1001}"), HasSubstr("a count of at most 1000 was expected"));
  EXPECT_EQ(round_trip(std::string(kExpressionOctetsMax, 'a')).size(), kExpressionOctetsMax);
}

TEST(Expression, ReadsDurationsInFourUnits) {
  EXPECT_EQ(round_trip("a before 5ms"), "a before 5ms");
  EXPECT_EQ(round_trip("a before 3m"), "a before 180000ms");
  EXPECT_EQ(round_trip("a before 1h"), "a before 3600000ms");
  EXPECT_THAT(round_trip("a before soon"), HasSubstr("as in 500ms, 2s, 5m or 1h"));
  EXPECT_THAT(round_trip("a before 1000000001s"), HasSubstr("a duration below"));
}

TEST(Expression, EachPartIsVisitedOnceTheOuterBeforeTheInner) {
  std::string seen;
  each_part(*parse_expression("@m(a ; b*) | c before 1s"), [&](const auto& part) {
    seen += part.has_symbol()   ? part.symbol().name()
            : part.has_choice() ? "|"
            : part.has_chosen() ? "@"
            : part.has_repeat() ? "*"
            : part.has_before() ? "<"
                                : ";";
  });
  EXPECT_EQ(seen, "|@;a*b<c");
}

}  // namespace
}  // namespace hector::types
