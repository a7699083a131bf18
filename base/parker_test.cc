// What: Parker: no wake-up is lost, and a deadline ends the sleep.
// Why: a lost wake-up is a call that never returns.
// Who: base_test.
#include "base/parker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "hector/system.h"

namespace hector {
namespace {

TEST(Parker, DoesNotSleepWhereItWasWokenAfterTheTicketWasDrawn) {
  Parker& mine = Parker::mine();
  const auto ticket = mine.ticket();
  mine.wake();
  mine.park(ticket, kNever, nullptr);  // would sleep for ever
  EXPECT_NE(mine.ticket(), ticket);
}

TEST(Parker, ReturnsAtTheDeadline) {
  const auto clock = make_system_clock();
  const TimePoint until = clock->now() + std::chrono::milliseconds(2);
  while (clock->now() < until) Parker::mine().park(Parker::mine().ticket(), until, clock.get());
  Parker::mine().park(Parker::mine().ticket(), until, clock.get());  // in the past: at once
  EXPECT_GE(clock->now(), until);
}

TEST(Parker, LosesNoWakeUpBetweenTwoThreads) {
  constexpr int kRounds = 2'000;
  std::atomic<int> ball = 0;
  std::atomic<Parker*> parkers[2] = {nullptr, nullptr};
  const auto play = [&](int side) {
    parkers[side] = &Parker::mine();
    while (parkers[1 - side] == nullptr) std::this_thread::yield();
    for (int round = side; round < kRounds; round += 2) {
      for (;;) {
        const auto ticket = Parker::mine().ticket();
        if (ball == round) break;
        Parker::mine().park(ticket, kNever, nullptr);
      }
      ball = round + 1;
      parkers[1 - side].load()->wake();
    }
  };
  std::atomic<int> finished = 0;
  const auto thread = [&](int side) {
    play(side);
    ++finished;
    while (finished < 2) std::this_thread::yield();  // the other may still wake this one
  };
  std::thread first(thread, 0), second(thread, 1);
  first.join();
  second.join();
  EXPECT_EQ(ball, kRounds);
}

TEST(NonBlockingScope, MarksItsThreadUntilItEnds) {
  EXPECT_TRUE(this_thread_may_block);
  {
    const NonBlockingScope outer;
    EXPECT_FALSE(this_thread_may_block);
    { const NonBlockingScope inner; }
    EXPECT_FALSE(this_thread_may_block);
  }
  EXPECT_TRUE(this_thread_may_block);
}

TEST(ParkerDeathTest, NeedsAClockForADeadline) {
  EXPECT_DEATH(Parker::mine().park(Parker::mine().ticket(), TimePoint(), nullptr),
               "a deadline without a clock");
}

}  // namespace
}  // namespace hector
