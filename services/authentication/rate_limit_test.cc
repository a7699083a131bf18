// What: peers that show many credentials.
// Why: one that floods is refused, and no other.
// Who: ctest, in authentication_test.
#include "rate_limit.h"

#include <gtest/gtest.h>

#include "simulation.h"

namespace hector::authentication {
namespace {

using hector::testing::Simulation;

TEST(RateLimit, IsASecondsWorthAtOnceAndThenAsItComes) {
  Simulation world{1};
  RateLimit limit(world, 10);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limit.take("a")) << i;
  EXPECT_FALSE(limit.take("a"));
  EXPECT_TRUE(limit.take("b")) << "another peer";
  world.at(world.now() + std::chrono::milliseconds(100), [] {});
  world.step();
  EXPECT_TRUE(limit.take("a"));
  EXPECT_FALSE(limit.take("a"));
  world.at(world.now() + std::chrono::hours(1), [] {});
  world.step();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limit.take("a")) << i;
  EXPECT_FALSE(limit.take("a")) << "what was not used in an hour is not saved up";
}

TEST(RateLimit, KeepsSoManyPeersAndNoMore) {
  Simulation world{1};
  RateLimit limit(world, 1);
  EXPECT_TRUE(limit.take("first"));
  for (std::size_t i = 1; i < RateLimit::kPeersMax; ++i) limit.take(std::to_string(i));
  EXPECT_FALSE(limit.take("first")) << "it is known, and now the last one that came";
  limit.take("one more");
  EXPECT_EQ(limit.peers(), RateLimit::kPeersMax);
  EXPECT_FALSE(limit.take("first"));
  EXPECT_TRUE(limit.take("1")) << "the one that was silent longest was forgotten";
}

}  // namespace
}  // namespace hector::authentication
