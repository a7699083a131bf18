// What: event loops and timers on Asio, one thread each.
// Why: posted tasks run soon and never block each other's threads; Asio is known here and nowhere
// above.
// Who: make_event_loops(), called by composition roots.
#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/epoch.h"
#include "base/parker.h"
#include "hector/check.h"
#include "hector/system.h"
#include "hector/thread.h"

namespace hector {

namespace asio = boost::asio;

namespace {

class AsioLoops final : public EventLoops {
 public:
  explicit AsioLoops(unsigned threads) {
    for (unsigned i = 0; i < std::max(1U, threads); ++i) loops_.push_back(std::make_unique<Loop>());
    for (auto& loop : loops_) loop->thread = Thread("event loop", [&loop = *loop] { run(loop); });
  }
  ~AsioLoops() override { stop(); }

  void post(Task task) override {
    HECTOR_CHECK(task, "an empty task is posted");
    asio::post(next().context, [task = std::move(task)]() mutable { task(); });
  }

  TimerId at(TimePoint when, Task task) override {
    HECTOR_CHECK(task, "a timer has an empty task");
    auto made = std::make_unique<asio::steady_timer>(next().context, when);
    const std::lock_guard lock(mutex_);
    const TimerId id = ++last_timer_;
    const auto [at, is_new] = timers_.emplace(id, std::move(made));
    HECTOR_CHECK(is_new, "two timers have one id");
    at->second->async_wait(
        [this, id, task = std::move(task)](const boost::system::error_code& error) mutable {
          if (error || !forget(id)) return;
          task();
        });
    return id;
  }

  bool cancel(TimerId timer) override {
    std::unique_ptr<asio::steady_timer> found;
    {
      const std::lock_guard lock(mutex_);
      const auto at = timers_.find(timer);
      if (at == timers_.end()) return false;
      found = std::move(at->second);
      timers_.erase(at);
    }
    // Its end cancels it, and drops its task. A timer is touched on its own loop only.
    const auto loop = found->get_executor();
    asio::post(loop, [ended = std::move(found)] {});
    return true;
  }

  void stop() override {
    for (auto& loop : loops_) loop->context.stop();
    for (auto& loop : loops_) {
      HECTOR_CHECK(!loop->thread.is_here(), "an event loop is stopped by one of its own tasks");
      loop->thread.join();
    }
  }

 private:
  struct Loop {
    asio::io_context context{1};
    /// Asio opens its descriptors with the first timer. They are had from the beginning, or there
    /// are no loops: later, each timer could be the one that finds none left.
    asio::steady_timer first_timer{context};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    Thread thread;
  };
  Loop& next() { return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }
  bool forget(TimerId id) {
    const std::lock_guard lock(mutex_);
    return timers_.erase(id) != 0;
  }
  static void run(Loop& loop) {
    const NonBlockingScope scope;
    loop.context.run();
  }

  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<unsigned> turn_{0};
  std::mutex mutex_;
  TimerId last_timer_ = 0;
  std::unordered_map<TimerId, std::unique_ptr<asio::steady_timer>> timers_;  ///< not yet run
};

}  // namespace

std::unique_ptr<EventLoops> make_event_loops(unsigned threads) {
  EpochGuard::prepare();  // before there are threads: membarrier would have to wait for them
  return std::make_unique<AsioLoops>(threads);
}

}  // namespace hector
