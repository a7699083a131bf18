// What: Gather, Awaited and Callback.
// Why: whoever waits for answers relies on being told exactly once.
// Who: ctest.
#include "hector/gather.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "hector/awaited.h"
#include "hector/executor.h"

namespace hector {
namespace {

TEST(Gather, RunsOnceAfterTheLastAnswer) {
  std::vector<int> got;
  int runs = 0;
  auto all = Gather<std::vector<int>>::make({}, [&](std::vector<int> each) {
    ++runs;
    got = std::move(each);
  });
  all->expect();
  all->expect();
  all->answer([](auto& to) { to.push_back(1); });
  all->asked_all();
  EXPECT_EQ(runs, 0);
  all->answer([](auto& to) { to.push_back(2); });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(got, (std::vector<int>{1, 2}));
}

TEST(Gather, RunsAtOnceWhereNothingWasAsked) {
  int runs = 0;
  Gather<int>::make(0, [&](int) { ++runs; })->asked_all();
  EXPECT_EQ(runs, 1);
}

TEST(Gather, DoesNotRunBeforeAllWereAsked) {
  int runs = 0;
  auto all = Gather<int>::make(0, [&](int) { ++runs; });
  all->expect();
  all->answer();
  EXPECT_EQ(runs, 0);
  all->asked_all();
  EXPECT_EQ(runs, 1);
}

TEST(Gather, MoreAnswersThanWereExpectedEndTheProcess) {
  auto all = Gather<int>::make(0, [](int) {});
  all->asked_all();
  EXPECT_DEATH(all->answer(), "more answers came than were expected");
}

TEST(Awaited, BringsTheValueOfAnotherThread) {
  Awaited<int> value;
  std::thread other([bring = value.callback()] { bring(7); });
  EXPECT_EQ(value.wait(), 7);
  other.join();
}

TEST(Awaited, GivesUpAfterItsTimeAndItsCallbackMayComeLater) {
  auto value = std::make_unique<Awaited<int>>();
  const auto bring = value->callback();
  EXPECT_EQ(value->wait_for(std::chrono::milliseconds(1)), std::nullopt);
  value.reset();
  bring(7);
}

TEST(Awaited, ASecondValueEndsTheProcess) {
  Awaited<int> value;
  const auto bring = value.callback();
  bring(1);
  EXPECT_DEATH(bring(2), "its value twice");
}

TEST(Callback, AnEmptyOneEndsTheProcessWhenItIsCalled) {
  Callback<void()> none;
  EXPECT_FALSE(none);
  EXPECT_DEATH(none(), "an empty Callback is called");
}

TEST(Callback, AMovedOneIsEmpty) {
  int runs = 0;
  Callback<void()> from = [&] { ++runs; };
  Callback<void()> to = std::move(from);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): this is what is tested
  to();
  EXPECT_EQ(runs, 1);
}

TEST(Callback, HoldsAFunctionObjectOfAnySize) {
  std::vector<int> kept{1, 2, 3};
  struct Large {
    char octets[200];
  } large{};
  Callback<int()> sum = [kept, large] { return kept[0] + kept[2] + large.octets[0]; };
  EXPECT_EQ(sum(), 4);
}

}  // namespace
}  // namespace hector
