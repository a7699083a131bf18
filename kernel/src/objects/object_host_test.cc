// What: Objects' hosts: who enters when, queues and their limits, retiring.
// Why: one thread at a time inside an Object is what every servant relies on.
// Who: ctest.
#include "objects/object_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "call/local_call.h"
#include "hector/system.h"

namespace hector {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Runs `work` on each call.
class WorkServant final : public Servant {
 public:
  explicit WorkServant(std::function<void(Call&)> work) : work_(std::move(work)) {}
  void invoke(Call& call) noexcept override { work_(call); }

 private:
  std::function<void(Call&)> work_;
};

class HostTarget final : public CallTarget {
 public:
  explicit HostTarget(ObjectHost& host) : host_(host) {}
  void start(Call& call) noexcept override {
    static const Operation kWork{"work", 0};
    call.operation = &kWork;
    host_.enter(enter_local(call));
  }

 private:
  ObjectHost& host_;
};

class Hosts : public testing::Test {
 protected:
  std::shared_ptr<ObjectHost> host(ThreadModel thread, std::function<void(Call&)> work,
                                   std::uint32_t queue_max = 65'536) {
    auto made =
        std::make_shared<ObjectHost>(HostOptions{"o", "t", thread, false, queue_max, loops_.get()});
    made->set_servant(std::make_unique<WorkServant>(std::move(work)));
    return made;
  }
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
};

TEST_F(Hosts, AnIdlePooledObjectIsEnteredOnTheCallersThread) {
  std::thread::id entered;
  auto object = host(ThreadModel::kPooled, [&](Call& call) {
    entered = std::this_thread::get_id();
    call.complete();
  });
  HostTarget target(*object);
  WaitedCall call;
  call.run(target, *clock_);
  EXPECT_FALSE(call.error);
  EXPECT_EQ(entered, std::this_thread::get_id());
}

TEST_F(Hosts, ASerialObjectIsInsideOnlyOnceAtATime) {
  for (const auto model : {ThreadModel::kPooled, ThreadModel::kPrivate}) {
    std::atomic<int> inside{0}, most{0}, done{0};
    auto object = host(model, [&](Call& call) {
      most = std::max(most.load(), ++inside);
      --inside;
      ++done;
      call.complete();
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        HostTarget target(*object);
        for (int i = 0; i < 2'000; ++i) {
          WaitedCall call;
          call.run(target, *clock_);
          ASSERT_FALSE(call.error);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(most, 1);
    EXPECT_EQ(done, 8'000);
    EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
  }
}

TEST_F(Hosts, AnAnswerMayComeLaterFromAnotherThread) {
  auto object = host(ThreadModel::kPooled, [&](Call& call) {
    Call& later = call.defer();
    loops_->at(clock_->now() + milliseconds(20),
               [&later] { later.complete(Payload(Bytes::copy("late"))); });
  });
  HostTarget target(*object);
  WaitedCall call;
  call.run(target, *clock_);
  EXPECT_EQ(call.reply.bytes().view(), "late");
  EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
}

TEST_F(Hosts, ACallThatNobodyAnswersEndsAtItsDeadlineAndItsHandlerIsTold) {
  Call* kept = nullptr;
  std::atomic<bool> told{false};
  auto object = host(ThreadModel::kPooled, [&](Call& call) {
    kept = &call.defer();
    kept->on_cancel([&] { told = true; });
  });
  HostTarget target(*object);
  WaitedCall call;
  call.header.deadline = clock_->now() + milliseconds(50);
  call.run(target, *clock_);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kDeadlineExceeded);
  EXPECT_TRUE(told);
  kept->complete();
  EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
}

TEST_F(Hosts, AWaitingObjectServesItsOtherRequestsMeanwhile) {
  std::shared_ptr<ObjectHost> ping, pong;
  ping = host(ThreadModel::kPrivate, [&](Call& call) {
    if (call.request.bytes().view() == "back")
      return call.complete(Payload(Bytes::copy("from ping")));
    HostTarget target(*pong);
    WaitedCall inner;
    inner.header.deadline = clock_->now() + seconds(10);
    inner.run(target, *clock_);
    call.complete(Payload(inner.error ? Bytes::copy(inner.error->message) : inner.reply.bytes()));
  });
  pong = host(ThreadModel::kPrivate, [&](Call& call) {
    HostTarget target(*ping);
    WaitedCall inner;
    inner.header.deadline = clock_->now() + seconds(10);
    inner.request = Payload(Bytes::copy("back"));
    inner.run(target, *clock_);
    call.complete(Payload(inner.error ? Bytes::copy(inner.error->message) : inner.reply.bytes()));
  });
  HostTarget target(*ping);
  WaitedCall call;
  call.run(target, *clock_);
  EXPECT_EQ(call.reply.bytes().view(), "from ping");
}

TEST_F(Hosts, RefusesWhatIsOverTheQueuesLimitAndNothingAtIt) {
  std::vector<Call*> kept;
  std::mutex gate;
  gate.lock();
  auto object = host(
      ThreadModel::kPooled,
      [&](Call& call) {
        const std::lock_guard lock(gate);
        call.complete();
      },
      3);
  HostTarget target(*object);
  std::thread inside([&] {
    WaitedCall call;
    call.run(target, *clock_);
  });
  while (object->is_free_here()) std::this_thread::yield();
  std::atomic<int> ok{0}, refused{0};
  for (int i = 0; i < 5; ++i) {
    auto& call = CallbackCall::make([&](Call& ended) {
      ended.error&& ended.error->code == Code::kResourceExhausted ? ++refused : ++ok;
    });
    target.start(call);
  }
  EXPECT_EQ(refused, 2);
  gate.unlock();
  inside.join();
  EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
  EXPECT_EQ(ok, 3);
}

TEST_F(Hosts, ARetiredObjectAnswersUnavailable) {
  auto object = host(ThreadModel::kPooled, [](Call& call) { call.complete(); });
  ASSERT_TRUE(object->retire(clock_->now() + seconds(1), *clock_));
  HostTarget target(*object);
  WaitedCall call;
  call.run(target, *clock_);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kUnavailable);
  EXPECT_THAT(call.error->message, testing::HasSubstr("retired"));
}

TEST_F(Hosts, IsAtRestOnlyWhenEveryCallHasEnded) {
  Call* kept = nullptr;
  auto object = host(ThreadModel::kPooled, [&](Call& call) { kept = &call.defer(); });
  HostTarget target(*object);
  EXPECT_TRUE(object->is_at_rest());
  bool is_over = false;
  auto& call = CallbackCall::make([&](Call&) { is_over = true; });
  target.start(call);
  EXPECT_FALSE(object->is_at_rest());
  EXPECT_FALSE(object->retire(clock_->now() + milliseconds(10), *clock_));
  kept->complete();
  EXPECT_TRUE(is_over);
  EXPECT_TRUE(object->is_at_rest());
  EXPECT_EQ(object->calls(), 1U);
  EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
}

TEST_F(Hosts, AServantIsNotDroppedWhileItsObjectHandlesACall) {
  Call* kept = nullptr;
  auto object = host(ThreadModel::kPooled, [&](Call& call) { kept = &call.defer(); });
  HostTarget target(*object);
  target.start(CallbackCall::make([](Call&) {}));
  EXPECT_DEATH(object->drop_servant(), "while its Object handles a call");
  kept->complete();
  EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
  object->drop_servant();
}

TEST_F(Hosts, RetiringWaitsForAThreadThatHasAnsweredAndIsStillInside) {
  for (const bool is_parallel : {true, false}) {
    std::atomic<bool> has_answered{false}, may_leave{false};
    auto object = std::make_shared<ObjectHost>(
        HostOptions{"o", "t", ThreadModel::kPooled, is_parallel, 8, loops_.get()});
    object->set_servant(std::make_unique<WorkServant>([&](Call& call) {
      call.complete();
      has_answered = true;
      has_answered.notify_all();
      may_leave.wait(false);  // what it holds is destroyed after the answer
    }));
    std::thread caller([&] {
      HostTarget target(*object);
      target.start(CallbackCall::make([](Call&) {}));
    });
    has_answered.wait(false);
    EXPECT_FALSE(object->retire(clock_->now() + milliseconds(20), *clock_)) << is_parallel;
    may_leave = true;
    may_leave.notify_all();
    EXPECT_TRUE(object->retire(clock_->now() + seconds(5), *clock_)) << is_parallel;
    object->drop_servant();
    caller.join();
  }
}

/// Tells whether a call runs in it after it was destroyed.
class MortalServant final : public Servant {
 public:
  explicit MortalServant(std::atomic<int>& inside) : inside_(inside) {}
  ~MortalServant() override { EXPECT_EQ(inside_.load(), 0) << "destroyed with a thread inside"; }
  void invoke(Call& call) noexcept override {
    ++inside_;
    call.complete();
    for (int i = 0; i < 50; ++i) is_used_ = i;  // after the answer
    --inside_;
  }

 private:
  std::atomic<int>& inside_;
  volatile int is_used_ = 0;
};

TEST_F(Hosts, NoCallThatComesWhileAnObjectRetiresIsLeftInside) {
  for (int round = 0; round < 400; ++round) {
    std::atomic<int> inside{0}, ended{0};
    std::atomic<bool> stops{false};
    auto object = std::make_shared<ObjectHost>(
        HostOptions{"o", "t", ThreadModel::kPooled, round % 2 == 0, 8, loops_.get()});
    object->set_servant(std::make_unique<MortalServant>(inside));
    std::vector<std::thread> callers;
    for (int i = 0; i < 2; ++i) {
      callers.emplace_back([&] {
        HostTarget target(*object);
        for (int calls = 0; !stops || calls < 3; ++calls)
          target.start(CallbackCall::make([&](Call&) { ++ended; }));
      });
    }
    while (ended < 5) std::this_thread::yield();
    ASSERT_TRUE(object->retire(clock_->now() + seconds(5), *clock_));
    object->drop_servant();
    stops = true;
    for (auto& caller : callers) caller.join();
  }
}

TEST_F(Hosts, ACallOfAnObjectWithoutAServantEndsTheProcess) {
  auto object = std::make_shared<ObjectHost>(
      HostOptions{"o", "t", ThreadModel::kPooled, false, 1, loops_.get()});
  HostTarget target(*object);
  EXPECT_DEATH(target.start(CallbackCall::make([](Call&) {})), "without a servant");
}

}  // namespace
}  // namespace hector
