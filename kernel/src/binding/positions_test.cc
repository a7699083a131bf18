// Where the parties of a frozen Binding stand: what is refused, what is in flight, and where a lost
// party stood.
#include "binding/positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/registry/repository.h"

namespace hector {
namespace {

using ::testing::ElementsAre;

constexpr const char* kTypes = R"(interface: t.Caller/1
messages: [google/protobuf/wrappers.proto]
initiates:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  note: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
interface: t.Worker/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  note: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
binding: t.Pair/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1}}
interactions:
  ask:  {kind: rpc, from: caller, to: worker, operation: ask}
  note: {kind: rpc, from: caller, to: worker, operation: note}
protocol: (ask ; note)*
)";

constexpr Place kCaller{RoleIndex(0), MemberIndex(0)};
constexpr Place kWorker{RoleIndex(1), MemberIndex(0)};
const types::Symbol kAsk = types::view_symbol(0, 0);
const types::Symbol kNote = types::view_symbol(1, 0);

kernel::v1::PartyPosition party(const std::string& role, const std::vector<types::Symbol>& trace) {
  kernel::v1::PartyPosition told;
  told.set_role(role);
  for (const auto symbol : trace) told.mutable_position()->add_way(symbol);
  return told;
}

void add_count(google::protobuf::RepeatedPtrField<kernel::v1::Count>& counts, Place place,
               std::uint64_t messages) {
  auto* count = counts.Add();
  count->set_role(place.role);
  count->set_member(place.member);
  count->set_messages(messages);
}

class Frozen : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto loaded = types_.load_text(kTypes, "test", ".");
    ASSERT_TRUE(loaded) << loaded.error().text();
    formation_ = Formation(*types_.binding("t.Pair/1"));
    formation_.add(kCaller.role, of_capsule(1));
    formation_.add(kWorker.role, of_capsule(2));
  }
  static Candidate of_capsule(std::uint64_t capsule) {
    Candidate candidate;
    candidate.reference.object = "o";
    candidate.reference.capsule_id = capsule;
    return candidate;
  }

  types::Repository types_;
  Formation formation_;
  PartyPositions positions_{formation_};
};

TEST_F(Frozen, PositionsOfWhatThisBindingHasNotAreRefused) {
  EXPECT_FALSE(positions_.add(party("boss", {})));
  auto member = party("worker", {});
  member.set_member(7);
  EXPECT_FALSE(positions_.add(member));
  EXPECT_FALSE(positions_.add(party("worker", {types::view_symbol(9, 0)})));
  auto counts = party("worker", {});
  add_count(*counts.mutable_position()->mutable_sent(), {RoleIndex(5), MemberIndex(0)}, 1);
  EXPECT_FALSE(positions_.add(counts));
  auto waiting = party("caller", {});
  waiting.add_waiting(types::view_symbol(9, 0));
  EXPECT_FALSE(positions_.add(waiting));
  EXPECT_TRUE(positions_.traces().empty()) << "nothing of it was taken";
  EXPECT_TRUE(positions_.add(party("worker", {kAsk})));
}

TEST_F(Frozen, BindingIsQuiescentWhenAllThatWasSentHasArrived) {
  auto caller = party("caller", {kAsk});
  add_count(*caller.mutable_position()->mutable_sent(), kWorker, 2);
  auto worker = party("worker", {kAsk});
  add_count(*worker.mutable_position()->mutable_received(), kCaller, 1);
  PartyPositions in_flight(formation_);
  ASSERT_TRUE(in_flight.add(caller) && in_flight.add(worker));
  EXPECT_FALSE(in_flight.is_quiescent());
  worker.mutable_position()->mutable_received(0)->set_messages(2);
  ASSERT_TRUE(positions_.add(caller) && positions_.add(worker));
  EXPECT_TRUE(positions_.is_quiescent());
  worker.set_leaving(1);
  PartyPositions leaving(formation_);
  ASSERT_TRUE(leaving.add(worker));
  EXPECT_FALSE(leaving.is_quiescent()) << "the order has a message that has not left";
}

TEST_F(Frozen, LostPartyStoodWhereTheOthersMessagesLeftIt) {
  auto caller = party("caller", {kAsk, kNote});
  add_count(*caller.mutable_position()->mutable_sent(), kWorker, 2);
  ASSERT_TRUE(positions_.add(caller));
  const auto position = positions_.reconstruct(kWorker);
  ASSERT_TRUE(position);
  EXPECT_THAT(position->way(), ElementsAre(kAsk, kNote));
  ASSERT_EQ(position->received_size(), 1) << "what the caller sent, it received";
  EXPECT_EQ(position->received(0).role(), kCaller.role);
  EXPECT_EQ(position->received(0).messages(), 2U);
  EXPECT_EQ(position->sent_size(), 0);
}

TEST_F(Frozen, WhatHasNotLeftYetTheLostPartyHasNotSeen) {
  auto caller = party("caller", {kAsk, kNote});
  caller.add_waiting(kNote);
  ASSERT_TRUE(positions_.add(caller));
  const auto position = positions_.reconstruct(kWorker);
  ASSERT_TRUE(position);
  EXPECT_THAT(position->way(), ElementsAre(kAsk));
}

TEST_F(Frozen, HistoriesThatNoProtocolBeginsWithGiveNoPosition) {
  ASSERT_TRUE(positions_.add(party("caller", {kNote})));
  EXPECT_FALSE(positions_.reconstruct(kWorker));
}

TEST_F(Frozen, TracesAreWithoutThePartyThatLeaves) {
  ASSERT_TRUE(positions_.add(party("caller", {kAsk})) && positions_.add(party("worker", {kAsk})));
  const auto traces = positions_.traces(kWorker);
  ASSERT_EQ(traces.size(), 1U);
  EXPECT_EQ(traces[0].role, kCaller.role);
  EXPECT_TRUE(traces[0].trace.empty()) << "what was exchanged with it";
  EXPECT_EQ(PartyPositions::last_interaction(formation_, positions_.traces()), "ask");
  EXPECT_EQ(PartyPositions::last_interaction(formation_, traces), "");
}

}  // namespace
}  // namespace hector
