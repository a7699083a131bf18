// What: the monitor: what it allows now, later and never; where it stands; from there on.
// Why: a monitor that is wrong refuses a right message, or lets a wrong one through.
// Who: types_test.
#include "types/order/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

TEST(Monitor, FollowsOneMembersViewForAnyNumberOfMembers) {
  const auto binding = call_for_bids();
  for (const std::uint32_t members : {1U, 3U, 60U}) {
    Monitor manager(binding, {0, 0, {1, members}});
    EXPECT_FALSE(manager.step(view_symbol(1, 0)));
    EXPECT_EQ(manager.look(view_symbol(1, 0)), Monitor::Answer::kNotYet);
    EXPECT_EQ(manager.allowed(), "call");
    EXPECT_TRUE(manager.step(view_symbol(0, 0)));
    for (std::uint32_t w = members; w-- > 0;) {
      EXPECT_FALSE(manager.step(view_symbol(2, 0)));
      EXPECT_TRUE(manager.step(view_symbol(1, w)));
      EXPECT_FALSE(manager.step(view_symbol(1, w))) << "each once";
    }
    EXPECT_TRUE(manager.step(view_symbol(2, 0)));
    EXPECT_TRUE(manager.may_end());
    EXPECT_EQ(manager.look(view_symbol(1, 0)), Monitor::Answer::kNever);
    Monitor worker(binding, {1, 0, {1, members}});
    EXPECT_TRUE(worker.step(view_symbol(0, 0)));
    EXPECT_TRUE(worker.step(view_symbol(1, 0)));
    EXPECT_EQ(worker.may_end(), members > 1) << "another may get the award";
  }
}

TEST(Monitor, NamesWhatAnEarlySymbolWaitsFor) {
  const auto binding = test_binding(
      {"p", "q", "r"}, {"a announce q p", "b announce r p", "c announce q p", "d announce p q"},
      "(a ; b | c) ; d");
  using testing::ElementsAre;
  Monitor monitor(binding, {0, 0, {1, 1, 1}, {}});
  const Symbol a = view_symbol(0, 0), b = view_symbol(1, 0), c = view_symbol(2, 0),
               d = view_symbol(3, 0);
  EXPECT_THAT(monitor.needed_for(b), ElementsAre(a)) << "c leads past it";
  EXPECT_THAT(monitor.needed_for(d), testing::UnorderedElementsAre(a, c));
  EXPECT_THAT(monitor.needed_for(a), testing::IsEmpty()) << "it is allowed";
  EXPECT_THAT(monitor.needed_for(view_symbol(9, 0)), testing::IsEmpty());
  ASSERT_TRUE(monitor.step(c));
  EXPECT_THAT(monitor.needed_for(b), testing::IsEmpty()) << "it never comes";
}

TEST(Monitor, NamesWhatIsWaitedForAmongManyMembers) {
  Monitor manager(call_for_bids(), {0, 0, {1, 60}, {}});
  ASSERT_TRUE(manager.step(view_symbol(0, 0)));
  ASSERT_TRUE(manager.step(view_symbol(1, 7)));
  const auto needed = manager.needed_for(view_symbol(2, 0));
  EXPECT_EQ(needed.size(), 59U) << "a bid of each other one";
}

/// Both forms of a monitor: a table for few members, derivatives for many.
class MonitorForms : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Monitor manager() const { return Monitor(call_for_bids(), {0, 0, {1, GetParam()}, {}}); }
};
INSTANTIATE_TEST_SUITE_P(, MonitorForms, ::testing::Values(2, 60));

TEST_P(MonitorForms, TellAnotherWhereTheyStand) {
  Monitor first = manager(), second = manager();
  for (const Symbol symbol : {view_symbol(0, 0), view_symbol(1, 1), view_symbol(1, 0)})
    ASSERT_TRUE(first.step(symbol));
  const auto trace = first.trace();
  EXPECT_EQ(trace.size(), 3U);
  ASSERT_TRUE(second.replay(trace));
  EXPECT_EQ(second.allowed(), first.allowed());
  EXPECT_FALSE(second.step(view_symbol(1, 1))) << "it has had its bid";
}

TEST_P(MonitorForms, StayWhereTheyAreWhenATraceIsNotAllowed) {
  Monitor monitor = manager();
  ASSERT_TRUE(monitor.step(view_symbol(0, 0)));
  const auto before = monitor.trace();
  EXPECT_FALSE(monitor.replay({view_symbol(0, 0), view_symbol(2, 0)}));
  EXPECT_EQ(monitor.trace(), before);
  EXPECT_TRUE(monitor.step(view_symbol(1, 0)));
}

TEST_P(MonitorForms, KnowWhetherOneOfSomeInteractionsIsAllowed) {
  Monitor monitor = manager();
  EXPECT_TRUE(monitor.allows_any({0, 2}));
  EXPECT_FALSE(monitor.allows_any({1, 2}));
  EXPECT_FALSE(monitor.allows_any({}));
  ASSERT_TRUE(monitor.step(view_symbol(0, 0)));
  EXPECT_TRUE(monitor.allows_any({1}));
}

TEST_P(MonitorForms, NeverAllowASymbolOfNoMember) {
  Monitor monitor = manager();
  EXPECT_FALSE(monitor.step(view_symbol(1, GetParam())));
  EXPECT_EQ(monitor.look(view_symbol(1, GetParam())), Monitor::Answer::kNever);
  EXPECT_FALSE(monitor.step(view_symbol(7, 0)));
}

TEST(Monitor, ForgetsLoopsInItsTrace) {
  const auto binding = test_binding({"p", "q"}, {"a announce p q", "b announce q p"}, "(a ; b)*");
  Monitor monitor(binding, {0, 0, {1, 1}, {}});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(monitor.step(view_symbol(0, 0)));
    EXPECT_EQ(monitor.trace().size(), 1U);
    EXPECT_FALSE(monitor.may_end());
    ASSERT_TRUE(monitor.step(view_symbol(1, 0)));
    EXPECT_TRUE(monitor.trace().empty());
    EXPECT_TRUE(monitor.may_end());
  }
}

TEST(Monitor, AllowsEverythingWithoutAProtocol) {
  const auto binding = test_binding({"p", "q"}, {"a announce p q", "b announce q p"}, "");
  Monitor monitor(binding, {0, 0, {1, 1}, {}});
  for (const Symbol symbol : {view_symbol(1, 0), view_symbol(0, 0), view_symbol(0, 0)})
    EXPECT_TRUE(monitor.step(symbol));
  EXPECT_TRUE(monitor.may_end());
  EXPECT_EQ(monitor.allowed(), "a, b");
}

TEST(Monitor, OfAPartyThatSeesNothingIsOverAtOnce) {
  const auto binding = test_binding({"p", "q", "r"}, {"a announce p q"}, "a");
  Monitor monitor(binding, {2, 0, {1, 1, 1}, {}});
  EXPECT_TRUE(monitor.may_end());
  EXPECT_EQ(monitor.allowed(), "nothing");
  EXPECT_TRUE(monitor.trace().empty());
}

}  // namespace
}  // namespace hector::types
