#include "base/blocking_pool.h"

#include <system_error>
#include <utility>

#include "hector/check.h"

namespace hector {

namespace {
thread_local bool is_worker = false;
}

bool BlockingPool::is_here() noexcept { return is_worker; }

void BlockingPool::run(std::function<void()> task) {
  HECTOR_CHECK(task != nullptr, "an empty task is run");
  if (executor_ != nullptr) {
    return executor_->post([task = std::move(task), is_open = is_open_] {
      if (!*is_open) return;
      const bool before = std::exchange(is_worker, true);
      task();
      is_worker = before;
    });
  }
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  if (idle_ < tasks_.size() && threads_.size() < threads_max_) add_thread();
  changed_.notify_one();
}

/// Where the system has no thread left, those that are there take the task; where there is none,
/// the next task tries again.
void BlockingPool::add_thread() {
  try {
    threads_.emplace_back("blocking", [this] { work(); });
  } catch (const std::system_error&) {
    return;
  }
}

void BlockingPool::work() {
  is_worker = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    HECTOR_CHECK(idle_ <= threads_.size(), "more threads are idle than there are");
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    HECTOR_CHECK(threads_.size() <= threads_max_, "more threads than the pool may have");
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes without the lock
    lock.lock();
  }
}

void BlockingPool::stop() {
  *is_open_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
}

}  // namespace hector
