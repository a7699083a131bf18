// What: Arrivals on a simulated clock: order per sender, early messages, the seal.
// Why: each invariant of arrivals.h is broken here from outside: gaps, duplicates, limits, an end
// while a delivery runs.
// Who: kernel_test.
#include "party/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector::party {
namespace {

using ::testing::ElementsAre;

/// A message with a number in its sender's order; 0: none.
class Message final : public Call {
 public:
  explicit Message(std::uint64_t number) { header.sequence = number; }

 private:
  void finished() noexcept override {}
};

class ArrivalsTest : public ::testing::Test {
 protected:
  void SetUp() override { timers_.belong_to(owner_); }
  Message& message(std::uint64_t number) {
    messages_.push_back(std::make_unique<Message>(number));
    return *messages_.back();
  }
  void put(std::uint64_t number) {
    ASSERT_TRUE(arrivals_.put(sender_, message(number)));
    deliver();
  }
  void plain() {
    taken_.push_back(0);
    if (arrivals_.count(sender_, Kind::kRpc)) deliver();
  }
  void deliver() {
    arrivals_.deliver(sender_, [this](Call& call) { taken_.push_back(call.header.sequence); });
  }
  Arrived arrived(std::uint32_t interaction) { return {&message(0), interaction, 0}; }

  testing::Simulation world_{1};
  std::shared_ptr<int> owner_ = std::make_shared<int>();
  Timers timers_{world_, world_};
  std::vector<std::unique_ptr<Message>> messages_;
  std::vector<std::uint64_t> taken_;
  Arrivals arrivals_{timers_, [this](Arrivals::Sender&) { deliver(); }};
  Arrivals::Sender& sender_ = arrivals_.sender({1, 2});
};

TEST_F(ArrivalsTest, HandOnMessagesInTheOrderOfTheirNumbers) {
  put(2);
  put(4);
  EXPECT_THAT(taken_, ElementsAre());
  put(1);
  EXPECT_THAT(taken_, ElementsAre(1, 2));
  put(3);
  EXPECT_THAT(taken_, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(arrivals_.received({1, 2}).messages, 4U);
}

TEST_F(ArrivalsTest, CountMessagesWithoutANumberInTheSameOrder) {
  put(3);  // two that come over another protocol are before it
  plain();
  EXPECT_THAT(taken_, ElementsAre(0));
  plain();
  EXPECT_THAT(taken_, ElementsAre(0, 0, 3));
}

TEST_F(ArrivalsTest, CountFlowsApart) {
  put(2);
  EXPECT_FALSE(arrivals_.count(sender_, Kind::kStream));
  EXPECT_EQ(arrivals_.received({1, 2}).flows, 1U);
  EXPECT_EQ(arrivals_.received({1, 2}).messages, 0U);
  EXPECT_THAT(taken_, ElementsAre());
}

TEST_F(ArrivalsTest, GiveUpAGapAfterItsTimeAndNotBefore) {
  put(3);
  put(5);
  world_.run_for(Arrivals::kGapWait - std::chrono::milliseconds(1));
  EXPECT_THAT(taken_, ElementsAre());
  world_.run_for(std::chrono::milliseconds(2));
  EXPECT_THAT(taken_, ElementsAre(3)) << "the next gap has its own time";
  put(1);
  EXPECT_THAT(taken_, ElementsAre(3, 1)) << "a late message is not lost";
  EXPECT_EQ(arrivals_.received({1, 2}).messages, 3U) << "and is not counted twice";
  world_.run_for(Arrivals::kGapWait);
  EXPECT_THAT(taken_, ElementsAre(3, 1, 5));
}

TEST_F(ArrivalsTest, HandOnADuplicateNumberRatherThanLoseIt) {
  put(2);
  put(2);
  EXPECT_THAT(taken_, ElementsAre(2));
  put(1);
  EXPECT_THAT(taken_, ElementsAre(2, 1, 2));
}

TEST_F(ArrivalsTest, GiveUpTheOrderWhereTooManyWait) {
  for (std::uint64_t n = 0; n < Arrivals::kEarlyMax; ++n) put(2 + n);
  EXPECT_THAT(taken_, ElementsAre());
  put(9'999);
  EXPECT_THAT(taken_, ElementsAre(9'999));
  put(10'000);
  EXPECT_EQ(taken_.size(), 2U);
}

TEST_F(ArrivalsTest, AreDeliveredByOneThreadAtATime) {
  ASSERT_TRUE(arrivals_.put(sender_, message(1)));
  arrivals_.deliver(sender_, [this](Call& call) {
    taken_.push_back(call.header.sequence);
    if (call.header.sequence == 1) put(2);  // as another thread would: the first one takes it too
    EXPECT_EQ(taken_.size(), call.header.sequence);
  });
  EXPECT_THAT(taken_, ElementsAre(1, 2));
}

TEST_F(ArrivalsTest, ThatEndWhileTheyAreDeliveredFailTheRest) {
  ASSERT_TRUE(arrivals_.put(sender_, message(1)));
  ASSERT_TRUE(arrivals_.put(sender_, message(2)));
  ASSERT_TRUE(arrivals_.put(sender_, message(4)));
  std::vector<Call*> left;
  arrivals_.deliver(sender_, [&](Call& call) {
    taken_.push_back(call.header.sequence);
    left = arrivals_.close();
  });
  EXPECT_THAT(taken_, ElementsAre(1));
  EXPECT_EQ(left.size(), 2U);
  EXPECT_FALSE(arrivals_.put(sender_, message(3)));
  world_.run_for(2 * Arrivals::kGapWait);
  EXPECT_THAT(taken_, ElementsAre(1)) << "no timer is left";
}

TEST_F(ArrivalsTest, ContinueTheCountsOfAPredecessorAndOnlyForward) {
  EXPECT_TRUE(arrivals_.set_received({1, 2}, {7, 1}));
  EXPECT_TRUE(arrivals_.set_received({0, 0}, {7, 0})) << "nobody sends from there";
  put(8);
  EXPECT_THAT(taken_, ElementsAre(8));
  EXPECT_FALSE(arrivals_.set_received({1, 2}, {6, 1}));
  EXPECT_EQ(arrivals_.received({1, 2}).messages, 8U);
}

TEST_F(ArrivalsTest, ForgetAMemberWhoLeft) {
  put(1);
  put(3);
  EXPECT_EQ(arrivals_.forget({1, 2}).size(), 1U);
  EXPECT_EQ(arrivals_.received({1, 2}).messages, 0U);
  put(1);
  EXPECT_THAT(taken_, ElementsAre(1, 1)) << "the next one at its place begins at 1";
}

TEST_F(ArrivalsTest, HoldEarlyMessagesUntilTheOrderAllowsThem) {
  for (std::uint32_t interaction : {5, 6, 5})
    EXPECT_EQ(arrivals_.hold_early(arrived(interaction)), Arrivals::Taken::kPending);
  const auto next = arrivals_.next_early([](const Arrived& each) { return each.interaction == 6; });
  ASSERT_TRUE(next);
  EXPECT_EQ(next->interaction, 6U);
  EXPECT_EQ(arrivals_.early(), 2U);
  EXPECT_FALSE(arrivals_.next_early([](const Arrived&) { return false; }));
}

TEST_F(ArrivalsTest, RefuseOneEarlyMessageOverTheirLimit) {
  for (std::size_t n = 0; n < Arrivals::kEarlyMax; ++n)
    ASSERT_EQ(arrivals_.hold_early(arrived(0)), Arrivals::Taken::kPending);
  EXPECT_EQ(arrivals_.hold_early(arrived(0)), Arrivals::Taken::kFull);
  EXPECT_EQ(arrivals_.close().size(), Arrivals::kEarlyMax);
  EXPECT_EQ(arrivals_.hold_early(arrived(0)), Arrivals::Taken::kClosed);
}

TEST_F(ArrivalsTest, ThatAreSealedKeepTheirOrderUntilTheSealIsBroken) {
  EXPECT_EQ(arrivals_.hold_sealed(arrived(0)), Arrivals::Taken::kNotNeeded);
  ASSERT_EQ(arrivals_.hold_early(arrived(7)), Arrivals::Taken::kPending);
  arrivals_.seal();
  for (std::uint32_t interaction : {1, 2})
    EXPECT_EQ(arrivals_.hold_sealed(arrived(interaction)), Arrivals::Taken::kPending);
  EXPECT_FALSE(arrivals_.next_early([](const Arrived&) { return true; })) << "early ones wait too";
  EXPECT_EQ(arrivals_.unseal_next()->interaction, 1U);
  EXPECT_TRUE(arrivals_.is_sealed());
  EXPECT_EQ(arrivals_.unseal_next()->interaction, 2U);
  EXPECT_FALSE(arrivals_.unseal_next());
  EXPECT_FALSE(arrivals_.is_sealed());
  EXPECT_TRUE(arrivals_.next_early([](const Arrived&) { return true; }));
}

TEST_F(ArrivalsTest, KnowWhoSendsAndKeepAnEarlierPeerForItsCalls) {
  arrivals_.set_peer(sender_, "capsule:c/a", "c");
  const Peer* const first = sender_.peer.load();
  arrivals_.set_peer(sender_, "capsule:c/a", "c");
  EXPECT_EQ(sender_.peer.load(), first);
  arrivals_.set_peer(sender_, "capsule:c/b", "c");
  EXPECT_EQ(sender_.peer.load()->principal, "capsule:c/b");
  EXPECT_EQ(first->principal, "capsule:c/a");
}

TEST_F(ArrivalsTest, KeepThePlaceOfAnEarlyMessageWhoseCallIsTakenOut) {
  const auto first = arrived(5), second = arrived(6);
  ASSERT_EQ(arrivals_.hold_early(first), Arrivals::Taken::kPending);
  ASSERT_EQ(arrivals_.hold_early(second), Arrivals::Taken::kPending);
  const auto held = arrivals_.held();
  ASSERT_EQ(held.size(), 2U);
  EXPECT_EQ(arrivals_.end_early(held[0].number), first.call);
  EXPECT_EQ(arrivals_.end_early(held[0].number), nullptr) << "once";
  EXPECT_EQ(arrivals_.end_early(99), nullptr);
  EXPECT_TRUE(arrivals_.held()[0].has_ended);
  EXPECT_EQ(arrivals_.early(), 2U);
  EXPECT_EQ(arrivals_.next_early([](const Arrived&) { return true; })->call, nullptr);
  EXPECT_THAT(arrivals_.close(), ElementsAre(second.call)) << "nothing is failed twice";
}

TEST_F(ArrivalsTest, GiveUpWhatIsHeldAndStayOpen) {
  const auto early = arrived(5), sealed = arrived(6);
  ASSERT_EQ(arrivals_.hold_early(early), Arrivals::Taken::kPending);
  arrivals_.seal();
  ASSERT_EQ(arrivals_.hold_sealed(sealed), Arrivals::Taken::kPending);
  EXPECT_THAT(arrivals_.take_all_held(),
              ElementsAre(::testing::Field(&Arrived::call, early.call),
                          ::testing::Field(&Arrived::call, sealed.call)));
  EXPECT_EQ(arrivals_.early(), 0U);
  EXPECT_TRUE(arrivals_.is_sealed());
  EXPECT_FALSE(arrivals_.unseal_next());
  EXPECT_EQ(arrivals_.hold_early(arrived(7)), Arrivals::Taken::kPending);
}

}  // namespace
}  // namespace hector::party
