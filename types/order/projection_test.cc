// What: one member's view of a Binding, and the order of a Role.
// Why: the same projection decides conformance and drives the monitor.
// Who: types_test.
#include "types/order/projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

using ::testing::ElementsAre;

/// Whether the view allows this word to begin with, and whether it may be over then.
enum class After { kRefused, kGoesOn, kMayEnd };
After after(const hector::type::v1::Binding& binding, const View& view,
            const std::vector<Symbol>& word) {
  Regular language;
  Regular::Node node = project(binding, view, language);
  for (const Symbol symbol : word) node = language.after(node, symbol);
  if (node == Regular::kVoid) return After::kRefused;
  return language.may_end(node) ? After::kMayEnd : After::kGoesOn;
}

TEST(Projection, LeavesOutWhatOthersDoAmongThemselves) {
  const auto binding = test_binding(
      {"p", "q", "r"}, {"a announce p q", "b announce q r", "c announce r p"}, "a ; b ; c");
  const View first{0, 0, {1, 1, 1}, {}};
  EXPECT_EQ(after(binding, first, {view_symbol(0, 0), view_symbol(2, 0)}), After::kMayEnd);
  EXPECT_EQ(after(binding, first, {view_symbol(2, 0)}), After::kRefused);
  EXPECT_EQ(after(binding, {1, 0, {1, 1, 1}, {}}, {view_symbol(0, 0), view_symbol(1, 0)}),
            After::kMayEnd);
}

TEST(Projection, RepeatsAnInteractionForEachMember) {
  const auto binding = call_for_bids();
  const View manager{0, 0, {1, 2}, {}};
  const Symbol call = view_symbol(0, 0), first = view_symbol(1, 0), second = view_symbol(1, 1);
  EXPECT_EQ(after(binding, manager, {call, second, first, view_symbol(2, 1)}), After::kMayEnd);
  EXPECT_EQ(after(binding, manager, {call, first, view_symbol(2, 1)}), After::kRefused);
}

TEST(Projection, AsksNothingOfMembersWhoLeft) {
  const auto binding = call_for_bids();
  const View view{0, 0, {1, 3}, {{}, {1}}};
  EXPECT_THAT(view.present(1), ElementsAre(0, 2));
  EXPECT_TRUE(view.is_absent(1, 1));
  EXPECT_FALSE(view.is_absent(0, 0));
  const Symbol call = view_symbol(0, 0), zero = view_symbol(1, 0), two = view_symbol(1, 2);
  EXPECT_EQ(after(binding, view, {call, zero, two, view_symbol(2, 0)}), After::kMayEnd);
  EXPECT_EQ(after(binding, view, {call, view_symbol(1, 1)}), After::kRefused);
}

TEST(Projection, MakesOneSymbolOfAMulticast) {
  const auto binding = call_for_bids();
  EXPECT_EQ(after(binding, {0, 0, {1, 5}, {}}, {view_symbol(0, 0), view_symbol(0, 1)}),
            After::kRefused);
  EXPECT_EQ(after(binding, {1, 4, {1, 5}, {}}, {view_symbol(0, 0), view_symbol(1, 0)}),
            After::kMayEnd);
}

TEST(Projection, GivesSymbolsBackTheirParts) {
  const Symbol seen = view_symbol(70, 0xffff);
  EXPECT_EQ(symbol_interaction(seen), 70U);
  EXPECT_EQ(symbol_member(seen), 0xffffU);
  const Symbol all = global_symbol(kGlobalInteractionsMax - 1, 1, kGlobalMembersMax - 1);
  EXPECT_EQ(global_interaction(all), kGlobalInteractionsMax - 1);
  EXPECT_EQ(global_from(all), 1U);
  EXPECT_EQ(global_to(all), kGlobalMembersMax - 1);
}

TEST(RoleOrder, IsOfOperationsAndDoesNotTellMembersApart) {
  const auto order = *role_order(call_for_bids(), 0);
  ASSERT_THAT(order.operations, ElementsAre("bid", "call", "award"));
  EXPECT_EQ(order.is_output, (std::vector<bool>{false, true, true}));
  const auto& automaton = order.automaton;
  std::int32_t state = automaton.step(automaton.start, 1);
  for (int member = 0; member < 3; ++member) {
    ASSERT_NE(state, Automaton::kNone);
    EXPECT_EQ(automaton.step(state, 2), Automaton::kNone) << "not before every bid";
    state = automaton.step(state, 0);
  }
  EXPECT_NE(automaton.step(state, 2), Automaton::kNone);
}

TEST(CheckedMembers, AreThoseWantedWithinTheCardinality) {
  auto binding = call_for_bids();
  EXPECT_THAT(checked_members(binding, 2), ElementsAre(1, 2));
  binding.mutable_roles(1)->set_members_min(5);
  EXPECT_THAT(checked_members(binding, 2), ElementsAre(1, 5));
  binding.mutable_roles(1)->set_members_min(0);
  EXPECT_THAT(checked_members(binding, 0), ElementsAre(1, 1)) << "never none";
}

TEST(InterfaceAutomaton, RefusesAnUnknownOperation) {
  hector::type::v1::Interface model;
  model.set_name("t.I");
  model.add_operations()->set_name("a");
  model.add_initiates()->set_name("c");
  *model.mutable_protocol() = *parse_expression("a ; c");
  const auto automaton = *interface_automaton(model);
  EXPECT_NE(automaton.step(automaton.step(automaton.start, 0), 1), Automaton::kNone)
      << "initiates are numbered after operations";
  *model.mutable_protocol() = *parse_expression("a ; d");
  EXPECT_EQ(interface_automaton(model).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace hector::types
