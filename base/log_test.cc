// What: the log on standard error, as text and as JSON.
// Why: what reads it, people and programs, needs each record on one line whatever stands in it.
// Who: base_test.
#include "hector/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
