// What: LocalCall and enter_local: what a deferred call takes over, and who ends which side.
// Why: a caller must be free at its deadline although the handler still works.
// Who: ctest.
#include "call/local_call.h"

#include <gmock/gmock.h>

#include "call/call_state.h"

namespace hector {
namespace {

class NotedCall final : public Call {
 public:
  int ends = 0;

 private:
  void finished() noexcept override { ++ends; }
};

TEST(LocalCall, TakesOverTheRequestAndBringsTheReplyBack) {
  NotedCall origin;
  origin.header.principal = "ana";
  origin.request = Payload(Bytes::copy("question"));
  ASSERT_EQ(&enter_local(origin), &origin);
  Call& handler = origin.defer();
  ASSERT_NE(&handler, &origin);
  EXPECT_EQ(handler.header.principal, "ana");
  EXPECT_EQ(handler.request.bytes().view(), "question");
  handler.trailing.emplace_back("k", "v");
  handler.complete(Payload(Bytes::copy("answer")));
  EXPECT_EQ(origin.ends, 1);
  EXPECT_EQ(origin.reply.bytes().view(), "answer");
  EXPECT_THAT(origin.trailing, testing::ElementsAre(testing::Pair("k", "v")));
}

TEST(LocalCall, IsDeferredOnceOnly) {
  NotedCall origin;
  Call& handler = enter_local(origin).defer();
  EXPECT_EQ(&handler.defer(), &handler);
  handler.complete();
}

TEST(LocalCall, ACallOfAnotherCapsuleStaysItself) {
  NotedCall origin;
  EXPECT_EQ(&origin.defer(), &origin);
}

TEST(LocalCall, EndsTheCallersSideAtItsCancellationAndTellsTheHandler) {
  NotedCall origin;
  Call& handler = enter_local(origin).defer();
  bool is_told = false;
  handler.on_cancel([&] { is_told = true; });
  origin.cancel(Error::deadline_exceeded("time is over"));
  EXPECT_EQ(origin.ends, 1);
  EXPECT_EQ(origin.error->code, Code::kDeadlineExceeded);
  EXPECT_TRUE(is_told);
  EXPECT_TRUE(handler.is_cancelled());
  handler.complete();  // its own side; the caller's ended already
  EXPECT_EQ(origin.ends, 1);
}

TEST(LocalCall, ItsObjectCountsItUntilTheHandlerEndsIt) {
  NotedCall origin;
  InFlight in_flight(InFlight::Entry::kSerial);
  in_flight.started();
  ASSERT_EQ(&enter_local(origin), &origin);
  CallState::of(origin).in_flight = &in_flight;
  Call& handler = origin.defer();
  origin.cancel(Error::cancelled("no longer wanted"));
  EXPECT_FALSE(in_flight.is_zero());
  handler.complete();
  EXPECT_TRUE(in_flight.is_zero());
}

TEST(LocalCall, AFlowHasAnEndOnEachSideAndBreaksWithTheCall) {
  NotedCall origin;
  origin.kind = Kind::kStream;
  origin.flow = Flow::kOut;
  std::shared_ptr<Stream> ours;
  origin.stream_out = &ours;
  Call& handler = enter_local(origin);
  ASSERT_NE(&handler, &origin);
  ASSERT_TRUE(ours);
  ASSERT_TRUE(handler.stream);
  handler.stream->write(Payload(Bytes::copy("a")), [](const Status&) {});
  handler.fail(Error::aborted("half way"));
  EXPECT_EQ(origin.ends, 1);
  EXPECT_EQ(origin.error->code, Code::kAborted);
  std::vector<std::string> read;
  for (int i = 0; i < 2; ++i) {
    ours->read([&](Result<std::optional<Payload>> message) {
      read.emplace_back(!message   ? code_name(message.error().code)
                        : *message ? (*message)->bytes().view()
                                   : "the end");
    });
  }
  EXPECT_THAT(read, testing::ElementsAre("a", "ABORTED")) << "the reader learns it too";
}

TEST(LocalCall, AWriterLearnsThatItsReaderHasGone) {
  NotedCall origin;
  origin.kind = Kind::kStream;
  origin.flow = Flow::kOut;
  std::shared_ptr<Stream> ours;
  origin.stream_out = &ours;
  Call& handler = enter_local(origin);
  int accepted = 0;
  std::optional<Code> refused;
  const auto write = [&] {
    handler.stream->write(Payload(Bytes::copy(std::string(200'000, 'x'))), [&](Status status) {
      if (status)
        ++accepted;
      else
        refused = status.error().code;
    });
  };
  for (int i = 0; i < 3; ++i) write();  // the last one waits for the reader
  ASSERT_EQ(accepted, 2);
  ASSERT_FALSE(refused);
  origin.cancel(Error::cancelled("the reader has read enough"));
  EXPECT_EQ(refused, Code::kCancelled);
  handler.fail(Error::cancelled("it stops"));
  EXPECT_EQ(origin.ends, 1);
}

TEST(LocalCall, ItsFailureEndsTheCallersReading) {
  NotedCall origin;
  origin.kind = Kind::kStream;
  origin.flow = Flow::kOut;
  Call& handler = enter_local(origin);
  std::optional<Result<std::optional<Payload>>> read;
  origin.stream->read([&](Result<std::optional<Payload>> message) { read = std::move(message); });
  ASSERT_FALSE(read);
  handler.fail(Error::internal("it broke"));
  ASSERT_TRUE(read) << "a reader would wait for ever";
  ASSERT_FALSE(*read);
  EXPECT_EQ(read->error().message, "it broke");
  EXPECT_EQ(origin.ends, 1);
}

}  // namespace
}  // namespace hector
