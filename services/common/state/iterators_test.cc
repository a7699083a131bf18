// What: limits and lives of iterators.
// Why: what a client has begun and never ends may not stay.
// Who: ctest.
#include "state/iterators.h"

#include <gtest/gtest.h>

#include <string>

namespace hector::state {
namespace {

class FakeClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return now_; }
  std::chrono::system_clock::time_point wall() const noexcept override { return {}; }
  void pass(Duration time) { now_ += time; }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

class IteratorsTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  Iterators<int, std::string> iterators_{clock_, {.max = 2, .lives = std::chrono::seconds(60)}};
};

TEST_F(IteratorsTest, GivesWhatIsLeft) {
  ASSERT_TRUE(iterators_.add(1, "abc"));
  EXPECT_EQ(iterators_.find(1), "abc");
  iterators_.update(1, "bc");
  EXPECT_EQ(iterators_.find(1), "bc");
  iterators_.erase(1);
  EXPECT_FALSE(iterators_.find(1));
  EXPECT_FALSE(iterators_.find(2));
}

TEST_F(IteratorsTest, TakesAsManyAsItsLimitAndNotOneMore) {
  EXPECT_TRUE(iterators_.add(1, "a"));
  EXPECT_TRUE(iterators_.add(2, "b"));
  EXPECT_FALSE(iterators_.add(3, "c"));
  EXPECT_FALSE(iterators_.find(3));
  iterators_.erase(1);
  EXPECT_TRUE(iterators_.add(3, "c"));
}

TEST_F(IteratorsTest, ForgetsOneThatIsNotAskedForItsLife) {
  ASSERT_TRUE(iterators_.add(1, "a"));
  clock_.pass(std::chrono::seconds(59));
  EXPECT_TRUE(iterators_.find(1));
  clock_.pass(std::chrono::seconds(1));
  EXPECT_FALSE(iterators_.find(1));
}

TEST_F(IteratorsTest, AnUpdateBeginsItsLifeAgain) {
  ASSERT_TRUE(iterators_.add(1, "a"));
  clock_.pass(std::chrono::seconds(59));
  iterators_.update(1, "b");
  clock_.pass(std::chrono::seconds(59));
  EXPECT_TRUE(iterators_.find(1));
}

TEST_F(IteratorsTest, ExpiredOnesMakeRoom) {
  ASSERT_TRUE(iterators_.add(1, "a"));
  ASSERT_TRUE(iterators_.add(2, "b"));
  clock_.pass(std::chrono::minutes(2));
  EXPECT_TRUE(iterators_.add(3, "c"));
}

}  // namespace
}  // namespace hector::state
