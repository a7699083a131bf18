// What: tests of what Python's handles do without the interpreter: the inbox, calls, the log.
// Why: threads of the kernel enter here while an Object keeps the interpreter's lock.
// Who: ctest, in python_handles_test; it links no interpreter.
#include "python_handles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "simulation.h"

namespace hector::python {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool is_readable(const Inbox& inbox) {
  pollfd polled{inbox.descriptor(), POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

TEST(PythonInbox, IsReadableWhileItHasNumbersAndGivesThemOnce) {
  const Inbox inbox;
  EXPECT_FALSE(is_readable(inbox));
  const Inbox copy = inbox;
  copy.put(7);
  copy.put(9);
  EXPECT_TRUE(is_readable(inbox));
  EXPECT_THAT(inbox.take(), ElementsAre(7U, 9U));
  EXPECT_FALSE(is_readable(inbox));
  EXPECT_THAT(inbox.take(), IsEmpty());
}

class PythonCall : public ::testing::Test {
 protected:
  Call& call() {
    return CallbackCall::make([this](Call& ended) {
      ++ends;
      error = ended.error;
      reply = ended.reply.bytes().str();
    });
  }
  testing::Simulation world{1};
  int ends = 0;
  std::optional<Error> error;
  std::string reply;
};

TEST_F(PythonCall, IsEndedByWhoTakesItFirst) {
  Call& asked = call();
  PyCall handle(asked, world);
  Call* const taken = handle.take();
  EXPECT_EQ(taken, &asked);
  EXPECT_EQ(handle.take(), nullptr);
  taken->complete(Payload(Bytes::copy("done")));
  EXPECT_EQ(reply, "done");
}

TEST_F(PythonCall, ThatPythonLetsGoFails) {
  {
    PyCall handle(call(), world);
    handle.defer();
  }
  EXPECT_EQ(ends, 1);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Code::kInternal);
}

TEST_F(PythonCall, TellsTheInboxWhyItWasCancelled) {
  Call& asked = call();
  const Inbox inbox;
  PyCall handle(asked, world);
  handle.defer();
  handle.tell_cancelled(inbox, 5);
  EXPECT_FALSE(handle.why_cancelled());
  EXPECT_FALSE(handle.is_cancelled());
  asked.cancel(Error::cancelled("enough"));
  EXPECT_THAT(inbox.take(), ElementsAre(5U));
  EXPECT_EQ(handle.why_cancelled()->message, "enough");
  EXPECT_TRUE(handle.is_cancelled());
  handle.take()->complete();
  EXPECT_FALSE(handle.is_cancelled()) << "it is over";
}

TEST_F(PythonCall, CountsTheTimeToItsDeadline) {
  Call& asked = call();
  PyCall handle(asked, world);
  EXPECT_FALSE(handle.time_left());
  asked.header.deadline = world.now() + std::chrono::seconds(2);
  EXPECT_EQ(handle.time_left(), 2.0);
  world.at(world.now() + std::chrono::seconds(2), [] {});
  world.run_for(std::chrono::seconds(2));
  EXPECT_EQ(handle.time_left(), 0.0);
  EXPECT_TRUE(handle.is_cancelled());
  handle.take()->complete();
}

TEST(PythonStartedCall, PutsItsNumberAndItsOutcomeWhenItEnds) {
  const Inbox inbox;
  auto [started, call] = PyStarted::make(inbox, 3);
  EXPECT_THAT(inbox.take(), IsEmpty());
  call->complete(Payload(Bytes::copy("done")));
  EXPECT_THAT(inbox.take(), ElementsAre(3U));
  EXPECT_EQ(started->outcome().reply.str(), "done");
  EXPECT_FALSE(started->outcome().error);
  started->cancel();  // too late, and no harm
}

TEST(PythonStartedCall, IsCancelledUntilItEnds) {
  const Inbox inbox;
  auto [started, call] = PyStarted::make(inbox, 3);
  started->cancel();
  EXPECT_TRUE(call->is_cancelled());
  call->fail(Error::cancelled("enough"));
  EXPECT_EQ(started->outcome().error->message, "enough");
}

/// Ends on the thread that cancels it, as a call to an Object that looks at once.
TEST(PythonStartedCall, MayEndWithinItsCancellation) {
  const Inbox inbox;
  auto [started, call] = PyStarted::make(inbox, 3);
  call->on_cancel([call = call] { call->fail(call->why_cancelled()); });
  started->cancel();
  EXPECT_THAT(inbox.take(), ElementsAre(3U));
  EXPECT_EQ(started->outcome().error->code, Code::kCancelled);
}

class NotedLog final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field> fields) noexcept override {
    std::string line(event);
    for (const auto& [name, value] : fields)
      line += " " + std::string(name) + "=" + std::string(value);
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

TEST(PythonLog, LeavesEmptyPlacesOutAndWritesNothingOnceItIsClosed) {
  NotedLog kept;
  PyLog log(kept);
  log.write(Level::kInfo, "print", {}, "a");
  log.write(Level::kInfo, "print", {"o", "", ""}, "b");
  log.write(Level::kInfo, "print", {"o", "op", ""}, "c");
  log.write(Level::kInfo, "print", {"o", "op", "t"}, "d");
  log.close();
  log.write(Level::kInfo, "print", {}, "e");
  EXPECT_THAT(kept.lines, ElementsAre("print text=a", "print object=o text=b",
                                      "print object=o operation=op text=c",
                                      "print object=o operation=op trace=t text=d"));
}

}  // namespace
}  // namespace hector::python
