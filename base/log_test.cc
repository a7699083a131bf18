// What: the log on standard error, as text and as JSON.
// Why: what reads it, people and programs, needs each record on one line whatever stands in it.
// Who: base_test.
#include "hector/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "hector/system.h"

namespace hector {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string written(LogFormat format, Level least, const std::function<void(Log&)>& write) {
  ::testing::internal::CaptureStderr();
  write(*make_log(format, least, "north"));
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, AsTextQuotesWhatHasSpacesOrIsEmpty) {
  const auto line = written(LogFormat::kText, Level::kInfo, [](Log& log) {
    log.write(Level::kWarning, "it came", {{"plain", "a"}, {"spaced", "b c"}, {"empty", ""}});
  });
  EXPECT_THAT(line, HasSubstr("warn"));
  EXPECT_THAT(line, EndsWith("north it came plain=a spaced=\"b c\" empty=\"\"\n"));
}

TEST(Log, AsJsonIsOneObjectALineWhateverAValueHolds) {
  const auto line = written(LogFormat::kJson, Level::kInfo, [](Log& log) {
    log.write(Level::kError, "it \"came\"", {{"text", "two\nlines\t\\"}});
  });
  EXPECT_THAT(line, StartsWith("{\"time\":\"20"));
  EXPECT_THAT(line, HasSubstr("\"level\":\"error\",\"capsule\":\"north\",\"event\":\"it "
                              "\\\"came\\\"\",\"text\":\"two\\u000alines\\u0009\\\\\"}"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

/// Files of this process may not grow beyond so many octets, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t octets) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit less{octets, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &less);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*const handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before_{};
};

TEST(Log, SaysOnceHowManyRecordsAFullDiskLost) {
  const auto lines = written(LogFormat::kJson, Level::kError, [](Log& log) {
    log.write(Level::kError, "first", {});
    {
      const FullDisk full(100);  // within the second record
      for (int i = 0; i < 1'000; ++i) log.write(Level::kError, "second", {});
    }
    log.write(Level::kError, "third", {});
    log.write(Level::kError, "fourth", {});
  });
  EXPECT_THAT(lines, HasSubstr("\"event\":\"records of the log were lost\",\"records\":\"1000\","
                               "\"why\":\"File too large\"}\n{\"time"));
  EXPECT_THAT(lines, HasSubstr("\n{\"time\":\"20")) << "what follows a part of a record";
  EXPECT_THAT(lines, HasSubstr("\"event\":\"third\"}\n"));
  EXPECT_THAT(lines, Not(HasSubstr("second\"}")));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 5) << lines;
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  const auto lines = written(LogFormat::kText, Level::kWarning, [](Log& log) {
    log.write(Level::kDebug, "first", {});
    log.write(Level::kInfo, "second", {});
    log.write(Level::kWarning, "third", {});
    log.write(Level::kError, "fourth", {});
  });
  EXPECT_THAT(lines, Not(HasSubstr("second")));
  EXPECT_THAT(lines, HasSubstr("third"));
  EXPECT_THAT(lines, HasSubstr("fourth"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

}  // namespace
}  // namespace hector
