// Whether capsules are there: when one is lost, when a doubt is over, and pings that answer late.
#include "binding/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kOwn = 1;
constexpr std::uint64_t kOther = 2;

class Watching : public ::testing::Test {
 protected:
  Watching() {
    blocking_.use(world_);
    health_.on_lost([this](std::uint64_t capsule) { lost_.push_back(capsule); });
    health_.on_alive([this](std::uint64_t capsule) { alive_.push_back(capsule); });
  }
  static Reference capsule(std::uint64_t id) {
    Reference reference;
    reference.capsule_id = id;
    reference.object = "o";
    return reference;
  }
  void ping(std::function<void(bool)> done) {
    ++pings_;
    if (is_held_) {
      held_.push_back(std::move(done));
    } else {
      done(is_there_);
    }
  }

  testing::Simulation world_{1};
  BlockingPool blocking_;
  bool is_there_ = true;
  bool is_held_ = false;
  int pings_ = 0;
  std::vector<std::function<void(bool)>> held_;
  std::vector<std::uint64_t> lost_, alive_;
  Health health_{{.clock = world_,
                  .executor = world_,
                  .blocking = blocking_,
                  .own = kOwn,
                  .ping = [this](const Reference&, Deadline, std::function<void(bool)> done) {
                    ping(std::move(done));
                  }}};
};

TEST_F(Watching, CapsuleThatAnswersIsPingedAgainAndAgain) {
  health_.watch(capsule(kOther));
  world_.run_for(Health::kAskEvery * 5 + std::chrono::milliseconds(10));
  EXPECT_EQ(pings_, 5);
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_THAT(alive_, IsEmpty()) << "nobody doubted";
}

TEST_F(Watching, CapsuleIsLostOnceAfterTwoMisses) {
  health_.watch(capsule(kOther));
  is_there_ = false;
  world_.run_for(Health::kAskEvery + std::chrono::milliseconds(1));
  EXPECT_THAT(lost_, IsEmpty()) << "one miss is no loss";
  world_.run_for(Health::kAskAgain + std::chrono::milliseconds(1));
  EXPECT_THAT(lost_, ElementsAre(kOther));
  health_.ask_now(kOther);
  world_.run_for(std::chrono::seconds(5));
  EXPECT_THAT(lost_, ElementsAre(kOther)) << "told once";
  EXPECT_EQ(pings_, Health::kMissesMax) << "a lost one is not asked";
}

TEST_F(Watching, AnswerBetweenTwoMissesClearsThem) {
  health_.watch(capsule(kOther));
  for (int i = 0; i < 4; ++i) {
    is_there_ = false;
    world_.run_for(Health::kAskEvery + std::chrono::milliseconds(1));
    is_there_ = true;
    world_.run_for(Health::kAskAgain + std::chrono::milliseconds(9));
  }
  EXPECT_EQ(pings_, 8) << "every other one was not answered";
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(Watching, DoubtedCapsuleThatAnswersIsToldAlive) {
  health_.watch(capsule(kOther));
  health_.ask_now(kOther);
  world_.run_for(std::chrono::milliseconds(1));
  EXPECT_THAT(alive_, ElementsAre(kOther));
}

TEST_F(Watching, OwnAndForeignOnesAreNotWatched) {
  health_.watch(capsule(kOwn));
  health_.watch(Reference{});
  world_.run_for(std::chrono::seconds(2));
  EXPECT_EQ(pings_, 0);
}

TEST_F(Watching, WatchersAreCounted) {
  health_.watch(capsule(kOther));
  health_.watch(capsule(kOther));
  health_.forget(kOther);
  is_there_ = false;
  world_.run_for(std::chrono::seconds(1));
  EXPECT_THAT(lost_, ElementsAre(kOther));
  health_.forget(kOther);
  health_.forget(kOther);  // more often than it was watched: nothing
  const int before = pings_;
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(pings_, before);
}

TEST_F(Watching, LateAnswerToAnEarlierWatchDoesNotCount) {
  is_held_ = true;
  health_.watch(capsule(kOther));
  world_.run_for(Health::kAskEvery + std::chrono::milliseconds(1));
  health_.forget(kOther);
  health_.watch(capsule(kOther));
  world_.run_for(Health::kAskEvery + std::chrono::milliseconds(1));
  ASSERT_EQ(held_.size(), 2U);
  held_[0](false);
  world_.run_for(std::chrono::milliseconds(1));
  is_held_ = false;
  held_[1](false);
  is_there_ = true;
  world_.run_for(std::chrono::seconds(1));
  EXPECT_THAT(lost_, IsEmpty()) << "one miss of this watch, then it answered";
}

TEST_F(Watching, NothingIsPingedAfterTheStop) {
  health_.watch(capsule(kOther));
  health_.stop();
  health_.watch(capsule(kOther));
  world_.run_for(std::chrono::seconds(2));
  EXPECT_EQ(pings_, 0);
}

}  // namespace
}  // namespace hector
