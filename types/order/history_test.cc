// What: histories that explain where every party of a Binding stands.
// Why: a Binding whose members change, or are lost, goes on only from such a history.
// Who: types_test.
#include "types/order/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

using ::testing::ElementsAre;

TEST(CommonHistory, OrdersWhatThePartiesSawApart) {
  const auto binding = test_binding({"p", "q", "r"}, {"a announce p q", "b announce q r"}, "a ; b");
  const View view{0, 0, {1, 1, 1}, {}};
  const auto history = common_history(binding, view,
                                      {{2, 0, {view_symbol(1, 0)}},
                                       {1, 0, {view_symbol(0, 0), view_symbol(1, 0)}},
                                       {0, 0, {view_symbol(0, 0)}}});
  ASSERT_TRUE(history);
  EXPECT_THAT(*history, ElementsAre(global_symbol(0, 0, 0), global_symbol(1, 0, 0)));
}

TEST(CommonHistory, IsNoneWhereThePartiesContradictEachOther) {
  const auto binding = test_binding({"p", "q"}, {"a announce p q", "b announce p q"}, "a | b");
  const View view{0, 0, {1, 1}, {}};
  EXPECT_FALSE(
      common_history(binding, view, {{0, 0, {view_symbol(0, 0)}}, {1, 0, {view_symbol(1, 0)}}}));
  EXPECT_FALSE(common_history(binding, view, {{0, 0, {view_symbol(0, 0)}}, {1, 0, {}}}))
      << "q has not seen what p has seen";
}

TEST(CommonHistory, LetsAPartyThatIsNotThereHaveSeenAnything) {
  const auto binding = test_binding({"p", "q"}, {"a announce p q", "b announce q p"}, "a ; b");
  const auto history =
      common_history(binding, {0, 0, {1, 1}, {}}, {{0, 0, {view_symbol(0, 0), view_symbol(1, 0)}}});
  ASSERT_TRUE(history);
  EXPECT_EQ(history->size(), 2U);
}

TEST(CommonHistory, OfAMulticastIsSeenByEveryMember) {
  const auto binding = call_for_bids();
  const View view{0, 0, {1, 2}, {}};
  const Symbol call = view_symbol(0, 0);
  const auto history =
      common_history(binding, view, {{0, 0, {call}}, {1, 0, {call}}, {1, 1, {call}}});
  ASSERT_TRUE(history);
  EXPECT_THAT(*history, ElementsAre(global_symbol(0, 0, 0)));
  EXPECT_FALSE(common_history(binding, view, {{0, 0, {call}}, {1, 0, {call}}, {1, 1, {}}}));
}

/// A courier who arrives before the customer was told, in a second round of it.
TEST(AgreedHistory, IsWhatAllHaveSeenOrItsLastBeginningAfterWhichARoundIsOver) {
  const auto binding = test_binding(
      {"p", "q", "r"},
      {"open announce p q", "ask announce p q", "give announce q r", "done announce r p"},
      "open ; (ask ; give ; done)*");
  const View view{0, 0, {1, 1, 1}, {}};
  const Symbol open = view_symbol(0, 0), ask = view_symbol(1, 0), give = view_symbol(2, 0),
               done = view_symbol(3, 0);
  const std::vector<PartyTrace> parties{
      {0, 0, {open, ask}}, {1, 0, {open, ask}}, {2, 0, {give, done}}};
  EXPECT_FALSE(common_history(binding, view, parties)) << "q has not given what r was given";
  EXPECT_THAT(agreed_history(binding, view, parties, Agreement::kLast),
              ElementsAre(global_symbol(0, 0, 0), global_symbol(1, 0, 0)));
  EXPECT_THAT(agreed_history(binding, view, parties, Agreement::kRound),
              ElementsAre(global_symbol(0, 0, 0)));
}

TEST(AgreedHistory, OfPartiesThatAgreeIsAllThatHasHappened) {
  const auto binding = test_binding({"p", "q"}, {"a announce p q", "b announce q p"}, "a ; b");
  const View view{0, 0, {1, 1}, {}};
  const std::vector<Symbol> both{view_symbol(0, 0), view_symbol(1, 0)};
  for (const auto agreement : {Agreement::kLast, Agreement::kRound})
    EXPECT_EQ(agreed_history(binding, view, {{0, 0, both}, {1, 0, both}}, agreement).size(), 2U);
}

TEST(AgreedHistory, OfPartiesThatAgreeOnNothingIsTheStart) {
  const auto binding = test_binding({"p", "q"}, {"a announce p q", "b announce q p"}, "a | b");
  const View view{0, 0, {1, 1}, {}};
  EXPECT_TRUE(agreed_history(binding, view,
                             {{0, 0, {view_symbol(0, 0)}}, {1, 0, {view_symbol(1, 0)}}},
                             Agreement::kLast)
                  .empty());
}

TEST(SeenBy, IsTheHistoryFromOneMembersSide) {
  const auto binding = call_for_bids();
  const std::vector<Symbol> history{global_symbol(0, 0, 0), global_symbol(1, 1, 0),
                                    global_symbol(2, 0, 1)};
  EXPECT_THAT(seen_by(binding, history, 0, 0),
              ElementsAre(view_symbol(0, 0), view_symbol(1, 1), view_symbol(2, 1)));
  EXPECT_THAT(seen_by(binding, history, 1, 1),
              ElementsAre(view_symbol(0, 0), view_symbol(1, 0), view_symbol(2, 0)));
  EXPECT_THAT(seen_by(binding, history, 1, 0), ElementsAre(view_symbol(0, 0)));
}

TEST(Without, ForgetsWhatWasExchangedWithOneMember) {
  const auto binding = call_for_bids();
  const PartyTrace manager{
      0, 0, {view_symbol(0, 0), view_symbol(1, 0), view_symbol(1, 1), view_symbol(2, 1)}};
  EXPECT_THAT(without(binding, manager, 1, 1), ElementsAre(view_symbol(0, 0), view_symbol(1, 0)))
      << "the multicast went to others too";
  const PartyTrace worker{1, 0, {view_symbol(0, 0), view_symbol(1, 0)}};
  EXPECT_TRUE(without(binding, worker, 0, 0).empty());
}

}  // namespace
}  // namespace hector::types
