// What has happened to a Binding: numbered, read from where one was, the oldest gone.
#include "binding/event_log.h"

#include <gtest/gtest.h>

namespace hector {
namespace {

TEST(EventLog, GivesWhatCameAfterANumber) {
  EventLog log;
  log.add("bound", "t.Pair/1", std::chrono::system_clock::time_point(std::chrono::milliseconds(5)));
  log.add("joined", "worker 1", {});
  ASSERT_EQ(log.after(0).events_size(), 2);
  EXPECT_EQ(log.after(0).events(0).kind(), "bound");
  EXPECT_EQ(log.after(0).events(0).time_ms(), 5);
  ASSERT_EQ(log.after(1).events_size(), 1);
  EXPECT_EQ(log.after(1).events(0).number(), 2U);
  EXPECT_EQ(log.after(2).events_size(), 0);
}

TEST(EventLog, KeepsTheLatestOnesAndTheirNumbers) {
  EventLog log;
  for (std::size_t i = 0; i <= EventLog::kEventsMax; ++i) log.add("moved", "", {});
  EXPECT_EQ(log.count(), EventLog::kEventsMax + 1);
  const auto events = log.after(0);
  EXPECT_EQ(static_cast<std::size_t>(events.events_size()), EventLog::kEventsMax);
  EXPECT_EQ(events.events(0).number(), 2U) << "the first has gone";
}

}  // namespace
}  // namespace hector
