// What: EndWatch, with an end that is only noted.
// Why: it is the last thing that can end a process in time, and it may not end one too early.
// Who: ctest.
#include "process/end_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>

namespace hector {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Noted final : Log {
  void write(Level, std::string_view event, std::initializer_list<Field>) noexcept override {
    events += event;
  }
  using Log::write;
  std::string events;
};

/// Longer than a busy machine takes for anything here.
constexpr auto kLong = seconds(20);

TEST(EndWatch, EndsTheProcessAfterTheTimeAndSaysSo) {
  Noted log;
  std::promise<void> ended;
  EndWatch watch(log, [&] { ended.set_value(); });
  watch.within(milliseconds(5));
  ASSERT_EQ(ended.get_future().wait_for(kLong), std::future_status::ready);
  EXPECT_THAT(log.events, ::testing::HasSubstr("still at work"));
}

TEST(EndWatch, TakesTheTimeThatWasSaidLast) {
  Noted log;
  std::promise<void> ended;
  EndWatch watch(log, [&] { ended.set_value(); });
  watch.within(kLong * 10);
  watch.within(milliseconds(5));
  EXPECT_EQ(ended.get_future().wait_for(kLong), std::future_status::ready);
}

TEST(EndWatch, EndsNothingWhereTheProcessIsInTime) {
  Noted log;
  bool has_ended = false;
  {
    EndWatch watch(log, [&] { has_ended = true; });
    watch.within(kLong);
  }
  EXPECT_FALSE(has_ended);
  EXPECT_EQ(log.events, "");
}

TEST(EndWatch, EndsNothingUntilItIsTold) {
  Noted log;
  bool has_ended = false;
  {
    EndWatch watch(log, [&] { has_ended = true; });
  }
  EXPECT_FALSE(has_ended);
}

}  // namespace
}  // namespace hector
