// What: Call: how it ends, is cancelled, recovered and used again; InFlight.
// Why: each call ends exactly once, whatever fails; what must not be ends the process.
// Who: ctest.
#include "hector/call.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "call/call_state.h"
#include "call/operation_of.h"
#include "call/wait.h"
#include "hector/system.h"

namespace hector {
namespace {

/// A call of this test: notes that it ended, and may be used again.
class NotedCall final : public Call {
 public:
  int ends = 0;
  void use_again() { reset_call(); }

 private:
  void finished() noexcept override { ++ends; }
};

/// Takes a failed call, or lets it end.
class NotedRecovery final : public Recovery {
 public:
  explicit NotedRecovery(bool takes) : takes_(takes) {}
  bool recover(Call& call) noexcept override {
    ++asked;
    if (takes_) call.error.reset();
    return takes_;
  }
  int asked = 0;

 private:
  const bool takes_;
};

class NotedObserver final : public CallObserver {
 public:
  NotedObserver(std::vector<std::string>& notes, std::string name)
      : notes_(notes), name_(std::move(name)) {}
  void ended(const Call& call) noexcept override { notes_.push_back(name_); }

 private:
  std::vector<std::string>& notes_;
  const std::string name_;
};

TEST(Call, EndsOnceWithItsReply) {
  NotedCall call;
  call.complete(Payload(Bytes::copy("done")));
  EXPECT_EQ(call.ends, 1);
  EXPECT_EQ(call.reply.bytes().view(), "done");
  EXPECT_FALSE(call.error);
}

TEST(Call, ASecondEndEndsTheProcess) {
  NotedCall call;
  call.complete();
  EXPECT_DEATH(call.complete(), "a call was ended twice");
  EXPECT_DEATH(call.fail(Error::internal("late")), "a call was ended twice");
}

TEST(Call, IsUsedAgainAfterAReset) {
  NotedCall call;
  call.fail(Error::not_found("first"));
  call.cancel(Error::cancelled("after the end"));
  call.use_again();
  EXPECT_FALSE(call.error);
  EXPECT_FALSE(call.is_cancelled());
  call.complete();
  EXPECT_EQ(call.ends, 2);
}

TEST(Call, IsNotUsedAgainWhileAnObjectHandlesIt) {
  NotedCall call;
  InFlight in_flight(InFlight::Entry::kSerial);
  in_flight.started();
  CallState::of(call).in_flight = &in_flight;
  EXPECT_DEATH(call.use_again(), "while an Object handles it");
  call.complete();
  EXPECT_TRUE(in_flight.is_zero());
}

TEST(Call, KeepsTheFirstReasonOfItsCancellation) {
  NotedCall call;
  int told = 0;
  call.on_cancel([&] { ++told; });
  call.cancel(Error::deadline_exceeded("first"));
  call.cancel(Error::cancelled("second"));
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(call.is_cancelled());
  EXPECT_EQ(call.why_cancelled().code, Code::kDeadlineExceeded);
  call.on_cancel([&] { ++told; });
  EXPECT_EQ(told, 2) << "an action that comes late runs at once";
}

TEST(Call, TellsNobodyOfACancellationAfterItsEnd) {
  NotedCall call;
  bool is_told = false;
  call.on_cancel([&] { is_told = true; });
  call.complete();
  call.cancel(Error::cancelled("late"));
  EXPECT_FALSE(is_told);
}

TEST(Call, IsTakenByItsRecoveryOnceAndEndsLater) {
  NotedCall call;
  auto recovery = std::make_shared<NotedRecovery>(true);
  call.set_recovery(recovery);
  call.fail(Error::unavailable("gone"));
  EXPECT_EQ(call.ends, 0);
  call.fail(Error::unavailable("gone again"));
  EXPECT_EQ(recovery->asked, 1);
  EXPECT_EQ(call.ends, 1);
  EXPECT_EQ(call.error->message, "gone again");
}

TEST(Call, EndsWhereItsRecoveryDoesNotTakeIt) {
  NotedCall call;
  auto recovery = std::make_shared<NotedRecovery>(false);
  call.set_recovery(recovery);
  call.fail(Error::unavailable("gone"));
  EXPECT_EQ(recovery->asked, 1);
  EXPECT_EQ(call.ends, 1);
}

TEST(Call, AsksNoRecoveryAboutSuccess) {
  NotedCall call;
  auto recovery = std::make_shared<NotedRecovery>(true);
  call.set_recovery(recovery);
  call.complete();
  EXPECT_EQ(recovery->asked, 0);
  EXPECT_EQ(call.ends, 1);
}

TEST(Call, TellsItsLastObserverFirst) {
  NotedCall call;
  std::vector<std::string> notes;
  CallState::of(call).observe(std::make_unique<NotedObserver>(notes, "first"));
  CallState::of(call).observe(std::make_unique<NotedObserver>(notes, "second"));
  call.complete();
  EXPECT_THAT(notes, testing::ElementsAre("second", "first"));
}

/// Answers at once, or never.
class Answering final : public CallTarget {
 public:
  explicit Answering(bool answers) : answers_(answers) {}
  void start(Call& call) noexcept override {
    was_waited = call.is_waited();
    if (answers_) return call.complete(Payload(Bytes::copy("now")));
    call.on_cancel([&call] { call.fail(call.why_cancelled()); });
  }
  bool was_waited = false;

 private:
  const bool answers_;
};

TEST(WaitedCall, ReturnsWhenItIsOverAndMayRunAgainAfterItsReset) {
  const auto clock = make_system_clock();
  Answering target(true);
  WaitedCall call;
  call.run(target, *clock);
  EXPECT_TRUE(call.is_done());
  EXPECT_TRUE(target.was_waited);
  EXPECT_EQ(call.reply.bytes().view(), "now");
  EXPECT_DEATH(call.run(target, *clock), "before its reset");
  call.reset();
  EXPECT_FALSE(call.is_done());
  call.run(target, *clock);
  EXPECT_TRUE(call.is_done());
}

TEST(WaitedCall, IsCancelledAtItsDeadline) {
  const auto clock = make_system_clock();
  Answering target(false);
  WaitedCall call;
  call.header.deadline = clock->now() + std::chrono::milliseconds(5);
  call.run(target, *clock);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kDeadlineExceeded);
}

TEST(WaitedCall, FailsOnAThreadThatMayNotBlock) {
  const auto clock = make_system_clock();
  Answering target(false);
  const NonBlockingScope scope;
  WaitedCall call;
  call.run(target, *clock);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kFailedPrecondition);
}

TEST(CallbackCall, RunsItsCallbackAtItsEnd) {
  std::string reply;
  auto& call = CallbackCall::make([&](Call& ended) { reply = ended.reply.bytes().str(); });
  Answering(true).start(call);
  EXPECT_EQ(reply, "now");
}

TEST(InFlight, RefusesMoreEndsThanStarts) {
  InFlight in_flight(InFlight::Entry::kSerial);
  NotedCall call;
  in_flight.started();
  EXPECT_FALSE(in_flight.is_zero());
  in_flight.ended(call);
  EXPECT_TRUE(in_flight.is_zero());
  EXPECT_EQ(in_flight.total(), 1U);
  in_flight.ended(call);
  EXPECT_DEATH(static_cast<void>(in_flight.is_zero()), "more calls of an Object have ended");
}

/// A parallel Object that this thread is inside of.
struct Inside {
  Inside() { frames_of_this_thread = &frame; }
  ~Inside() { frames_of_this_thread = nullptr; }
  InFlight in_flight{InFlight::Entry::kParallel};
  NotedCall call;
  Frame frame{nullptr, &call, nullptr, 1, &in_flight};
};

TEST(InFlight, CountsAThreadThatIsStillInsideWhenItsCallHasEnded) {
  Inside here;
  here.in_flight.started();
  here.in_flight.ended(here.call);
  EXPECT_FALSE(here.in_flight.is_zero());
  EXPECT_EQ(here.frame.call, nullptr) << "nobody may look at a call that has ended";
  here.in_flight.left(here.frame);
  EXPECT_TRUE(here.in_flight.is_zero());
}

TEST(InFlight, CountsACallThatEndsAfterItsThreadHasLeft) {
  Inside here;
  here.in_flight.started();
  here.in_flight.left(here.frame);
  EXPECT_FALSE(here.in_flight.is_zero());
  here.frame.call = nullptr;
  here.in_flight.ended(here.call);
  EXPECT_TRUE(here.in_flight.is_zero());
}

TEST(InFlight, CountsNoNoticeAsACall) {
  Inside here;
  here.in_flight.notice_started(here.frame);
  EXPECT_FALSE(here.in_flight.is_zero());
  here.in_flight.left(here.frame);
  EXPECT_TRUE(here.in_flight.is_zero());
  EXPECT_EQ(here.in_flight.total(), 0U);
}

TEST(ServingWait, BringsTheValueThatCameBefore) {
  ServingWait<int> value;
  value.callback()(7);
  EXPECT_EQ(value.wait(), 7);
}

TEST(ServingWait, SleepsUntilAnotherThreadBringsTheValue) {
  ServingWait<std::string> value;
  std::thread other([bring = value.callback()] { bring("there"); });
  EXPECT_EQ(value.wait(), "there");
  other.join();
}

}  // namespace
}  // namespace hector
