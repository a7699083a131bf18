// What: RightsWatch, learns within a second that rights have changed.
// Why: a decision counts for many calls, and a Binding runs for days; both are looked at again when
// a policy or an entity is another one.
// Who: KernelImpl, where rights are asked.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "base/blocking_pool.h"
#include "channel/rights.h"
#include "hector/executor.h"
#include "hector/guarded_self.h"
#include "hector/log.h"

namespace hector {

/// Asks Policy again and again for the revision of its rights. Any thread.
class RightsWatch {
 public:
  static constexpr Duration kAskEvery = std::chrono::milliseconds(250);
  /// All of it outlives the watch. `changed` runs on a thread that may block, one at a time: rights
  /// are others now, or Policy is back and they may be. False: it has to run again.
  struct Options {
    Rights& rights;
    const Clock& clock;
    Executor& executor;
    BlockingPool& blocking;
    Log& log;
    std::function<bool()> changed;  ///< false: it has to run again
  };
  explicit RightsWatch(Options options) : on_(std::move(options)) {}
  ~RightsWatch() { stop(); }

  void start();
  void stop();

 private:
  void ask();
  void told(const Result<std::int64_t>& revision);
  void ask_later();
  void tell_changed();

  const Options on_;
  std::mutex mutex_;                      ///< of all below; a leaf
  std::optional<std::int64_t> revision_;  ///< none: Policy did not answer when it was asked last
  bool is_silent_ = false;                ///< and that was logged
  bool is_stopped_ = true;
  TimerId timer_ = 0;
  std::atomic<int> changes_{0};  ///< wanted, the one that runs among them
  GuardedSelf<RightsWatch> guard_{*this};
};

}  // namespace hector
