// What: timed phases: which may stay empty, who runs the timer, and what may be refused.
// Why: a wrong owner of the timer lets both ends wait for each other.
// Who: types_test.
#include "types/check/phases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

hector::type::v1::Binding bids(const std::string& protocol) {
  return test_binding({"m", "w*"}, {"call multicast m w", "bid announce w m", "award rpc m w"},
                      protocol);
}

TEST(TimedPhases, AreRunByTheirSingleReceiverWhichMayRefuse) {
  const auto phases = timed_phases(bids("call ; bid[w?] before 2s ; award"));
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_EQ(phases[0].counting_role, "m");
  EXPECT_TRUE(phases[0].is_refusable);
  EXPECT_EQ(phases[0].time_ms, 2'000U);
  EXPECT_THAT(phases[0].interactions, ElementsAre(1));
}

TEST(TimedPhases, AreRunByTheirSingleInitiatorWhereManyReceive) {
  const auto phases = timed_phases(bids("call ; bid[w] ; (award? before 1s)"));
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_EQ(phases[0].counting_role, "m");
  EXPECT_FALSE(phases[0].is_refusable);
  EXPECT_THAT(refusable_interactions(bids("call ; bid[w?] before 2s ; award")),
              ElementsAre(false, true, false));
}

TEST(MandatoryPhases, AreThoseThatMayNotStayEmpty) {
  const auto binding = bids("call ; (bid[w] before 2s) ; award");
  EXPECT_THAT(timed_phases(binding), IsEmpty());
  const auto phases = mandatory_phases(binding);
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_THAT(phases[0].interactions, ElementsAre(1));
  EXPECT_THAT(phases[0].first, ElementsAre(1));
  EXPECT_EQ(phases[0].time_ms, 2'000U);
}

TEST(MandatoryPhases, AreNoneWhereTheInteractionOccursElsewhereToo) {
  EXPECT_THAT(mandatory_phases(bids("bid[w] ; call ; (bid[w] before 2s) ; award")), IsEmpty());
  EXPECT_THAT(mandatory_phases(bids("")), IsEmpty());
}

TEST(Occurrences, AreCountedByName) {
  const auto count = occurrences(*parse_expression("a ; (b | a)* ; c"));
  EXPECT_EQ(count.at("a"), 2);
  EXPECT_EQ(count.at("b"), 1);
  EXPECT_FALSE(count.contains("d"));
}

}  // namespace
}  // namespace hector::types
