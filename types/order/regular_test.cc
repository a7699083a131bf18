// What: regular languages: derivatives, limits, and the minimal automaton.
// Why: every check of an order is decided on these.
// Who: types_test.
#include "types/order/regular.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hector::types {
namespace {

TEST(Regular, ForgetsWhatAnExpressionIsNotMadeOfAndGoesOnAsBefore) {
  Regular language;
  const auto a = language.symbol(1), b = language.symbol(2), c = language.symbol(3);
  Regular::Node node = language.star(language.interleave(
      {language.sequence(a, b), language.choice({c, language.sequence(b, a)})}));
  for (const Symbol symbol : {1U, 3U, 2U, 2U, 1U, 1U, 2U}) {
    const std::size_t before = language.size();
    node = language.keep_only(language.after(node, symbol));
    ASSERT_NE(node, Regular::kVoid);
    EXPECT_LT(language.size(), before + 20);
  }
  EXPECT_TRUE(language.may_end(node));
  EXPECT_EQ(language.after(node, 4), Regular::kVoid);
}

TEST(Regular, GivesEqualLanguagesOneNumberWhereTheyAreWrittenAlike) {
  Regular language;
  const auto a = language.symbol(1), b = language.symbol(2), c = language.symbol(3);
  EXPECT_EQ(language.choice({a, b}), language.choice({b, a, a}));
  EXPECT_EQ(language.interleave({a, b}), language.interleave({b, a}));
  EXPECT_EQ(language.sequence(language.sequence(a, b), c),
            language.sequence(a, language.sequence(b, c)));
  EXPECT_EQ(language.star(language.star(a)), language.star(a));
}

TEST(Regular, TreatsTheEmptyWordAndTheEmptyLanguageAsUnits) {
  Regular language;
  const auto a = language.symbol(1);
  EXPECT_EQ(language.sequence(a, Regular::kEmpty), a);
  EXPECT_EQ(language.sequence(Regular::kVoid, a), Regular::kVoid);
  EXPECT_EQ(language.choice({a, Regular::kVoid}), a);
  EXPECT_EQ(language.choice({}), Regular::kVoid);
  EXPECT_EQ(language.interleave({a, Regular::kEmpty}), a);
  EXPECT_EQ(language.interleave({a, Regular::kVoid}), Regular::kVoid);
  EXPECT_EQ(language.star(Regular::kVoid), Regular::kEmpty);
  EXPECT_FALSE(language.may_end(Regular::kVoid));
  EXPECT_TRUE(language.may_end(Regular::kEmpty));
}

TEST(Regular, CountsRepetitions) {
  Regular language;
  const auto a = language.symbol(1);
  auto node = language.repeat(a, 2, 3);
  std::vector<bool> may_end;
  for (int i = 0; i < 4; ++i) {
    may_end.push_back(language.may_end(node));
    node = language.after(node, 1);
  }
  EXPECT_THAT(may_end, ::testing::ElementsAre(false, false, true, true));
  EXPECT_EQ(node, Regular::kVoid);
  EXPECT_EQ(language.repeat(a, 0, 0), Regular::kEmpty);
  EXPECT_EQ(language.repeat(a, 0, -1), language.star(a));
}

TEST(Regular, KnowsWhichSymbolsComeFirstAndWhichOccur) {
  Regular language;
  const auto a = language.symbol(1), b = language.symbol(2), c = language.symbol(3);
  const auto node = language.sequence(language.optional(b), language.choice({a, c}));
  EXPECT_THAT(language.first(node), ::testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(language.first(language.sequence(b, a)), ::testing::ElementsAre(2));
  EXPECT_THAT(language.alphabet(language.after(node, 2)), ::testing::ElementsAre(1, 3));
}

TEST(Automaton, IsMinimal) {
  Regular language;
  const auto a = language.symbol(1), b = language.symbol(2);
  const auto long_way = language.choice({language.sequence(a, a), language.sequence(b, a)});
  const auto automaton = *build_automaton(language, long_way);
  EXPECT_EQ(automaton.next.size(), 3U) << "after a and after b the same is left";
  EXPECT_EQ(automaton.step(automaton.start, 1), automaton.step(automaton.start, 2));
  EXPECT_EQ(automaton.step(automaton.start, 3), Automaton::kNone) << "no symbol of its own";
  EXPECT_EQ(std::count(automaton.accepting.begin(), automaton.accepting.end(), true), 1);
}

TEST(Automaton, HasNoStatesForTheEmptyLanguageButItsStart) {
  Regular language;
  const auto automaton = *build_automaton(language, Regular::kVoid);
  EXPECT_EQ(automaton.next.size(), 1U);
  EXPECT_FALSE(automaton.accepting.at(0));
}

TEST(Automaton, IsRefusedWhereItHasMoreStatesThanItMay) {
  Regular language;
  const auto a = language.symbol(1);
  const auto five = language.repeat(a, 4, 4);  // five states
  EXPECT_TRUE(build_automaton(language, five, 5));
  const auto refused = build_automaton(language, five, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("more than 4 states"));
}

TEST(Automaton, IsRefusedWhereTheLanguageBecameTooLarge) {
  Regular language;
  auto node = language.symbol(0);
  for (Symbol s = 1; !language.is_overfull(); ++s)
    node = language.choice({language.sequence(node, language.symbol(s)), language.symbol(s)});
  EXPECT_LE(language.size(), Regular::kNodesMax);
  EXPECT_EQ(build_automaton(language, node).error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace hector::types
