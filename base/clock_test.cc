// What: the machine's clock and randomness.
// Why: deadlines need a clock that never goes back, and ids need numbers that nobody guesses.
// Who: base_test.
#include "hector/clock.h"

#include <gtest/gtest.h>

#include <set>

#include "hector/system.h"

namespace hector {
namespace {

TEST(SystemClock, NeverGoesBack) {
  const auto clock = make_system_clock();
  TimePoint before = clock->now();
  for (int i = 0; i < 10'000; ++i) {
    const TimePoint now = clock->now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(SystemClock, KnowsTheTimeOfDay) {
  const auto apart = std::chrono::system_clock::now() - make_system_clock()->wall();
  EXPECT_LT(std::chrono::abs(apart), std::chrono::seconds(5));
}

TEST(SystemRandom, GivesNoNumberTwiceAndEveryBitBothWays) {
  const auto random = make_system_random();
  std::set<std::uint64_t> seen;
  std::uint64_t ones = 0, zeros = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t number = random->next();
    EXPECT_TRUE(seen.insert(number).second);
    ones |= number;
    zeros |= ~number;
  }
  EXPECT_EQ(ones, UINT64_MAX);
  EXPECT_EQ(zeros, UINT64_MAX);
}

}  // namespace
}  // namespace hector
