// What: which held messages nothing can free, of looks that the test makes up.
// Why: a call may be ended only if it could never have been answered.
// Who: ctest.
#include "binding/wait_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum Interaction : std::uint32_t { kRequest, kAssign, kBooked, kArrived, kPay };

/// A customer (1), a dispatcher (1) and couriers (0 to 2).
class WaitGraphs : public ::testing::Test {
 protected:
  WaitGraphs() {
    hector::type::v1::Binding type;
    type.set_name("p.Pickup");
    type.set_major(1);
    for (const char* name : {"customer", "dispatcher", "courier"}) {
      auto& role = *type.add_roles();
      role.set_name(name);
      role.set_members_min(1);
      role.set_members_max(3);
    }
    const auto add = [&](const char* name, const char* from, const char* to) {
      auto& interaction = *type.add_interactions();
      interaction.set_name(name);
      interaction.set_from(from);
      interaction.set_to(to);
      interaction.set_operation(name);
    };
    add("request", "customer", "dispatcher");
    add("assign", "dispatcher", "courier");
    add("booked", "dispatcher", "customer");
    add("arrived", "courier", "customer");
    add("pay", "customer", "courier");
    formation_ = Formation(type);
    for (const RoleIndex role : {0, 1, 2, 2}) {
      Candidate party;
      party.reference.object = "o";
      formation_.add(role, party);
    }
  }
  kernel::v1::PartyLook& party(const char* role, std::uint32_t member = 0) {
    for (auto& each : looks_) {
      if (each.role() == role && each.member() == member) return each;
    }
    auto& made = looks_.emplace_back();
    made.set_role(role);
    made.set_member(member);
    return made;
  }
  void hold(const char* role, std::uint32_t interaction, std::uint32_t sender,
            std::vector<types::Symbol> needs, std::uint64_t held_ms = 500) {
    auto& held = *party(role).add_held();
    held.set_interaction(interaction);
    held.set_sender(sender);
    held.set_number(++last_);
    held.set_held_ms(held_ms);
    for (const auto symbol : needs) held.add_needs(symbol);
  }
  void wait(const char* role, std::uint32_t member, const char* during, std::uint32_t interaction,
            std::uint32_t receiver = 0) {
    auto& wait = *party(role, member).add_waits();
    wait.set_interaction(interaction);
    wait.set_receiver(receiver);
    wait.set_operation(during);
  }
  WaitGraph graph() {
    WaitGraph graph(formation_);
    for (const auto& each : looks_) EXPECT_TRUE(graph.add(each));
    return graph;
  }
  /// The number of the held message that ends; 0: none.
  std::uint64_t ended() {
    const auto cycle = graph().cycle();
    return cycle ? cycle->number : 0;
  }
  static constexpr types::Symbol from(std::uint32_t interaction, std::uint32_t member = 0) {
    return types::view_symbol(interaction, member);
  }

  Formation formation_;
  std::vector<kernel::v1::PartyLook> looks_;
  std::uint64_t last_ = 0;
};

TEST_F(WaitGraphs, ACircleThroughAHeldMessageIsFoundAndTold) {
  hold("customer", kArrived, 0, {from(kBooked)});
  wait("dispatcher", 0, "request", kAssign);
  wait("courier", 0, "assign", kArrived);
  const auto cycle = graph().cycle();
  ASSERT_TRUE(cycle);
  EXPECT_EQ(cycle->at, (Place{0, 0}));
  EXPECT_EQ(cycle->chain,
            "customer 0 holds 'arrived' of courier 0 until 'booked' of dispatcher 0; dispatcher 0 "
            "waits in 'request' for 'assign' at courier 0; courier 0 waits in 'assign' for "
            "'arrived' at customer 0");
  EXPECT_THAT(graph().lines(),
              ElementsAre(HasSubstr("'arrived' of courier 0 waits at customer 0 for 'booked' of "
                                    "dispatcher 0"),
                          "dispatcher 0 waits in 'request' for 'assign' at courier 0",
                          "courier 0 waits in 'assign' for 'arrived' at customer 0"));
}

TEST_F(WaitGraphs, AStarterThatWaitsForNothingMayStillCome) {
  hold("customer", kArrived, 0, {from(kBooked)});
  wait("courier", 0, "assign", kArrived);
  EXPECT_EQ(ended(), 0U);
}

TEST_F(WaitGraphs, OneOfTwoStartersIsEnough) {
  hold("customer", kArrived, 0, {from(kBooked), from(kArrived, 1)});
  wait("dispatcher", 0, "request", kAssign);
  wait("courier", 0, "assign", kArrived);
  EXPECT_EQ(ended(), 0U) << "courier 1 is free";
  wait("courier", 1, "assign", kArrived);
  EXPECT_EQ(ended(), 0U) << "its message is on its way";
}

TEST_F(WaitGraphs, AReceiverThatHandlesAnotherCallServesThisOneMeanwhile) {
  hold("customer", kArrived, 0, {from(kBooked)});
  wait("dispatcher", 0, "request", kAssign, 1);
  wait("courier", 1, "pay", kArrived);
  wait("courier", 0, "assign", kArrived);
  EXPECT_EQ(ended(), 0U) << "courier 1 waits in 'pay', and takes 'assign' there";
}

TEST_F(WaitGraphs, AnObjectWithAFreeThreadIsNotStuck) {
  hold("customer", kArrived, 0, {from(kBooked)});
  wait("dispatcher", 0, "request", kAssign, 0);
  wait("dispatcher", 0, "request", kAssign, 1);
  wait("courier", 0, "assign", kArrived);
  EXPECT_EQ(ended(), 0U) << "courier 1 is about to answer the other thread";
}

TEST_F(WaitGraphs, APartyMayWaitForItself) {
  hold("customer", kArrived, 0, {from(kRequest)});  // the customer's own request has to come first
  wait("courier", 0, "assign", kArrived);
  wait("customer", 0, "booked", kPay, 0);
  EXPECT_EQ(ended(), 0U) << "the courier is in 'assign', not in 'pay'";
  party("courier").mutable_waits(0)->set_operation("pay");
  EXPECT_EQ(ended(), 1U);
  EXPECT_THAT(graph().cycle()->chain, HasSubstr("until 'request' of customer 0"));
}

TEST_F(WaitGraphs, OfTwoInOneCircleTheYoungerEnds) {
  hold("customer", kArrived, 0, {from(kBooked)}, 900);
  hold("customer", kArrived, 1, {from(kArrived, 0)}, 300);
  wait("dispatcher", 0, "request", kAssign, 1);
  wait("courier", 0, "assign", kArrived);
  wait("courier", 1, "assign", kArrived);
  EXPECT_EQ(ended(), 2U);
}

TEST_F(WaitGraphs, WhatOnlyWaitsBehindACircleIsNotEnded) {
  hold("customer", kArrived, 0, {from(kBooked)}, 900);
  wait("dispatcher", 0, "request", kAssign, 0);
  wait("courier", 0, "assign", kArrived);
  hold("customer", kArrived, 1, {from(kArrived, 0)}, 100);
  wait("courier", 1, "pay", kArrived);
  EXPECT_EQ(ended(), 1U) << "the younger one waits for the circle, and is not in it";
}

TEST_F(WaitGraphs, AMessageWhoseCallHasEndedIsInNoCircle) {
  hold("customer", kArrived, 0, {from(kBooked)});
  party("customer").mutable_held(0)->set_has_ended(true);
  wait("dispatcher", 0, "request", kAssign);
  wait("courier", 0, "assign", kArrived);
  EXPECT_EQ(ended(), 0U);
}

TEST_F(WaitGraphs, WhatCannotBeOfThisBindingIsNotTaken) {
  WaitGraph graph(formation_);
  kernel::v1::PartyLook look;
  look.set_role("nobody");
  EXPECT_FALSE(graph.add(look));
  look.set_role("customer");
  look.set_member(7);
  EXPECT_FALSE(graph.add(look));
  look.set_member(0);
  EXPECT_TRUE(graph.add(look));
  look.add_held()->set_interaction(99);
  EXPECT_FALSE(graph.add(look));
  look.clear_held();
  look.add_waits()->set_interaction(99);
  EXPECT_FALSE(graph.add(look));
  look.clear_waits();
  look.add_way(99U << 16);
  EXPECT_FALSE(graph.add(look));
}

}  // namespace
}  // namespace hector
