// What: the log on standard error, as text or one JSON object a line.
// Why: containers and journals collect standard error; spdlog is known here and nowhere above.
// Who: make_log(), called by composition roots.
#include "hector/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/text/quoted.h"
#include "hector/system.h"

namespace hector {

namespace {

/// Standard error, which may be a file on a full disk: records that are lost are counted, and what
/// follows a part of one begins a new line. One thread at a time.
class StandardError final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  struct Lost {
    std::size_t records = 0;
    int why = 0;  ///< errno
  };
  Lost lost;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    if (is_torn_) line.push_back('\n');
    formatter_->format(message, line);
    const std::size_t written = write_out(line);
    if (written != line.size()) lost = {lost.records + 1, errno};
    if (written != 0) is_torn_ = line[written - 1] != '\n';
  }
  /// How many octets were; errno says why not all.
  static std::size_t write_out(const spdlog::memory_buf_t& line) {
    std::size_t written = 0;
    while (written != line.size()) {
      const ssize_t count = ::write(STDERR_FILENO, line.data() + written, line.size() - written);
      if (count > 0)
        written += static_cast<std::size_t>(count);
      else if (count == 0 || errno != EINTR)
        return written;
    }
    return written;
  }
  void flush_() override {}

  bool is_torn_ = false;  ///< the last octet that was written does not end a line
};

class SpdlogLog final : public SystemLog {
 public:
  SpdlogLog(LogFormat format, Level least, std::string capsule)
      : format_(format), capsule_(std::move(capsule)) {
    logger_.set_level(level_of(least));
    logger_.set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %-5l %v");
  }
  void set_level(Level least) noexcept override { logger_.set_level(level_of(least)); }
  void write(Level level, std::string_view event,
             std::initializer_list<Field> fields) noexcept override {
    if (!logger_.should_log(level_of(level))) return;
    try {
      const std::string record = record_of(level, event, fields);
      const std::lock_guard lock(mutex_);
      if (sink_->lost.records != 0) say_lost();
      logger_.log(level_of(level), "{}", record);
    } catch (...) {  // a record is lost, the capsule is not
    }
  }

 private:
  std::string record_of(Level level, std::string_view event,
                        std::initializer_list<Field> fields) const {
    return format_ == LogFormat::kJson ? json(level, event, fields) : text(event, fields);
  }
  /// Until it can be written itself. With the lock held.
  void say_lost() {
    const auto lost = std::exchange(sink_->lost, {});
    logger_.log(
        spdlog::level::err, "{}",
        record_of(Level::kError, "records of the log were lost",
                  {{"records", std::to_string(lost.records)}, {"why", std::strerror(lost.why)}}));
    if (sink_->lost.records != 0) sink_->lost = lost;
  }
  static spdlog::level::level_enum level_of(Level level) {
    static constexpr spdlog::level::level_enum kLevels[] = {
        spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    static_assert(std::size(kLevels) == static_cast<std::size_t>(Level::kError) + 1);
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
    static_assert(std::size(kNames) == static_cast<std::size_t>(Level::kError) + 1);
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
  std::mutex mutex_;
  /// Shared with its logger, as spdlog wants it.
  const std::shared_ptr<StandardError> sink_ = std::make_shared<StandardError>();
  spdlog::logger logger_{"hector", sink_};
};

}  // namespace

std::unique_ptr<SystemLog> make_log(LogFormat format, Level least, const std::string& capsule) {
  return std::make_unique<SpdlogLog>(format, least, capsule);
}

}  // namespace hector
