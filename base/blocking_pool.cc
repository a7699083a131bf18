#include "base/blocking_pool.h"

#include <utility>

namespace hector {

namespace {
thread_local bool is_worker = false;
}

bool BlockingPool::is_here() noexcept { return is_worker; }

void BlockingPool::run(std::function<void()> task) {
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
  if (idle_ < tasks_.size() && threads_.size() < threads_max_)
    threads_.emplace_back([this] { work(); });
  changed_.notify_one();
}

void BlockingPool::work() {
  is_worker = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
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
  for (auto& thread : threads_) {
    if (thread.joinable() && thread.get_id() != std::this_thread::get_id()) thread.join();
  }
}

}  // namespace hector
