// What: EndWatch: the process ends in time, whatever still runs in it.
// Why: code that only sleeps, or never returns, cannot be stopped by anyone but the system; whoever
// waits for the process's end waits no longer than its configuration says.
// Who: hector-capsule.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "hector/clock.h"
#include "hector/log.h"
#include "hector/thread.h"

namespace hector {

/// It outlives what it watches; destroying it ends the watch.
class EndWatch {
 public:
  /// `log` outlives it. `end` ends the process with success, without a look at what it holds.
  EndWatch(Log& log, std::function<void()> end);
  ~EndWatch();
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;
  /// From now on the process ends within this time; said again, the new time counts.
  void within(Duration time);

 private:
  void run();

  Log& log_;
  const std::function<void()> end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<TimePoint> until_;
  bool is_over_ = false;
  Thread thread_;
};

}  // namespace hector
