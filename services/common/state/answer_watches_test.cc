// What: watches of an answer: told first, told what changes, ended by the caller and by errors.
// Why: a watcher that misses a change or is told one twice acts on what is not so.
// Who: ctest.
#include "state/answer_watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "state/testing.h"

namespace hector::state {
namespace {

using ::testing::ElementsAre;
using testing::Watcher;

class AnswerWatchesTest : public ::testing::Test {
 protected:
  AnswerWatches<std::string, std::string> watches_{
      2, [this](const std::string& asked, Revision, std::string& told, Feed& feed) -> Status {
        if (answer_.empty()) return fail(Error::failed_precondition("there is no answer"));
        if (told == answer_) return {};
        told = answer_;
        static_cast<void>(feed.push(Payload(Bytes::copy(asked + "=" + told))));
        return {};
      }};
  std::string answer_ = "1";
};

TEST_F(AnswerWatchesTest, TellsTheAnswerAsItIsThenOnlyWhatChanges) {
  Watcher watcher;
  watches_.add(watcher.call, "a", 1);
  EXPECT_THAT(watcher.stream->told, ElementsAre("a=1"));
  watches_.tell_all(2);
  EXPECT_THAT(watcher.stream->told, ElementsAre("a=1"));
  answer_ = "2";
  watches_.tell_all(3);
  EXPECT_THAT(watcher.stream->told, ElementsAre("a=1", "a=2"));
  watcher.call.cancel(Error::cancelled("enough"));
}

TEST_F(AnswerWatchesTest, EndsWhenTheCallerCancels) {
  Watcher watcher;
  watches_.add(watcher.call, "a", 1);
  watcher.call.cancel(Error::cancelled("enough"));
  EXPECT_EQ(watcher.end, "OK");
  EXPECT_EQ(watches_.size(), 0U);
}

TEST_F(AnswerWatchesTest, EndsWithTheErrorOfItsQuestion) {
  Watcher watcher;
  watches_.add(watcher.call, "a", 1);
  answer_.clear();
  watches_.tell_all(2);
  EXPECT_EQ(watcher.end, "FAILED_PRECONDITION");
  EXPECT_EQ(watches_.size(), 0U);
}

TEST_F(AnswerWatchesTest, TakesAsManyAsItsLimitAndNotOneMore) {
  Watcher first, second, third;
  watches_.add(first.call, "a", 1);
  watches_.add(second.call, "b", 1);
  watches_.add(third.call, "c", 1);
  EXPECT_EQ(third.end, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(watches_.size(), 2U);
  first.call.cancel(Error::cancelled("enough"));
  second.call.cancel(Error::cancelled("enough"));
}

TEST_F(AnswerWatchesTest, WaitsForWhatTheWatcherHasNotTaken) {
  Watcher watcher;
  watcher.stream->is_held = true;
  watches_.add(watcher.call, "a", 1);
  watcher.call.cancel(Error::cancelled("enough"));
  EXPECT_FALSE(watcher.end);
  watcher.stream->held.front()({});
  EXPECT_EQ(watcher.end, "OK");
}

}  // namespace
}  // namespace hector::state
