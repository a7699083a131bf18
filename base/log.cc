// What: the log on standard error, as text or one JSON object a line.
// Why: containers and journals collect standard error; spdlog is known here and nowhere above.
// Who: make_log(), called by composition roots.
#include "hector/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iterator>

#include "base/text/quoted.h"
#include "hector/system.h"

namespace hector {

namespace {

class SpdlogLog final : public SystemLog {
 public:
  SpdlogLog(LogFormat format, Level least, std::string capsule)
      : format_(format), capsule_(std::move(capsule)) {
    logger_.set_level(level_of(least));
    logger_.flush_on(spdlog::level::debug);
    logger_.set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %-5l %v");
  }
  void set_level(Level least) noexcept override { logger_.set_level(level_of(least)); }
  void write(Level level, std::string_view event,
             std::initializer_list<Field> fields) noexcept override {
    if (!logger_.should_log(level_of(level))) return;
    try {
      logger_.log(level_of(level), "{}",
                  format_ == LogFormat::kJson ? json(level, event, fields) : text(event, fields));
    } catch (...) {  // a record is lost, the capsule is not
    }
  }

 private:
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
  spdlog::logger logger_{"hector", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

}  // namespace

std::unique_ptr<SystemLog> make_log(LogFormat format, Level least, const std::string& capsule) {
  return std::make_unique<SpdlogLog>(format, least, capsule);
}

}  // namespace hector
