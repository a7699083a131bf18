// What: tests of C1, C2, C3 and C5 where binding_check_test.cc does not look: what the numbers of
// members and the interactions that may be refused change, and the limits.
// Why: check_binding() tries few numbers of members, and finds out itself what may be refused.
// Who: ctest, in types_test.
#include "types/check/choreography_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

using hector::type::v1::Binding;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// p, q, r one member each; the first interaction is an rpc, which the tests refuse.
Binding three(const std::string& protocol) {
  return test_binding({"p", "q", "r"},
                      {"k rpc p q", "a announce p q", "b announce q r", "c announce p r",
                       "d announce r q", "e announce r p"},
                      protocol);
}
std::optional<Finding> check(const Binding& binding, const std::vector<std::uint32_t>& members,
                             bool is_first_refusable = false) {
  std::vector<bool> refusable(static_cast<std::size_t>(binding.interactions_size()), false);
  refusable[0] = is_first_refusable;
  return check_choreography(binding, members, refusable);
}

TEST(ChoreographyCheck, FindsNothingWhereEachPartyKnowsWhenItsTurnIs) {
  EXPECT_FALSE(check(three("k ; b ; e"), {1, 1, 1}));
}

TEST(ChoreographyCheck, TwoThatMayStartAtOnceAreAFaultUnlessTheOneMayBeRefused) {
  const auto fault = check(three("k | b"), {1, 1, 1});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->rule, "C1");
  EXPECT_THAT(fault->roles, ElementsAre("p", "q"));
  EXPECT_THAT(fault->text, HasSubstr("at the start p may start 'k' and q may start 'b'"));
  const auto refusable = check(three("k | b"), {1, 1, 1}, true);
  EXPECT_TRUE(!refusable || refusable->rule != "C1") << refusable->text;
}

TEST(ChoreographyCheck, GivesTheShortestTraceThatLeadsThere) {
  const auto fault = check(three("(a ; b)* ; a ; b ; (c | d)"), {1, 1, 1});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->rule, "C1");
  EXPECT_THAT(fault->trace, ElementsAre("a", "b", "a"));
}

TEST(ChoreographyCheck, MembersOfOneRoleArePartiesOfTheirOwn) {
  const auto binding = test_binding(
      {"m", "w*"}, {"call multicast m w", "bid announce w m", "award rpc m w"}, "call ; bid");
  EXPECT_FALSE(check(binding, {1, 1})) << "the only worker bids";
  const auto fault = check(binding, {1, 2});
  ASSERT_TRUE(fault) << "which of two bids?";
  EXPECT_EQ(fault->rule, "C1");
  EXPECT_THAT(fault->roles, ElementsAre("w", "w"));
}

TEST(ChoreographyCheck, NamesThoseThatMayAllWaitForEachOther) {
  const auto fault = check(three("(b & c)*"), {1, 1, 1});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->rule, "C5");
  EXPECT_THAT(fault->text, HasSubstr("no party has to act"));
}

/// Of n workers that each answer once, 2^n sets may have answered.
TEST(ChoreographyCheck, RefusesWhatItsLimitDoesNotLetItLookThrough) {
  EXPECT_FALSE(check(call_for_bids(), {1, 5}));
  EXPECT_THROW(check(call_for_bids(), {1, 13}), TooLargeToCheck);
}

}  // namespace
}  // namespace hector::types
