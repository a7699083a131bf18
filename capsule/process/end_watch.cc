#include "process/end_watch.h"

#include <chrono>

#include "hector/check.h"

namespace hector {

EndWatch::EndWatch(Log& log, std::function<void()> end) : log_(log), end_(std::move(end)) {}

EndWatch::~EndWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void EndWatch::within(Duration time) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_watching = until_.has_value();
    until_ = std::chrono::steady_clock::now() + time;
    if (!is_watching) thread_ = Thread("end watch", [this] { run(); });
  }
  changed_.notify_all();
}

void EndWatch::run() {
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    HECTOR_CHECK(until_.has_value(), "the end is watched without a time");
    const TimePoint until = *until_;
    changed_.wait_until(lock, until);
    if (is_over_ || *until_ > std::chrono::steady_clock::now()) continue;
    log_.write(Level::kWarning, "ended while calls were still at work",
               {{"why", "they did not end within limits: {drain_ms: …}"}});
    return end_();
  }
}

}  // namespace hector
