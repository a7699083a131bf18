// What: BlockingPool: how many threads it starts, and what its end means for its tasks.
// Why: what the kernel may block on runs here; a lost task is a call without an answer.
// Who: base_test.
#include "base/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>

namespace hector {
namespace {

/// An executor that is the only thread there is: tasks run when the test says so.
class OneThread final : public Executor {
 public:
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId at(TimePoint, Task) override { return 0; }
  bool cancel(TimerId) override { return false; }
  bool is_alone() const noexcept override { return true; }
  void run_all() {
    for (; !tasks_.empty(); tasks_.pop_front()) tasks_.front()();
  }

 private:
  std::deque<Task> tasks_;
};

TEST(BlockingPool, RunsAsManyTasksAtOnceAsItMayHaveThreads) {
  constexpr int kThreads = 3;
  BlockingPool pool(kThreads);
  std::atomic<int> arrived = 0;
  std::promise<void> together;
  const auto met = together.get_future().share();
  for (int i = 0; i < kThreads; ++i) {
    pool.run([&] {
      if (++arrived == kThreads) together.set_value();
      met.wait();  // returns only where all three run at the same time
    });
  }
  met.wait();
  pool.stop();
  EXPECT_EQ(arrived, kThreads);
}

TEST(BlockingPool, KnowsItsOwnThreads) {
  EXPECT_FALSE(BlockingPool::is_here());
  BlockingPool pool(1);
  std::promise<bool> is_here;
  pool.run([&] { is_here.set_value(BlockingPool::is_here()); });
  EXPECT_TRUE(is_here.get_future().get());
}

TEST(BlockingPool, RunsWhatIsQueuedBeforeItEndsAndNothingAfterwards) {
  BlockingPool pool(1);
  int done = 0;
  for (int i = 0; i < 100; ++i) pool.run([&] { ++done; });
  pool.stop();
  EXPECT_EQ(done, 100);
  pool.run([&] { ++done; });
  pool.stop();
  EXPECT_EQ(done, 100);
}

TEST(BlockingPool, RunsTasksOnTheExecutorWhereThatIsTheOnlyThread) {
  OneThread executor;
  bool was_here = false, ran_late = false;
  {
    BlockingPool pool;
    pool.use(executor);
    pool.run([&] { was_here = BlockingPool::is_here(); });
    EXPECT_FALSE(was_here) << "nothing ran yet";
    executor.run_all();
    EXPECT_TRUE(was_here);
    EXPECT_FALSE(BlockingPool::is_here());
    pool.run([&] { ran_late = true; });
  }
  executor.run_all();
  EXPECT_FALSE(ran_late) << "the pool had ended";
}

}  // namespace
}  // namespace hector
