// What: tests of Audience and of the queue that each of its readers has.
// Why: publishers never wait; a slow reader loses its flow and nobody else's.
// Who: ctest, in foreign_objects_test.
#include "objects/audience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/testing.h"

namespace hector::objects {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SlowStream;

class AudienceTest : public ::testing::Test {
 protected:
  struct Reader {
    std::shared_ptr<SlowStream> stream = std::make_shared<SlowStream>();
    bool is_over = false;
    std::optional<Error> error;
    Call* call = nullptr;
  };
  std::unique_ptr<Reader> add(const std::string& asked) {
    auto reader = std::make_unique<Reader>();
    auto& call = CallbackCall::make([raw = reader.get()](Call& ended) {
      raw->is_over = true;
      raw->error = ended.error;
    });
    call.stream = reader->stream;
    reader->call = &call;
    audience.add(call, Value::of(std::string_view(asked)), now);
    return reader;
  }
  void tell(const std::string& text) {
    audience.tell([&](const Audience::Listener&) { return std::optional(Bytes::copy(text)); }, now);
  }
  TimePoint now{std::chrono::seconds(5)};
  std::vector<std::string> changes;
  Audience audience{[this](const Value& asked, bool is_there) {
    changes.push_back((is_there ? "+" : "-") + asked.text);
  }};
};

TEST_F(AudienceTest, TellsEachReaderWhatIsForIt) {
  const auto a = add("a"), b = add("b");
  audience.tell(
      [](const Audience::Listener& listener) {
        return listener.asked.text == "b" ? std::optional(Bytes::copy("for b")) : std::nullopt;
      },
      now);
  EXPECT_THAT(a->stream->written, IsEmpty());
  EXPECT_THAT(b->stream->written, ElementsAre("for b"));
  audience.close(Error::unavailable("over"));
}

TEST_F(AudienceTest, KeepsTheOrderOfMessagesThatWait) {
  const auto reader = add("a");
  for (const char* text : {"1", "2", "3"}) tell(text);
  EXPECT_THAT(reader->stream->written, ElementsAre("1")) << "the others wait for its window";
  reader->stream->accept();
  reader->stream->accept();
  EXPECT_THAT(reader->stream->written, ElementsAre("1", "2", "3"));
  audience.close(Error::unavailable("over"));
}

TEST_F(AudienceTest, EndsOnlyTheReaderWhoseQueueIsFull) {
  const auto slow = add("slow"), fast = add("fast");
  for (std::size_t i = 0; i <= FlowReader::kWaitingMax; ++i) {
    tell("x");
    if (fast->stream->waiting) fast->stream->accept();
  }
  EXPECT_FALSE(slow->is_over) << "one is being written, and the limit waits";
  tell("x");
  ASSERT_TRUE(slow->is_over);
  EXPECT_EQ(slow->error->code, Code::kResourceExhausted);
  EXPECT_FALSE(fast->is_over);
  EXPECT_THAT(changes, ElementsAre("+slow", "+fast", "-slow"));
  audience.close(Error::unavailable("over"));
}

TEST_F(AudienceTest, ForgetsAReaderThatIsCancelled) {
  const auto reader = add("a");
  reader->call->cancel(Error::cancelled("enough"));
  EXPECT_TRUE(reader->is_over);
  EXPECT_EQ(reader->error->code, Code::kCancelled);
  EXPECT_TRUE(audience.is_empty());
  tell("nobody hears it");
  EXPECT_THAT(changes, ElementsAre("+a", "-a"));
}

TEST_F(AudienceTest, EndsEveryReaderWhenItCloses) {
  const auto a = add("a"), b = add("b");
  audience.close(Error::unavailable("over"));
  EXPECT_TRUE(a->is_over && b->is_over);
  EXPECT_EQ(a->error->code, Code::kUnavailable);
  EXPECT_TRUE(audience.is_empty());
}

}  // namespace
}  // namespace hector::objects
