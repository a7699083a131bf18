#include "hector/system.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/epoch.h"
#include "base/parker.h"
#include "base/text/quoted.h"

namespace hector {

namespace asio = boost::asio;

namespace {

class SystemClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point wall() const noexcept override {
    return std::chrono::system_clock::now();
  }
};

class SystemRandom final : public Random {
 public:
  std::uint64_t next() noexcept override {
    std::uint64_t value = 0;
    while (getrandom(&value, sizeof value, 0) != sizeof value) {
    }
    return value;
  }
};

class AsioLoops final : public EventLoops {
 public:
  explicit AsioLoops(unsigned threads) {
    for (unsigned i = 0; i < std::max(1U, threads); ++i) loops_.push_back(std::make_unique<Loop>());
    for (auto& loop : loops_) loop->thread = std::thread([this, &loop = *loop] { run(loop); });
  }
  ~AsioLoops() override { stop(); }

  void post(Task task) override {
    asio::post(next().context, [task = std::move(task)]() mutable { task(); });
  }

  TimerId at(TimePoint when, Task task) override {
    auto timer = std::make_shared<asio::steady_timer>(next().context, when);
    const std::lock_guard lock(mutex_);
    const TimerId id = ++last_timer_;
    timers_.emplace(id, timer);
    timer->async_wait(
        [this, id, task = std::move(task)](const boost::system::error_code& error) mutable {
          if (error || !forget(id)) return;
          task();
        });
    return id;
  }

  bool cancel(TimerId timer) override {
    std::shared_ptr<asio::steady_timer> found;
    {
      const std::lock_guard lock(mutex_);
      const auto at = timers_.find(timer);
      if (at == timers_.end()) return false;
      found = std::move(at->second);
      timers_.erase(at);
    }
    asio::post(found->get_executor(), [found] { found->cancel(); });
    return true;
  }

  void stop() override {
    for (auto& loop : loops_) loop->context.stop();
    for (auto& loop : loops_) {
      if (loop->thread.joinable()) loop->thread.join();
    }
  }

 private:
  struct Loop {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    std::thread thread;
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
  std::unordered_map<TimerId, std::shared_ptr<asio::steady_timer>> timers_;
};

class SpdlogLog final : public Log {
 public:
  SpdlogLog(LogFormat format, Level least, std::string capsule)
      : format_(format), capsule_(std::move(capsule)) {
    logger_ = std::make_shared<spdlog::logger>("hector",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger_->set_level(level_of(least));
    logger_->flush_on(spdlog::level::debug);
    logger_->set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %-5l %v");
  }
  void write(Level level, std::string_view event,
             std::initializer_list<Field> fields) noexcept override {
    if (!logger_->should_log(level_of(level))) return;
    try {
      logger_->log(level_of(level), "{}",
                   format_ == LogFormat::kJson ? json(level, event, fields) : text(event, fields));
    } catch (...) {  // a record is lost, the capsule is not
    }
  }

 private:
  static spdlog::level::level_enum level_of(Level level) {
    static constexpr spdlog::level::level_enum kLevels[] = {
        spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    return kLevels[static_cast<int>(level)];
  }
  std::string text(std::string_view event, std::initializer_list<Field> fields) const {
    std::string line = fmt::format("{} {}", capsule_, event);
    for (const auto& [key, value] : fields) {
      line += value.find(' ') == std::string_view::npos && !value.empty()
                  ? fmt::format(" {}={}", key, value)
                  : fmt::format(" {}={}", key, json_quoted(value));
    }
    return line;
  }
  std::string json(Level level, std::string_view event, std::initializer_list<Field> fields) const {
    static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
    std::string line = fmt::format(
        "{{\"time\":\"{:%Y-%m-%dT%H:%M:%SZ}\",\"level\":\"{}\",\"capsule\":{},\"event\":{}",
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())),
        kNames[static_cast<int>(level)], json_quoted(capsule_), json_quoted(event));
    for (const auto& [key, value] : fields)
      line += fmt::format(",{}:{}", json_quoted(key), json_quoted(value));
    return line + "}";
  }
  LogFormat format_;
  std::string capsule_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() { return std::make_unique<SystemClock>(); }
std::unique_ptr<Random> make_system_random() { return std::make_unique<SystemRandom>(); }
std::unique_ptr<EventLoops> make_event_loops(unsigned threads) {
  EpochGuard::prepare();  // before there are threads: they would have to be waited for
  return std::make_unique<AsioLoops>(threads);
}
std::unique_ptr<Log> make_log(LogFormat format, Level least, const std::string& capsule) {
  return std::make_unique<SpdlogLog>(format, least, capsule);
}

}  // namespace hector
