// What: Phases on a simulated clock.
// Why: when a phase begins, ends and is late is decided by nothing but the monitor and the clock.
// Who: kernel_test.
#include "party/phases.h"

#include <gtest/gtest.h>

#include "simulation.h"
#include "types/registry/repository.h"

namespace hector::party {
namespace {

using std::chrono::milliseconds;

/// A call for bids, answered in time or not at all; then the work, which must begin in time.
constexpr const char* kTypes = R"(binding: t.Tender/1
roles: {m: {interface: t.M/1}, w: {interface: t.W/1}}
interactions:
  call: {kind: announce, from: m, to: w, operation: call}
  bid:  {kind: announce, from: w, to: m, operation: bid}
  done: {kind: announce, from: m, to: w, operation: done}
protocol: (call ; (bid?) before 2s ; done)*
---
binding: t.Urgent/1
roles: {m: {interface: t.M/1}, w: {interface: t.W/1}}
interactions:
  tell: {kind: announce, from: m, to: w, operation: tell}
  ask:  {kind: announce, from: m, to: w, operation: ask}
protocol: (tell ; ask before 400ms)*
)";

class PhasesTest : public ::testing::Test {
 protected:
  void play(const std::string& binding, const std::string& role) {
    types::Repository repository;
    const auto loaded = repository.load_text(kTypes, "phases.hector.yaml", "");
    ASSERT_TRUE(loaded) << loaded.error().text();
    type_ = *repository.binding(binding);
    types::View view;
    view.role = static_cast<std::uint32_t>(types::role_position(type_, role));
    view.members = {1, 1};
    view.absent = {{}, {}};
    monitor_ = std::make_unique<types::Monitor>(type_, view);
    timers_.belong_to(owner_);
    phases_ = std::make_unique<Phases>(type_, role, timers_,
                                       [this](const types::MandatoryPhase&) { ++overran_; });
    phases_->advance(*monitor_, std::nullopt);
  }
  std::uint32_t number(const std::string& interaction) const {
    return static_cast<std::uint32_t>(types::interaction_position(type_, interaction));
  }
  void step(const std::string& interaction) {
    ASSERT_TRUE(monitor_->step(types::view_symbol(number(interaction), 0))) << interaction;
    phases_->advance(*monitor_, number(interaction));
  }
  bool is_overrun(const std::string& interaction) const {
    return phases_->is_overrun(number(interaction));
  }

  testing::Simulation world_{1};
  std::shared_ptr<int> owner_ = std::make_shared<int>();
  Timers timers_{world_, world_};
  hector::type::v1::Binding type_;
  std::unique_ptr<types::Monitor> monitor_;
  std::unique_ptr<Phases> phases_;
  int overran_ = 0;
};

TEST_F(PhasesTest, CountFromWhenTheyCouldBeginAndAgainInTheNextRound) {
  play("t.Tender/1", "m");
  ASSERT_TRUE(phases_->has_counted());
  for (int round = 0; round < 2; ++round) {
    world_.run_for(std::chrono::seconds(5));
    EXPECT_EQ(is_overrun("bid"), round != 0) << "its time runs from when a bid could come";
    step("call");
    world_.run_for(milliseconds(2'000));
    EXPECT_FALSE(is_overrun("bid")) << "the last moment is in time";
    world_.run_for(milliseconds(1));
    EXPECT_TRUE(is_overrun("bid"));
    step("done");
  }
}

TEST_F(PhasesTest, ThatWereLeftAreLateAndNotEarly) {
  play("t.Tender/1", "m");
  step("call");
  step("done");
  EXPECT_TRUE(is_overrun("bid")) << "also before their time is over";
  step("call");
  EXPECT_FALSE(is_overrun("bid")) << "they have begun once more";
}

TEST_F(PhasesTest, OfInteractionsInNoPhaseAreNeverOverrun) {
  play("t.Tender/1", "m");
  step("call");
  world_.run_for(std::chrono::seconds(10));
  EXPECT_FALSE(is_overrun("done"));
  EXPECT_EQ(phases_->counted(number("done")), nullptr);
  EXPECT_EQ(phases_->counted(number("bid"))->time_ms, 2'000U);
}

TEST_F(PhasesTest, AreKeptByOneRoleOnly) {
  play("t.Tender/1", "w");
  EXPECT_TRUE(phases_->empty()) << "the receiver counts";
}

TEST_F(PhasesTest, ThatMustEndInTimeAreReportedOnceWhenTheyDoNot) {
  play("t.Urgent/1", "m");
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(overran_, 0) << "nothing has begun";
  step("tell");
  world_.run_for(milliseconds(300));
  step("ask");
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(overran_, 0) << "the phase was over in time";
  step("tell");
  world_.run_for(milliseconds(399));
  EXPECT_EQ(overran_, 0);
  world_.run_for(milliseconds(2));
  EXPECT_EQ(overran_, 1);
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(overran_, 1);
}

TEST_F(PhasesTest, AreNotReportedAfterTheEndOfTheirParty) {
  play("t.Urgent/1", "m");
  step("tell");
  phases_->close();
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(overran_, 0);
  step("ask");
  step("tell");
  owner_.reset();
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(overran_, 0);
}

TEST_F(PhasesTest, DoNotOutliveTheirPartyByATimer) {
  play("t.Urgent/1", "m");
  step("tell");
  owner_.reset();
  phases_.reset();
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(overran_, 0);
}

}  // namespace
}  // namespace hector::party
