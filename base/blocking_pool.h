// What: BlockingPool, a few threads for tasks that block.
// Why: event loops and pooled Objects must not block; what waits (management operations, services
// that ask other systems) runs here. In a simulated world the executor is the only thread, so tasks
// run there.
// Who: the kernel; a capsule inside a Python process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "hector/executor.h"
#include "hector/thread.h"

namespace hector {

/// Threads are started when they are first needed, and end with the pool. Any thread may call.
class BlockingPool {
 public:
  /// A kernel's own tasks; one that waits for another needs a second thread.
  static constexpr std::size_t kThreadsMax = 8;

  explicit BlockingPool(std::size_t threads_max = kThreadsMax) : threads_max_(threads_max) {}
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  /// Where the executor is the only thread there is, in a simulated world, tasks run there.
  void use(Executor& executor) { executor_ = executor.is_alone() ? &executor : nullptr; }
  ~BlockingPool() { stop(); }
  /// Runs the task soon, on a thread that may block. Not run after stop().
  void run(std::function<void()> task);
  /// Runs what is queued, then ends the threads; a worker that calls this ends when its task
  /// returns.
  void stop();
  /// Whether this thread is a worker of any pool, and so may block.
  static bool is_here() noexcept;

 private:
  void add_thread();
  void work();
  const std::size_t threads_max_;
  Executor* executor_ = nullptr;
  /// Owners: this pool, and tasks still with the executor when the pool has ended; they do nothing.
  const std::shared_ptr<std::atomic<bool>> is_open_ = std::make_shared<std::atomic<bool>>(true);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<Thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace hector
