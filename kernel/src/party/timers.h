// What: Timers, the timers of one party.
// Why: a task that fires must find the party alive, and must not keep alive one that is gone:
// the rule stands here once, not in each class that waits for something.
// Who: Phases, Arrivals and Gate, each for its own timers.
//
// Locking: none; the executor's functions may be called by any thread.
#pragma once

#include <functional>
#include <memory>

#include "hector/check.h"
#include "hector/clock.h"
#include "hector/executor.h"

namespace hector::party {

class Timers {
 public:
  using Task = std::function<void()>;

  /// Both outlive it.
  Timers(const Clock& clock, Executor& executor) : clock_(clock), executor_(executor) {}
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  /// Tasks run while this lives, and keep it alive meanwhile. Once, before the first timer.
  void belong_to(std::weak_ptr<const void> owner) { owner_ = std::move(owner); }

  [[nodiscard]] TimePoint now() const noexcept { return clock_.now(); }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  /// The task runs then, on a thread of the executor, unless it was cancelled or the owner is gone.
  TimerId at(TimePoint when, Task task) {
    HECTOR_CHECK(!owner_.expired(), "a timer was set for a party that is not there");
    return executor_.at(when, guarded(std::move(task)));
  }
  TimerId after(Duration time, Task task) { return at(now() + time, std::move(task)); }
  /// Sets the timer to 0. A task that is about to run still runs.
  void cancel(TimerId& timer) {
    if (timer != 0) executor_.cancel(std::exchange(timer, 0));
  }
  /// What runs the task soon, but not at once, whenever it is called: also after the owner's end.
  [[nodiscard]] Task deferred(Task task) const {
    return [executor = &executor_, task = guarded(std::move(task))] { executor->post(task); };
  }

 private:
  [[nodiscard]] Task guarded(Task task) const {
    return [owner = owner_, task = std::move(task)] {
      if (const auto kept = owner.lock()) task();
    };
  }

  const Clock& clock_;
  Executor& executor_;
  std::weak_ptr<const void> owner_;
};

}  // namespace hector::party
