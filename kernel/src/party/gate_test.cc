// What: Gate on a simulated clock: what waits, for how long, and in which order it continues.
// Why: a call that waits must end: by going on, by its deadline, by being cancelled, or with its
// party.
// Who: kernel_test.
#include "party/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector::party {
namespace {

using ::testing::ElementsAre;

class Waiting final : public Call {
 public:
  [[nodiscard]] Code code() const { return is_over_ ? error->code : Code::kOk; }

 private:
  void finished() noexcept override { is_over_ = true; }
  bool is_over_ = false;
};

class GateTest : public ::testing::Test {
 protected:
  void SetUp() override { timers_.belong_to(owner_); }
  Gate::Entry start(Waiting& call) { return gate_.enter({{&call}, 3, 0, Stage::kNew}); }
  /// The interactions that continue, in order.
  std::vector<std::uint32_t> resume() {
    std::vector<std::uint32_t> list;
    while (auto next = gate_.next([this] { channel_.resume(); })) {
      list.push_back(next->interaction);
      for (auto* call : next->calls) continued_ += call != nullptr ? 1 : 0;
    }
    return list;
  }

  testing::Simulation world_{1};
  std::shared_ptr<int> owner_ = std::make_shared<int>();
  Timers timers_{world_, world_};
  OutChannel channel_{{.to = {1, 0}, .party = {}, .profile = {kInProcess, "c"}}};
  OutChannel other_{{.to = {1, 1}, .party = {}, .profile = {kInProcess, "c"}}};
  int continued_ = 0;
  Gate gate_{timers_};
  Waiting call_, second_, third_;
};

TEST_F(GateTest, LetsCallsPassWhileItIsOpen) {
  EXPECT_TRUE(gate_.is_open());
  EXPECT_EQ(start(call_), Gate::Entry::kOpen);
  EXPECT_THAT(resume(), ElementsAre());
}

TEST_F(GateTest, KeepsCallsInTheirOrderAndOpensWhenTheyHaveContinued) {
  gate_.stop_starts();
  EXPECT_TRUE(gate_.starts_wait());
  EXPECT_EQ(gate_.enter({{&call_}, 1, 0, Stage::kNew}), Gate::Entry::kPending);
  EXPECT_EQ(gate_.enter({{&second_}, 2, 0, Stage::kNew}), Gate::Entry::kPending);
  EXPECT_FALSE(gate_.is_open());
  EXPECT_THAT(resume(), ElementsAre(1, 2));
  EXPECT_TRUE(gate_.is_open());
  EXPECT_EQ(continued_, 2);
}

TEST_F(GateTest, HoldsUpOnlyCallsToThePausedChannel) {
  gate_.pause(channel_);
  EXPECT_FALSE(gate_.starts_wait());
  EXPECT_EQ(start(third_), Gate::Entry::kOpen);
  EXPECT_EQ(gate_.enter(other_, {{&second_}, 2, 1, Stage::kStepped}), Gate::Entry::kOpen);
  EXPECT_EQ(gate_.enter(channel_, {{&call_}, 1, 0, Stage::kStepped}), Gate::Entry::kPending);
  EXPECT_THAT(gate_.stepped(), ElementsAre(types::view_symbol(1, 0)));
  EXPECT_THAT(resume(), ElementsAre(1));
  EXPECT_FALSE(channel_.is_paused());
  EXPECT_THAT(gate_.stepped(), ElementsAre());
}

TEST_F(GateTest, KeepsACallWhoseChannelFailedUntilThereIsAnother) {
  EXPECT_EQ(gate_.keep(channel_, {{&call_}, 1, 0, Stage::kPassed}), Gate::Entry::kPending);
  EXPECT_TRUE(channel_.is_paused());
  EXPECT_EQ(gate_.enter(channel_, {{&second_}, 2, 0, Stage::kStepped}), Gate::Entry::kPending);
  EXPECT_THAT(resume(), ElementsAre(1, 2));
}

TEST_F(GateTest, FailsACallAtItsDeadline) {
  gate_.stop_starts();
  call_.header.deadline = world_.now() + std::chrono::milliseconds(50);
  ASSERT_EQ(start(call_), Gate::Entry::kPending);
  ASSERT_EQ(start(second_), Gate::Entry::kPending);
  world_.run_for(std::chrono::milliseconds(49));
  EXPECT_EQ(call_.code(), Code::kOk);
  world_.run_for(std::chrono::milliseconds(2));
  EXPECT_EQ(call_.code(), Code::kDeadlineExceeded);
  resume();
  EXPECT_EQ(continued_, 1) << "the other one has no deadline";
}

TEST_F(GateTest, StopsTheTimerOfACallThatContinues) {
  gate_.stop_starts();
  call_.header.deadline = world_.now() + std::chrono::milliseconds(50);
  ASSERT_EQ(start(call_), Gate::Entry::kPending);
  resume();
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(call_.code(), Code::kOk);
}

TEST_F(GateTest, FailsACallThatIsCancelledSoonButNotAtOnce) {
  gate_.stop_starts();
  call_.cancel(Error::cancelled("before it came"));
  ASSERT_EQ(start(call_), Gate::Entry::kPending);
  EXPECT_EQ(call_.code(), Code::kOk);
  world_.run_for(std::chrono::milliseconds(1));
  EXPECT_EQ(call_.code(), Code::kCancelled);
  EXPECT_THAT(resume(), ElementsAre());
}

TEST_F(GateTest, DropsACancelledCallThatContinuesBeforeItWasGivenUp) {
  gate_.stop_starts();
  ASSERT_EQ(start(call_), Gate::Entry::kPending);
  call_.cancel(Error::cancelled("now"));
  EXPECT_THAT(resume(), ElementsAre(3));
  EXPECT_EQ(continued_, 0);
  EXPECT_EQ(call_.code(), Code::kCancelled);
  world_.run_for(std::chrono::milliseconds(1));
}

TEST_F(GateTest, KeepsTheOthersOfAMulticastWhereOneGivesUp) {
  gate_.stop_starts();
  ASSERT_EQ(gate_.enter({{&call_, &second_}, 1, 0, Stage::kNew}), Gate::Entry::kPending);
  second_.cancel(Error::cancelled("not this one"));
  world_.run_for(std::chrono::milliseconds(1));
  EXPECT_EQ(second_.code(), Code::kCancelled);
  EXPECT_THAT(resume(), ElementsAre(1));
  EXPECT_EQ(continued_, 1);
  EXPECT_EQ(call_.code(), Code::kOk);
}

TEST_F(GateTest, RefusesOneCallOverItsLimit) {
  gate_.stop_starts();
  std::vector<std::unique_ptr<Waiting>> calls;
  for (std::size_t n = 0; n < Gate::kPendingMax; ++n) {
    calls.push_back(std::make_unique<Waiting>());
    ASSERT_EQ(start(*calls.back()), Gate::Entry::kPending);
  }
  EXPECT_EQ(start(call_), Gate::Entry::kFull);
  EXPECT_EQ(gate_.keep(channel_, {{&call_}, 1, 0, Stage::kPassed}), Gate::Entry::kFull);
  EXPECT_FALSE(channel_.is_paused());
  EXPECT_EQ(gate_.close().size(), Gate::kPendingMax);
  for (auto& call : calls) call->complete();
}

TEST_F(GateTest, ThatIsClosedHoldsNothingUpAnyMore) {
  gate_.stop_starts();
  call_.header.deadline = world_.now() + std::chrono::milliseconds(50);
  ASSERT_EQ(gate_.enter({{&call_, &second_}, 1, 0, Stage::kNew}), Gate::Entry::kPending);
  EXPECT_THAT(gate_.close(), ElementsAre(&call_, &second_));
  EXPECT_EQ(start(third_), Gate::Entry::kOpen);
  EXPECT_EQ(gate_.keep(channel_, {{&third_}, 1, 0, Stage::kPassed}), Gate::Entry::kOpen);
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(call_.code(), Code::kOk) << "its timer was stopped";
}

TEST_F(GateTest, GivesUpWhatTheOrderHasAndKeepsWhatHasNotStarted) {
  gate_.stop_starts();
  gate_.pause(channel_);
  ASSERT_EQ(start(call_), Gate::Entry::kPending);
  ASSERT_EQ(gate_.enter(channel_, {{&second_}, 4, 0, Stage::kStepped}), Gate::Entry::kPending);
  EXPECT_THAT(gate_.take_stepped(), ElementsAre(&second_));
  EXPECT_THAT(gate_.take_stepped(), ElementsAre());
  EXPECT_THAT(resume(), ElementsAre(3));
}

}  // namespace
}  // namespace hector::party
