// What: HeldWatch on a simulated clock: when held messages are reported, when their calls end, and
// what is left of them.
// Why: a caller has to hear why it waited, just before it stops waiting.
// Who: kernel_test.
#include "party/held_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector::party {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Early final : public Call {
 public:
  [[nodiscard]] std::string said() const { return error ? error->text() : is_over_ ? "ok" : ""; }

 private:
  void finished() noexcept override { is_over_ = true; }
  bool is_over_ = false;
};

class HeldWatchTest : public ::testing::Test {
 protected:
  void SetUp() override { timers_.belong_to(owner_); }
  void TearDown() override { watch_.close(); }
  void hold(Early& call, Deadline deadline) {
    call.header.deadline = deadline;
    ASSERT_EQ(arrivals_.hold_early({&call, 7, 0}), Arrivals::Taken::kPending);
    watch_.held();
  }
  /// Its turn comes.
  std::optional<Arrived> pass() {
    auto next = arrivals_.next_early([](const Arrived&) { return true; });
    if (arrivals_.early() == 0) watch_.emptied();
    return next;
  }
  Deadline in(Duration time) { return world_.now() + time; }

  testing::Simulation world_{1};
  std::shared_ptr<int> owner_ = std::make_shared<int>();
  Timers timers_{world_, world_};
  Arrivals arrivals_{timers_, [](Arrivals::Sender&) {}};
  std::vector<std::string> reports_;
  std::vector<Duration> reported_at_;
  HeldWatch watch_{
      {.timers = timers_,
       .arrivals = arrivals_,
       .why =
           [](const HeldMessage& each) { return "it waits: " + std::to_string(each.interaction); },
       .report =
           [this](const std::string& why) {
             reports_.push_back(why);
             reported_at_.push_back(world_.now() - TimePoint{});
           }}};
  Early call_, second_;
};

TEST_F(HeldWatchTest, AMessageThatIsHeldForAMomentIsNotReported) {
  hold(call_, in(seconds(10)));
  world_.run_for(milliseconds(99));
  EXPECT_EQ(pass()->call, &call_);
  world_.run_for(seconds(20));
  EXPECT_THAT(reports_, IsEmpty());
  EXPECT_EQ(call_.said(), "");
}

TEST_F(HeldWatchTest, OneThatStaysIsReportedAtDoublingIntervalsAndWhenItHasPassed) {
  const auto began = world_.now() - TimePoint{};
  hold(call_, in(seconds(60)));
  world_.run_for(milliseconds(1'600));
  ASSERT_EQ(reports_.size(), 4U);
  EXPECT_EQ(reports_.front(), "it waits: 7");
  for (auto& at : reported_at_) at -= began;
  EXPECT_THAT(reported_at_, ElementsAre(milliseconds(100), milliseconds(300), milliseconds(700),
                                        milliseconds(1'500)));
  static_cast<void>(pass());
  EXPECT_EQ(reports_.back(), "");
}

TEST_F(HeldWatchTest, ItsCallEndsJustBeforeItsDeadlineAndItsPlaceStays) {
  hold(call_, in(seconds(2)));
  world_.run_for(milliseconds(1'949));
  EXPECT_EQ(call_.said(), "");
  world_.run_for(milliseconds(2));
  EXPECT_EQ(call_.said(), "DEADLINE_EXCEEDED: it waits: 7");
  const auto held = arrivals_.held();
  ASSERT_EQ(held.size(), 1U);
  EXPECT_TRUE(held[0].has_ended);
  const auto next = pass();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->call, nullptr) << "the order moves on, and nothing is handed on";
  EXPECT_EQ(reports_.back(), "");
}

TEST_F(HeldWatchTest, AShortDeadlineLosesOnlyATwentiethOfItsTime) {
  hold(call_, in(milliseconds(20)));
  world_.run_for(std::chrono::microseconds(18'999));
  EXPECT_EQ(call_.said(), "");
  world_.run_for(std::chrono::microseconds(2));
  EXPECT_EQ(call_.said(), "DEADLINE_EXCEEDED: it waits: 7");
}

TEST_F(HeldWatchTest, OneThatComesLaterAndEndsEarlierIsNotForgotten) {
  hold(call_, in(seconds(60)));
  world_.run_for(milliseconds(150));
  hold(second_, in(milliseconds(40)));
  world_.run_for(milliseconds(39));
  EXPECT_EQ(second_.said(), "DEADLINE_EXCEEDED: it waits: 7");
  EXPECT_EQ(call_.said(), "");
}

TEST_F(HeldWatchTest, ACancelledCallEndsWithItsReason) {
  hold(call_, in(seconds(60)));
  call_.cancel(Error::cancelled("no more"));
  world_.run_for(milliseconds(101));
  EXPECT_EQ(call_.said(), "CANCELLED: no more");
}

TEST_F(HeldWatchTest, WhatHasEndedSetsNoMoreTimers) {
  hold(call_, in(milliseconds(500)));
  world_.run_for(seconds(1));
  ASSERT_TRUE(arrivals_.held()[0].has_ended);
  const auto before = world_.now();
  while (world_.step()) {
  }
  EXPECT_LT(world_.now() - before, seconds(10));
}

TEST_F(HeldWatchTest, AfterTheEndOfItsPartyNothingIsReported) {
  hold(call_, in(seconds(60)));
  watch_.close();
  world_.run_for(seconds(10));
  EXPECT_THAT(reports_, IsEmpty());
}

}  // namespace
}  // namespace hector::party
