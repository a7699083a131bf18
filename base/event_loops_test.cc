// What: event loops and their timers; GuardedSelf, what their tasks hold.
// Why: every later step of the kernel is a posted task.
// Who: base_test.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/parker.h"
#include "hector/guarded_self.h"
#include "hector/system.h"

namespace hector {
namespace {

class Loops : public ::testing::Test {
 protected:
  const std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
};

TEST_F(Loops, RunTasksOnThreadsThatMayNotBlock) {
  std::promise<std::pair<std::thread::id, bool>> ran;
  loops_->post([&] { ran.set_value({std::this_thread::get_id(), this_thread_may_block}); });
  const auto [thread, may_block] = ran.get_future().get();
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_FALSE(may_block);
}

TEST_F(Loops, RunATimerOnceAndNotBeforeItsTime) {
  const TimePoint when = clock_->now() + std::chrono::milliseconds(5);
  std::promise<TimePoint> ran;
  const TimerId timer = loops_->at(when, [&] { ran.set_value(clock_->now()); });
  EXPECT_NE(timer, 0U);
  EXPECT_GE(ran.get_future().get(), when);
  EXPECT_FALSE(loops_->cancel(timer)) << "it has run";
}

TEST_F(Loops, RunNoTimerThatWasCancelled) {
  std::atomic<bool> ran = false;
  const TimerId timer = loops_->at(clock_->now() + std::chrono::hours(1), [&] { ran = true; });
  EXPECT_TRUE(loops_->cancel(timer));
  EXPECT_FALSE(loops_->cancel(timer)) << "only one of two cancels it";
  EXPECT_FALSE(loops_->cancel(0));
  loops_->stop();
  EXPECT_FALSE(ran);
}

TEST_F(Loops, DropWhatHasNotRunWhenTheyStop) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> left = held;
  loops_->at(clock_->now() + std::chrono::hours(1), [held = std::move(held)] {});
  loops_.reset();
  EXPECT_TRUE(left.expired());
}

TEST(EventLoopsDeathTest, RefuseAnEmptyTask) {
  EXPECT_DEATH(make_event_loops(1)->post(Task()), "an empty task is posted");
}

struct Owner {
  int uses = 0;
  GuardedSelf<Owner> guard{*this};
};

TEST(GuardedSelf, DoesNothingAfterItsOwnersEnd) {
  auto owner = std::make_unique<Owner>();
  const auto handle = owner->guard.handle();
  EXPECT_TRUE(handle.run([](Owner& self) { ++self.uses; }));
  EXPECT_TRUE(handle.run_alone([](Owner& self) { ++self.uses; }));
  EXPECT_TRUE(handle.try_run([](Owner& self) { ++self.uses; }));
  EXPECT_EQ(owner->uses, 3);
  owner.reset();
  EXPECT_FALSE(handle.run([](Owner&) { FAIL(); }));
  EXPECT_FALSE(handle.run_alone([](Owner&) { FAIL(); }));
  EXPECT_FALSE(handle.try_run([](Owner&) { FAIL(); }));
}

TEST(GuardedSelf, ItsOwnersEndWaitsForTheTaskThatUsesIt) {
  auto owner = std::make_unique<Owner>();
  std::promise<void> entered, may_leave;
  std::atomic<bool> has_left = false;
  std::thread task([&, handle = owner->guard.handle()] {
    handle.run([&](Owner&) {
      entered.set_value();
      may_leave.get_future().wait();
      has_left = true;
    });
  });
  entered.get_future().wait();
  auto ended = std::async(std::launch::async, [&] {
    owner.reset();
    return has_left.load();
  });
  may_leave.set_value();
  EXPECT_TRUE(ended.get());
  task.join();
}

TEST(GuardedSelf, TryRunDoesNotWaitForATaskThatRunsAlone) {
  Owner owner;
  const auto handle = owner.guard.handle();
  handle.run_alone([&](Owner&) {
    std::async(std::launch::async, [&] {
      EXPECT_FALSE(handle.try_run([](Owner&) { FAIL(); }));
    }).get();
  });
}

}  // namespace
}  // namespace hector
