// What: looks, a fifth of a second apart.
// Why: see watch_thread.h.
// Who: KernelImpl.
#include "objects/watch_thread.h"

namespace hector {

void WatchThread::start() {
  const std::lock_guard lock(mutex_);
  if (is_stopped_ || std::exchange(is_started_, true)) return;
  thread_ = Thread("watch", [this] { run(); });
}

void WatchThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void WatchThread::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, ObjectWatch::kEvery, [this] { return is_stopped_; })) {
    lock.unlock();
    watch_.look();
    lock.lock();
  }
}

}  // namespace hector
