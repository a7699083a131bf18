// What: tests of Ring.
// Why: its order must survive growth at every place of its first element.
// Who: ctest, in udp_test.
#include "ring.h"

#include <gtest/gtest.h>

#include <string>

namespace hector::udp {
namespace {

TEST(Ring, KeepsItsOrderWhenItGrowsWithItsFrontAnywhere) {
  for (int front = 0; front < 8; ++front) {
    Ring<int> ring;
    for (int i = 0; i < front; ++i) ring.push() = -1;
    for (int i = 0; i < front; ++i) ring.pop();
    for (int i = 0; i < 100; ++i) ring.push() = i;
    ASSERT_EQ(ring.size(), 100U);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(ring[0], i);
      EXPECT_EQ(ring.front(), i);
      ring.pop();
    }
    EXPECT_TRUE(ring.empty());
  }
}

TEST(Ring, GivesASlotBackWithTheMemoryItHad) {
  Ring<std::string> ring;
  ring.push() = std::string(1'000, 'x');
  const char* const memory = ring.front().data();
  ring.pop();
  for (int i = 0; i < 7; ++i) {  // around to the same slot
    ring.push();
    ring.pop();
  }
  EXPECT_EQ(ring.push().data(), memory);
}

TEST(Ring, PopBackTakesTheLatest) {
  Ring<int> ring;
  ring.push() = 1;
  ring.push() = 2;
  ring.pop_back();
  EXPECT_EQ(ring.size(), 1U);
  EXPECT_EQ(ring.front(), 1);
}

TEST(RingDeathTest, StopsTheProcessWhenAnEmptyOneIsPopped) {
  Ring<int> ring;
  EXPECT_DEATH(ring.pop(), "empty ring");
  EXPECT_DEATH(ring.pop_back(), "empty ring");
  ring.push() = 1;
  EXPECT_DEATH(ring[1] = 2, "beyond the end");
}

}  // namespace
}  // namespace hector::udp
