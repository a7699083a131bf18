// What: ObjectWatch on a clock of the test's own: what is seen of a call that does not return, what
// its Object's other callers are told, and what is logged.
// Why: it must be right without costing a call anything, so it is worked out from outside.
// Who: ctest.
#include "objects/object_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "call/local_call.h"
#include "hector/system.h"

namespace hector {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HandClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return TimePoint(Duration(now_.load())); }
  std::chrono::system_clock::time_point wall() const noexcept override {
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<milliseconds>(
        std::chrono::hours(24 * 365) + Duration(now_.load())));
  }
  void pass(Duration time) { now_ += time.count(); }

 private:
  std::atomic<std::int64_t> now_{seconds(1'000) / Duration(1)};
};

class Lines final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field> fields) noexcept override {
    std::string line(event);
    for (const auto& [name, value] : fields)
      line.append(" ").append(name).append("=").append(value);
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

/// Stays inside until it is told to leave.
class StayingServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override {
    if (!stays) return call.complete();
    inside = true;
    inside.notify_all();
    may_leave.wait(false);
    call.complete();
  }
  std::atomic<bool> stays{true}, inside{false}, may_leave{false};
};

class Watched : public ::testing::Test {
 protected:
  void SetUp() override { make(ThreadModel::kPooled, false); }
  void TearDown() override { leave(); }

  void make(ThreadModel thread, bool is_parallel, std::uint32_t queue_max = 8) {
    type::v1::Interface model;
    model.set_name("lab.Bad");
    model.set_major(1);
    for (const auto& [name, kind] :
         {std::pair{"act", type::v1::KIND_ANNOUNCE}, std::pair{"pour", type::v1::KIND_STREAM}}) {
      auto& operation = *model.add_operations();
      operation.set_name(name);
      operation.set_kind(kind);
    }
    offer_ = std::make_shared<Offer>();
    offer_->id = ++last_id_;
    offer_->object = "bad" + std::to_string(last_id_);
    offer_->interface = *types::CompiledInterface::make(model);
    offer_->host = std::make_shared<ObjectHost>(
        HostOptions{offer_->object, "lab.Bad.cpp", thread, is_parallel, queue_max, loops_.get()});
    auto servant = std::make_unique<StayingServant>();
    servant_ = servant.get();
    offer_->host->set_servant(std::move(servant));
    ASSERT_TRUE(offers_.add(offer_));
  }
  void start(Call& call, std::string_view operation = "act") {
    call.operation = offer_->interface->find(operation);
    call.kind = Kind::kRpc;
    offer_->host->enter(enter_local(call));
  }
  /// A call that stays inside, on a thread of its own.
  void enter(TimePoint deadline, std::string_view operation = "act") {
    inside_.emplace_back([this, deadline, operation = std::string(operation)] {
      std::atomic<bool> is_over{false};
      auto& call = CallbackCall::make([&](Call&) {
        is_over = true;
        is_over.notify_all();
      });
      call.header.deadline = deadline;
      start(call, operation);
      is_over.wait(false);
    });
    servant_->inside.wait(false);
    watch_.look();
  }
  void leave() {
    servant_->may_leave = true;
    servant_->may_leave.notify_all();
    for (auto& thread : inside_) thread.join();
    inside_.clear();
  }
  /// One more call; how it ended is told later.
  std::shared_ptr<std::string> ask(TimePoint deadline) {
    auto said = std::make_shared<std::string>();
    auto& call = CallbackCall::make(
        [said](Call& ended) { *said = ended.error ? ended.error->text() : "done"; });
    call.header.deadline = deadline;
    start(call);
    return said;
  }
  void pass(Duration time) {
    clock_.pass(time);
    processor_ += time / 2;
    watch_.look();
  }

  HandClock clock_;
  Lines log_;
  OfferTable offers_;
  Duration processor_{};
  ObjectWatch watch_{{.offers = offers_,
                      .clock = clock_,
                      .log = log_,
                      .default_deadline = seconds(30),
                      .processor_time = [this](const ThreadActivity&) { return processor_; }}};
  std::unique_ptr<EventLoops> loops_ = make_event_loops(1);
  OfferPtr offer_;
  StayingServant* servant_ = nullptr;
  std::vector<std::thread> inside_;
  std::uint64_t last_id_ = 0;
};

TEST_F(Watched, AnIdleObjectRunsNothing) {
  watch_.look();
  EXPECT_THAT(watch_.running(*offer_->host), IsEmpty());
  servant_->stays = false;
  EXPECT_EQ(*ask(kNever), "done");
  watch_.look();
  EXPECT_THAT(watch_.running(*offer_->host), IsEmpty());
}

TEST_F(Watched, ACallThatStaysIsShownWithItsTimeAndItsProcessorTime) {
  enter(clock_.now() + seconds(60));
  pass(seconds(4));
  const auto running = watch_.running(*offer_->host);
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running[0].text(), "'act' for 4.0 s (2.0 s of processor time)");
  EXPECT_FALSE(running[0].late);
  EXPECT_EQ(watch_.processor(*offer_->host), seconds(2));
  EXPECT_EQ(offer_->host->unanswered(), 1U);
  EXPECT_THAT(log_.lines, IsEmpty());
  leave();
  pass(seconds(1));
  EXPECT_THAT(watch_.running(*offer_->host), IsEmpty());
  EXPECT_EQ(offer_->host->unanswered(), 0U);
}

TEST_F(Watched, ACallPastItsDeadlineIsToldOnceAndThenAtDoublingIntervals) {
  enter(clock_.now() + seconds(2));
  pass(seconds(2));
  EXPECT_THAT(log_.lines, IsEmpty()) << "not late yet";
  for (int i = 0; i < 45; ++i) pass(milliseconds(200));  // late by 9 s
  ASSERT_EQ(log_.lines.size(), 1U);
  EXPECT_THAT(log_.lines[0],
              AllOf(HasSubstr("a call runs past its caller's deadline"), HasSubstr("object=bad1"),
                    HasSubstr("template=lab.Bad.cpp"), HasSubstr("operation=act"),
                    HasSubstr("since=1971-01-01T00:16:40Z"), HasSubstr("late_s=0.2"),
                    HasSubstr("processor_s=1.1")));
  for (int i = 0; i < 100; ++i) pass(seconds(1));  // by 109 s: told at 10, 20, 40 and 80
  EXPECT_EQ(log_.lines.size(), 5U);
}

TEST_F(Watched, AnObjectWithACallPastItsDeadlineRefusesOthersAndSaysWhy) {
  enter(clock_.now() + seconds(2));
  const auto queued = ask(clock_.now() + seconds(60));
  pass(seconds(3));
  EXPECT_EQ(*queued, "") << "it has time left";
  EXPECT_THAT(*ask(clock_.now() + seconds(60)),
              AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr("'bad1' (lab.Bad.cpp)"),
                    HasSubstr("'act' for 3.0 s (1.5 s of processor time), 1.0 s past"),
                    HasSubstr("hector top")));
  leave();
  servant_->stays = false;
  EXPECT_EQ(*queued, "done");
  EXPECT_EQ(*ask(clock_.now() + seconds(60)), "done") << "it takes calls at once, before a look";
}

TEST_F(Watched, QueuedCallsEndAtTheirOwnDeadlinesAndTheOthersRunInOrder) {
  enter(clock_.now() + seconds(60));
  const auto first = ask(clock_.now() + seconds(1));
  const auto second = ask(clock_.now() + seconds(50));
  const auto third = ask(clock_.now() + seconds(2));
  const auto fourth = ask(kNever);
  EXPECT_EQ(offer_->host->queued(), 4U);
  pass(seconds(3));
  EXPECT_THAT(*first, AllOf(HasSubstr("DEADLINE_EXCEEDED"), HasSubstr("'act' for 3.0 s")));
  EXPECT_THAT(*third, HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_EQ(offer_->host->queued(), 2U);
  EXPECT_EQ(*second + *fourth, "");
  servant_->stays = false;
  leave();
  EXPECT_EQ(*second, "done");
  EXPECT_EQ(*fourth, "done");
  EXPECT_TRUE(offer_->host->is_at_rest());
}

TEST_F(Watched, QueuedCallsWithoutADeadlineEndWhenTheOneBeforeThemIsOverdue) {
  enter(clock_.now() + seconds(2));
  const auto queued = ask(kNever);
  pass(seconds(1));
  EXPECT_EQ(*queued, "");
  pass(seconds(2));
  EXPECT_THAT(*queued, HasSubstr("RESOURCE_EXHAUSTED"));
}

TEST_F(Watched, ACancelledCallLeavesTheQueueAndIsNotRun) {
  enter(clock_.now() + seconds(60));
  WaitedCall cancelled;
  cancelled.header.deadline = kNever;
  start(cancelled);
  cancelled.cancel(Error::cancelled("no more"));
  EXPECT_EQ(offer_->host->queued(), 1U) << "its place is kept until the next look";
  pass(seconds(1));
  EXPECT_EQ(offer_->host->queued(), 0U);
  EXPECT_EQ(offer_->host->calls(), 1U);
}

TEST_F(Watched, AQueueTakesAsManyAsItsLimitAndOneMoreAfterOneHasExpired) {
  make(ThreadModel::kPooled, false, 2);
  enter(clock_.now() + seconds(60));
  const auto first = ask(clock_.now() + seconds(1));
  const auto second = ask(clock_.now() + seconds(50));
  EXPECT_THAT(*ask(kNever), HasSubstr("2 calls waiting, its limit"));
  pass(seconds(2));
  EXPECT_EQ(*ask(clock_.now() + seconds(40)), "") << "queued";
  EXPECT_EQ(offer_->host->queued(), 2U);
}

TEST_F(Watched, ACallWithoutADeadlineIsOverdueAfterTheDefaultAndAFlowNever) {
  enter(kNever);
  pass(seconds(29));
  EXPECT_THAT(log_.lines, IsEmpty());
  pass(seconds(2));
  EXPECT_EQ(log_.lines.size(), 1U);
  leave();
  make(ThreadModel::kPooled, false);
  enter(kNever, "pour");
  pass(seconds(300));
  EXPECT_EQ(log_.lines.size(), 1U);
  EXPECT_EQ(watch_.running(*offer_->host).size(), 1U);
}

TEST_F(Watched, AParallelObjectWithACallPastItsDeadlineTakesOthers) {
  make(ThreadModel::kPooled, true);
  enter(clock_.now() + seconds(2));
  pass(seconds(3));
  EXPECT_EQ(log_.lines.size(), 1U);
  EXPECT_EQ(offer_->host->unanswered(), 1U);
  servant_->stays = false;
  EXPECT_EQ(*ask(clock_.now() + seconds(60)), "done");
  EXPECT_EQ(offer_->host->unanswered(), 1U);
}

TEST_F(Watched, APrivateObjectIsWatchedOnItsOwnThread) {
  make(ThreadModel::kPrivate, false);
  enter(clock_.now() + seconds(2));
  pass(seconds(3));
  EXPECT_THAT(*ask(kNever), HasSubstr("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(log_.lines.size(), 1U);
}

TEST_F(Watched, AnObjectThatWasDeletedIsShownForAsLongAsItsCallStays) {
  enter(clock_.now() + seconds(60));
  pass(seconds(1));
  offers_.remove(offer_->object);
  pass(seconds(1));
  const auto all = watch_.all_running();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].offer, offer_);
  leave();
  pass(seconds(1));
  EXPECT_THAT(watch_.all_running(), IsEmpty());
}

TEST_F(Watched, ACallWithinACallOfOneThreadIsShownInBothObjects) {
  const auto outer = offer_;
  auto* const outer_servant = servant_;
  make(ThreadModel::kPooled, false);
  const auto inner = offer_;
  /// Calls the other one from inside.
  class Caller final : public Servant {
   public:
    explicit Caller(std::function<void()> ask) : ask_(std::move(ask)) {}
    void invoke(Call& call) noexcept override {
      ask_();
      call.complete();
    }
    std::function<void()> ask_;
  };
  auto nesting = std::make_shared<Offer>();
  nesting->id = 99;
  nesting->object = "nesting";
  nesting->interface = inner->interface;
  nesting->host = std::make_shared<ObjectHost>(
      HostOptions{"nesting", "lab.Nesting.cpp", ThreadModel::kPooled, false, 8, loops_.get()});
  nesting->host->set_servant(
      std::make_unique<Caller>([&] { start(CallbackCall::make([](Call&) {})); }));
  ASSERT_TRUE(offers_.add(nesting));
  inside_.emplace_back([&] {
    auto& call = CallbackCall::make([](Call&) {});
    call.operation = nesting->interface->find("act");
    nesting->host->enter(enter_local(call));
  });
  servant_->inside.wait(false);
  watch_.look();
  pass(seconds(1));
  ASSERT_EQ(watch_.running(*nesting->host).size(), 1U);
  EXPECT_FALSE(watch_.running(*nesting->host)[0].is_inner);
  ASSERT_EQ(watch_.running(*inner->host).size(), 1U);
  EXPECT_TRUE(watch_.running(*inner->host)[0].is_inner);
  EXPECT_EQ(watch_.processor(*nesting->host), Duration{});
  leave();
  static_cast<void>(outer);
  static_cast<void>(outer_servant);
}

}  // namespace
}  // namespace hector
