// Dispatch: headers on the wire, flows, Objects' queues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "call/local_call.h"
#include "hector/reference.h"
#include "hector/system.h"
#include "objects/object_host.h"

namespace hector {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Header, SurvivesItsWayToOctetsAndBack) {
  const auto clock = make_system_clock();
  const TimePoint now = clock->now();
  Header header;
  header.offer = 0x1122334455667788;
  header.session = 7;
  header.sequence = 300;
  header.operation = 5;
  header.deadline = now + milliseconds(1500);
  header.trace = *TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  header.principal = "user:ana";
  header.metadata = {{"k", "v"}, {"", std::string(500, 'x')}};
  std::string octets;
  encode_header(header, now, octets);
  Header back;
  ASSERT_EQ(*decode_header(octets, now, back), octets.size());
  EXPECT_EQ(back.offer, header.offer);
  EXPECT_EQ(back.sequence, 300U);
  EXPECT_EQ(back.operation, 5U);
  EXPECT_EQ(back.deadline, header.deadline);
  EXPECT_EQ(back.trace.traceparent(), header.trace.traceparent());
  EXPECT_EQ(back.principal, "user:ana");
  EXPECT_EQ(back.metadata, header.metadata);
  for (std::size_t cut = 0; cut < octets.size(); ++cut)
    EXPECT_FALSE(decode_header(std::string_view(octets).substr(0, cut), now, back)) << cut;
}

TEST(Header, RefusesTraceContextsThatAreNone) {
  for (const char* wrong : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c8031XX-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(TraceContext::parse(wrong)) << wrong;
  }
}

TEST(Outcome, CarriesAnErrorWithEverythingItHas) {
  const Error error{Code::kAborted, "m", "t", std::string("\0d", 2), {"r1", "r2"}};
  std::string octets;
  encode_outcome(&error, {{"a", "b"}}, octets);
  Outcome outcome;
  ASSERT_EQ(*decode_outcome(octets, outcome), octets.size());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->detail, error.detail);
  EXPECT_THAT(outcome.error->reasons, testing::ElementsAre("r1", "r2"));
  EXPECT_EQ(outcome.trailing.size(), 1U);
}

TEST(Reference, FitsACommandLineAndComesBack) {
  const Reference reference{42,
                            "ana",
                            "north",
                            7,
                            "diary.Calendar/1",
                            "abc",
                            "p",
                            {{"udp", "127.0.0.1:7"}, {"grpc", "h:1"}}};
  const auto back = Reference::from_text(reference.text());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->object, "ana");
  EXPECT_EQ(back->profiles, reference.profiles);
  EXPECT_FALSE(Reference::from_text("hector:!!"));
  EXPECT_FALSE(Reference::from_text("ana"));
}

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
    static const Operation operation{"work", 0};
    call.operation = &operation;
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
  HostTarget starter(*object);
  WaitedCall call;
  call.run(starter, *clock_);
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
        HostTarget starter(*object);
        for (int i = 0; i < 2'000; ++i) {
          WaitedCall call;
          call.run(starter, *clock_);
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
  HostTarget starter(*object);
  WaitedCall call;
  call.run(starter, *clock_);
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
  HostTarget starter(*object);
  WaitedCall call;
  call.header.deadline = clock_->now() + milliseconds(50);
  call.run(starter, *clock_);
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
    HostTarget starter(*pong);
    WaitedCall inner;
    inner.header.deadline = clock_->now() + seconds(10);
    inner.run(starter, *clock_);
    call.complete(Payload(inner.error ? Bytes::copy(inner.error->message) : inner.reply.bytes()));
  });
  pong = host(ThreadModel::kPrivate, [&](Call& call) {
    HostTarget starter(*ping);
    WaitedCall inner;
    inner.header.deadline = clock_->now() + seconds(10);
    inner.request = Payload(Bytes::copy("back"));
    inner.run(starter, *clock_);
    call.complete(Payload(inner.error ? Bytes::copy(inner.error->message) : inner.reply.bytes()));
  });
  HostTarget starter(*ping);
  WaitedCall call;
  call.run(starter, *clock_);
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
  HostTarget starter(*object);
  std::thread inside([&] {
    WaitedCall call;
    call.run(starter, *clock_);
  });
  while (object->is_free_here()) std::this_thread::yield();
  std::atomic<int> ok{0}, refused{0};
  for (int i = 0; i < 5; ++i) {
    auto& call = CallbackCall::make([&](Call& ended) {
      ended.error&& ended.error->code == Code::kResourceExhausted ? ++refused : ++ok;
    });
    starter.start(call);
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
  HostTarget starter(*object);
  WaitedCall call;
  call.run(starter, *clock_);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kUnavailable);
  EXPECT_THAT(call.error->message, testing::HasSubstr("retired"));
}

TEST(Flow, AWriterWaitsForTheReadersWindow) {
  auto [near, far] = make_local_flow(Flow::kBoth);
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

}  // namespace
}  // namespace hector
