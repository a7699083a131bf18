// What: tests of read_all with a flow that the test plays.
// Why: a message that is lost, taken twice or used after the end shows in other people's Objects.
// Who: ctest, in foreign_objects_test.
#include "objects/read_all.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace hector::objects {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Has messages at once, as long as there are some; then the test gives the next.
class PlayedFlow final : public Stream {
 public:
  void write(Payload, Callback<void(Status)>) override {}
  void close_write() override {}
  void read(Callback<void(Result<std::optional<Payload>>)> next) override {
    EXPECT_FALSE(static_cast<bool>(waiting)) << "two reads at once";
    if (there.empty()) {
      waiting = std::move(next);
      return;
    }
    const std::string text = std::move(there.front());
    there.pop_front();
    next(std::optional(Payload(Bytes::copy(text))));
  }
  void give(Result<std::optional<Payload>> message) {
    auto then = std::exchange(waiting, {});
    then(std::move(message));
  }
  std::deque<std::string> there;
  Callback<void(Result<std::optional<Payload>>)> waiting;
};

struct ReadAll : ::testing::Test {
  void begin() {
    read_all(
        flow,
        [this](Payload message, std::function<void(bool)> next) {
          used.push_back(message.bytes().str());
          if (answers_at_once)
            next(is_wanted);
          else
            later = std::move(next);
        },
        [this] { ++ends; });
  }
  std::shared_ptr<PlayedFlow> flow = std::make_shared<PlayedFlow>();
  bool answers_at_once = true, is_wanted = true;
  std::function<void(bool)> later;
  std::vector<std::string> used;
  int ends = 0;
};

TEST_F(ReadAll, UsesEachMessageOnceAndInOrderToTheEnd) {
  flow->there = {"a", "b"};
  begin();
  flow->give(std::optional(Payload(Bytes::copy("c"))));
  EXPECT_EQ(ends, 0);
  flow->give(std::optional<Payload>());
  EXPECT_THAT(used, ElementsAre("a", "b", "c"));
  EXPECT_EQ(ends, 1);
}

/// Far more than a stack holds, were each read within the one before.
TEST_F(ReadAll, TakesAsManyMessagesAsHaveArrived) {
  constexpr std::size_t kMany = 200'000;
  flow->there.assign(kMany, "x");
  begin();
  EXPECT_EQ(used.size(), kMany);
}

TEST_F(ReadAll, ReadsNoMoreUntilTheLastIsUsed) {
  answers_at_once = false;
  flow->there = {"a", "b"};
  begin();
  EXPECT_THAT(used, ElementsAre("a"));
  std::exchange(later, {})(true);
  EXPECT_THAT(used, ElementsAre("a", "b"));
}

TEST_F(ReadAll, EndsOnceWhereNoMoreIsWanted) {
  is_wanted = false;
  flow->there = {"a", "b"};
  begin();
  EXPECT_THAT(used, ElementsAre("a"));
  EXPECT_EQ(ends, 1);
  EXPECT_FALSE(static_cast<bool>(flow->waiting)) << "it reads on";
}

TEST_F(ReadAll, EndsWhereTheFlowBreaks) {
  begin();
  flow->give(fail(Error::unavailable("the connection is lost")));
  EXPECT_THAT(used, IsEmpty());
  EXPECT_EQ(ends, 1);
}

TEST_F(ReadAll, LetsTheFlowGoAtTheEnd) {
  begin();
  flow->give(std::optional<Payload>());
  EXPECT_EQ(flow.use_count(), 1);
}

}  // namespace
}  // namespace hector::objects
