// What: WindowedStream and local flows: window, order, ends and breaks.
// Why: every protocol's flow control stands on it.
// Who: ctest.
#include "hector/stream.h"

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "call/local_call.h"

namespace hector {
namespace {

using Message = Result<std::optional<Payload>>;

/// Reads once; what came, or how it failed.
std::string read_one(WindowedStream& stream) {
  std::string got = "nothing yet";
  stream.read([&](Message message) {
    if (!message) {
      got = std::string(code_name(message.error().code));
    } else {
      got = *message ? (*message)->bytes().str() : "the end";
    }
  });
  return got;
}

TEST(Flow, AWriterWaitsForTheReadersWindow) {
  auto [near, far] = LocalFlow(Flow::kBoth);
  int accepted = 0;
  const std::string block(64 * 1024, 'x');
  std::function<void()> write = [&, &near = near] {
    near->write(Payload(Bytes::copy(block)), [&](const Status& status) {
      if (!status) return;
      if (++accepted < 100) write();
    });
  };
  write();
  EXPECT_GE(accepted, 3);
  EXPECT_LT(accepted, 10);
  int read = 0;
  for (; read < 100; ++read) {
    bool got = false;
    far->read([&](Result<std::optional<Payload>> message) { got = message && *message; });
    ASSERT_TRUE(got) << read;
  }
  EXPECT_EQ(accepted, 100);
  near->close_write();
  bool over = false;
  far->read([&](Result<std::optional<Payload>> message) { over = message && !*message; });
  EXPECT_TRUE(over);
}

TEST(Flow, MessagesArriveInTheirOrderAndTheEndAfterThem) {
  auto [near, far] = LocalFlow(Flow::kBoth);
  for (const char* each : {"a", "b"}) near->write(Payload(Bytes::copy(each)), [](const Status&) {});
  near->close_write();
  near->close_write();  // idempotent
  EXPECT_EQ(read_one(*far), "a");
  EXPECT_EQ(read_one(*far), "b");
  EXPECT_EQ(read_one(*far), "the end");
  EXPECT_EQ(read_one(*far), "the end");
}

TEST(Flow, WhatAnEndMayNotWriteIsRefused) {
  auto [caller, handler] = LocalFlow(Flow::kOut);
  Status accepted;
  caller->write(Payload(Bytes::copy("x")), [&](Status status) { accepted = std::move(status); });
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().code, Code::kCancelled);
  EXPECT_EQ(read_one(*handler), "the end");
}

TEST(Flow, ABreakEndsOutstandingReadsAndWritesWithItsReason) {
  auto [near, far] = LocalFlow(Flow::kBoth);
  std::vector<std::string> ends;
  near->read([&](const Message& message) {
    ends.emplace_back(message ? "read" : code_name(message.error().code));
  });
  bool is_waiting = true;
  while (is_waiting) {  // until the window is used up
    is_waiting = false;
    bool was_taken = false;
    near->write(Payload(Bytes::copy(std::string(64 * 1024, 'x'))), [&](const Status& status) {
      was_taken = status.has_value();
      if (!status) ends.emplace_back(code_name(status.error().code));
    });
    is_waiting = was_taken;
  }
  near->deliver_break(Error::unavailable("the peer is gone"));
  EXPECT_THAT(ends, testing::ElementsAre("UNAVAILABLE", "UNAVAILABLE"));
  EXPECT_EQ(read_one(*near), "UNAVAILABLE");
  near->write(Payload(Bytes::copy("x")),
              [&](const Status& status) { EXPECT_EQ(status.error().code, Code::kUnavailable); });
}

TEST(Flow, WhatArrivedBeforeABreakIsStillRead) {
  auto [near, far] = LocalFlow(Flow::kBoth);
  near->write(Payload(Bytes::copy("a")), [](const Status&) {});
  far->deliver_break(Error::unavailable("the peer is gone"));
  EXPECT_EQ(read_one(*far), "a");
  EXPECT_EQ(read_one(*far), "UNAVAILABLE");
}

/// What a peer's octets become; what it is told is dropped.
class Receiver final : public WindowedStream {
 public:
  Receiver() : WindowedStream(true, true) {}
  std::int64_t credit = 0;
  std::size_t taken_octets = 0;

 private:
  void transmit(Payload) override {}
  void transmit_credit(std::int64_t octets) override { credit += octets; }
  void transmit_end() override {}
  void taken(std::size_t octets) override { taken_octets += octets; }
};

TEST(Flow, APeerThatIgnoresTheWindowEndsIt) {
  const auto flow = std::make_shared<Receiver>();
  const Bytes half = Bytes::copy(std::string(WindowedStream::kWindowOctets / 2, 'x'));
  EXPECT_TRUE(flow->deliver(Payload(half)));
  EXPECT_TRUE(flow->deliver(Payload(half))) << "all of the window, and the two octets of overhead";
  EXPECT_FALSE(flow->deliver(Payload(Bytes::copy("x"))));
  EXPECT_EQ(flow->taken_octets, 1U) << "what is dropped is not kept";
  EXPECT_EQ(read_one(*flow).size(), half.size()) << "what came within it is read";
  EXPECT_EQ(read_one(*flow).size(), half.size());
  EXPECT_EQ(read_one(*flow), "RESOURCE_EXHAUSTED");
}

TEST(Flow, AMessageLargerThanTheWindowIsWithinIt) {
  const auto flow = std::make_shared<Receiver>();
  EXPECT_TRUE(flow->deliver(Payload(Bytes::copy(std::string(1'000'000, 'x')))));
  EXPECT_FALSE(flow->deliver(Payload(Bytes::copy("x"))));
}

TEST(Flow, APeerThatKeepsToTheWindowIsNeverEnded) {
  const auto flow = std::make_shared<Receiver>();
  std::int64_t window = WindowedStream::kWindowOctets;
  for (int i = 0; i < 10'000; ++i) {
    while (window > 0) {
      const std::size_t size = 1'000 + static_cast<std::size_t>(i % 7) * 9'000;
      window -= static_cast<std::int64_t>(size) + 1;
      ASSERT_TRUE(flow->deliver(Payload(Bytes::copy(std::string(size, 'x')))));
    }
    ASSERT_NE(read_one(*flow), "RESOURCE_EXHAUSTED");
    window += std::exchange(flow->credit, 0);
  }
}

TEST(Flow, ASecondOutstandingReadOrWriteEndsTheProcess) {
  auto [near, far] = LocalFlow(Flow::kBoth);
  near->read([](const Message&) {});
  EXPECT_DEATH(near->read([](const Message&) {}), "read while a read is outstanding");
  bool was_taken = true;
  const std::string block(64 * 1024, 'x');
  while (std::exchange(was_taken, false))
    near->write(Payload(Bytes::copy(block)),
                [&](const Status& status) { was_taken = bool(status); });
  EXPECT_DEATH(near->write(Payload(Bytes::copy("x")), [](const Status&) {}),
               "written to while a write is outstanding");
}

}  // namespace
}  // namespace hector
