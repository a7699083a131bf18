#include "types/model/interaction_type.h"

#include <gtest/gtest.h>

#include "types/check/binding_check.h"
#include "types/model/reader.h"
#include "types/order/expression.h"

namespace hector::types {
namespace {

constexpr const char* kBuy = R"(
binding: t.Buy/1
roles:
  buyer:    {interface: t.Buyer/1}
  supplier: {interface: t.Supplier/1, cardinality: 1..*}
  bank:     {interface: t.Bank/1}
interactions:
  tender: {kind: hector.ContractNet/1, roles: {manager: buyer, contractor: supplier}, operations: {bid: offer}, with: {bids_within: 500ms}}
  pay:    {kind: rpc, from: buyer, to: bank, operation: pay}
protocol: (tender ; pay?)*
)";

TEST(InteractionType, BecomesInteractionsAndAPartOfTheProtocol) {
  auto file = read_types(kBuy, "buy.yaml", ".");
  ASSERT_TRUE(file) << file.error().message;
  const auto& binding = file->bindings.at(0);
  EXPECT_EQ(print_expression(binding.protocol()),
            "((tender_call ; tender_bid[supplier?] before 500ms ; tender_award? ; "
            "tender_deny[supplier?]) ; pay?)*");
  ASSERT_EQ(binding.interactions_size(), 5);
  const auto& bid = binding.interactions(1);
  EXPECT_EQ(bid.name(), "tender_bid");
  EXPECT_EQ(bid.from(), "supplier");
  EXPECT_EQ(bid.to(), "buyer");
  EXPECT_EQ(bid.operation(), "offer");
  EXPECT_EQ(bid.part_of(), "tender");
  EXPECT_EQ(bid.interaction_type(), "hector.ContractNet/1");
  EXPECT_FALSE(check_binding(binding, {}));
}

TEST(InteractionType, StandardOnesCanWorkOnTheirOwn) {
  ASSERT_EQ(standard_interaction_types().size(), 3U);
  for (const auto& [id, type] : standard_interaction_types()) {
    auto binding = as_binding(type, {});
    ASSERT_TRUE(binding) << id << ": " << binding.error().message;
    EXPECT_FALSE(check_binding(*binding, {})) << id;
  }
}

TEST(InteractionType, MayStandInAnother) {
  auto file = read_types(R"(
interaction: t.Poll/1
roles: {asker: {}, voter: {cardinality: 1..*}}
interactions:
  vote:   {kind: announce, from: voter, to: asker}
  agreed: {kind: hector.TwoPhaseAgreement/1, roles: {coordinator: asker, participant: voter}, operations: {prepare: ready}}
protocol: vote[voter] ; agreed
---
binding: t.Vote/1
roles: {clerk: {interface: t.Clerk/1}, member: {interface: t.Member/1, cardinality: 2..9}}
interactions:
  poll: {kind: t.Poll/1, roles: {asker: clerk, voter: member}, operations: {vote: raise_hand}}
protocol: poll*
)",
                         "poll.yaml", ".");
  ASSERT_TRUE(file) << file.error().message;
  const auto& binding = file->bindings.at(0);
  EXPECT_EQ(print_expression(binding.protocol()),
            "(poll_vote[member] ; (poll_agreed_prepare ; @clerk(poll_agreed_commit | "
            "poll_agreed_abort)))*");
  EXPECT_EQ(binding.interactions(0).operation(), "raise_hand");
  EXPECT_EQ(binding.interactions(1).operation(), "ready");
}

TEST(InteractionType, RefusesToGrowBeyondTheLimit) {
  std::string yaml;
  for (int level = 1; level <= 6; ++level) {
    yaml +=
        "interaction: t.L" + std::to_string(level) + "/1\nroles: {a: {}, b: {}}\ninteractions:\n";
    yaml += level == 1
                ? "  x: {kind: announce, from: a, to: b}\n"
                : "  x: {kind: t.L" + std::to_string(level - 1) + "/1, roles: {a: a, b: b}}\n";
    yaml += "protocol: x";
    for (int i = 0; i < 40; ++i) yaml += " ; x";
    yaml += "\n---\n";
  }
  auto file = read_types(yaml, "deep.yaml", ".");
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("larger than"), std::string::npos) << file.error().message;
}

}  // namespace
}  // namespace hector::types
