// What: a Binding whose program goes about its order the wrong way: messages that are held, parties
// that wait for each other in a circle, deadlines that pass, and how it is brought back.
// Why: what waits for whom is said, and nothing of it is for ever.
// Who: ctest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "base/testing/waiting.h"
#include "hector/binding/v1/binding.pb.h"
#include "hector/kernel.h"
#include "hector/message_calls.h"
#include "hector/system.h"

namespace hector {
namespace {

namespace b = binding::v1;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kTypes = R"(interface: p.Customer/1
messages: [google/protobuf/wrappers.proto]
operations:
  booked:  {kind: announce, in: google.protobuf.StringValue}
  arrived: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
initiates:
  request: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
interface: p.Dispatcher/1
messages: [google/protobuf/wrappers.proto]
operations:
  request: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
initiates:
  assign:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  booked:  {kind: announce, in: google.protobuf.StringValue}
---
interface: p.Courier/1
messages: [google/protobuf/wrappers.proto]
operations:
  assign:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
initiates:
  arrived: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
binding: p.Pickup/1
roles:
  customer:   {interface: p.Customer/1}
  dispatcher: {interface: p.Dispatcher/1}
  courier:    {interface: p.Courier/1}
interactions:
  request: {kind: rpc,      from: customer,   to: dispatcher, operation: request}
  assign:  {kind: rpc,      from: dispatcher, to: courier,    operation: assign}
  booked:  {kind: announce, from: dispatcher, to: customer,   operation: booked}
  arrived: {kind: rpc,      from: courier,    to: customer,   operation: arrived}
protocol: (request ; assign ; booked ; arrived)*
)";

/// Does what the test says when it is called.
class Actor final : public Servant {
 public:
  using Act = std::function<void(Actor& self, Call& call)>;
  void invoke(Call& call) noexcept override {
    act ? act(*this, call) : call.complete(Payload(Bytes::copy("ok")));
  }
  void bound(Session& given) noexcept override { session = given.shared(); }
  void unbound(Session&) noexcept override { session.reset(); }
  /// Waits for the answer; "ok", or the error.
  std::string ask(const char* interaction, const Clock& clock, Deadline deadline) {
    WaitedCall call;
    call.header.deadline = deadline;
    call.run(session->call_target(*session->interaction(interaction), 0), clock);
    return call.error ? call.error->text() : "ok";
  }
  void tell(const char* interaction) {
    session->start(*session->interaction(interaction), 0, CallbackCall::make([](Call&) {}));
  }
  Act act;
  std::shared_ptr<Session> session;
};

class StuckBindings : public ::testing::Test {
 protected:
  void SetUp() override {
    KernelOptions options;
    options.capsule = "c";
    options.clock = clock_.get();
    options.random = random_.get();
    options.executor = loops_.get();
    options.network = network_.get();
    options.log = log_.get();
    kernel_ = Kernel::make(options);
    const std::string path = ::testing::TempDir() + "hector-stuck.yaml";
    std::ofstream(path) << kTypes;
    const auto loaded = kernel_->load_types(path);
    ASSERT_TRUE(loaded) << loaded.error().text();
    customer_ = adopt("ann", "p.Customer/1");
    dispatcher_ = adopt("hub", "p.Dispatcher/1");
    courier_ = adopt("bob", "p.Courier/1");
    const auto bound = kernel_->capsule().bind(
        {"p.Pickup/1", {{"customer", "ann"}, {"dispatcher", "hub"}, {"courier", "bob"}}});
    ASSERT_TRUE(bound) << bound.error().text();
    char id[17];
    std::snprintf(id, sizeof id, "%016lx", static_cast<unsigned long>(*bound));
    control_ = *kernel_->capsule().resolve(std::string("_binding-") + id);
  }
  void TearDown() override {
    if (beside_.joinable()) beside_.join();
    kernel_->drain();
    kernel_.reset();
  }
  Actor* adopt(const std::string& name, const char* interface) {
    auto made = std::make_unique<Actor>();
    Actor* const kept = made.get();
    EXPECT_TRUE(kernel_->adopt_object(name, *kernel_->interface(interface), std::move(made),
                                      ThreadModel::kPooled, false));
    return kept;
  }
  template <class Out, class In>
  Result<Out> control(const char* operation, const In& request) {
    return call_and_wait<Out>(*control_, *clock_, kByName, operation, request, in(20'000));
  }
  Deadline in(int milliseconds) const {
    return clock_->now() + std::chrono::milliseconds(milliseconds);
  }
  b::State describe() { return *control<b::State>("describe", b::Nothing()); }
  std::string reset(const char* to) {
    b::ResetRequest request;
    request.set_to(to);
    const auto done = control<b::ResetDone>("reset", request);
    return done ? done->to() : done.error().text();
  }
  std::vector<std::string> events(const std::string& kind) {
    std::vector<std::string> found;
    const auto all = control<b::Events>("events", b::EventsRequest());
    for (const auto& each : all->events()) {
      if (each.kind() == kind) found.push_back(each.text());
    }
    return found;
  }
  /// The courier says that it has arrived while it is being assigned: before the customer is told.
  void arrive_while_assigned(int deadline_ms) {
    courier_->act = [this, deadline_ms](Actor& self, Call& call) {
      said_ = self.ask("arrived", *clock_, in(deadline_ms));
      said_ == "ok" ? call.complete(Payload(Bytes::copy("ok")))
                    : call.fail(Error::internal("the courier heard: " + said_));
    };
  }
  /// The dispatcher waits for the courier's answer, and books then.
  void assign_and_wait() {
    dispatcher_->act = [this](Actor& self, Call& call) {
      const std::string answer = self.ask("assign", *clock_, in(20'000));
      if (answer != "ok") return call.fail(Error::internal("the dispatcher heard: " + answer));
      self.tell("booked");
      call.complete(Payload(Bytes::copy("ok")));
    };
  }
  /// The dispatcher answers at once; it assigns on a thread of its own, and books when it is told.
  void assign_beside() {
    dispatcher_->act = [this](Actor& self, Call& call) {
      call.complete(Payload(Bytes::copy("ok")));
      beside_ = std::thread([this, &self] {
        assigned_ = self.ask("assign", *clock_, in(20'000));
        is_assigned_ = true;
      });
    };
  }
  void behave() {
    dispatcher_->act = [this](Actor& self, Call& call) {
      const std::string answer = self.ask("assign", *clock_, in(20'000));
      self.tell("booked");
      answer == "ok" ? call.complete(Payload(Bytes::copy("ok")))
                     : call.fail(Error::internal(answer));
    };
    courier_->act = nullptr;
  }
  std::string request() { return customer_->ask("request", *clock_, in(20'000)); }

  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "c");
  std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
  std::unique_ptr<Network> network_ = make_system_network(*clock_, *log_);
  std::unique_ptr<Kernel> kernel_;
  Actor* customer_ = nullptr;
  Actor* dispatcher_ = nullptr;
  Actor* courier_ = nullptr;
  std::unique_ptr<Target> control_;
  std::thread beside_;
  std::string said_, assigned_;
  std::atomic<bool> is_assigned_{false};
};

TEST_F(StuckBindings, ACircleOfWaitingEndsTheCallThatCameLastAndNamesTheCircle) {
  arrive_while_assigned(20'000);
  assign_and_wait();
  const auto began = clock_->now();
  EXPECT_THAT(request(), HasSubstr("the dispatcher heard: INTERNAL: the courier heard: ABORTED"));
  EXPECT_LT(clock_->now() - began, std::chrono::seconds(10)) << "long before the deadline";
  const std::string chain =
      "customer 0 holds 'arrived' of courier 0 until 'booked' of dispatcher 0; "
      "dispatcher 0 waits in 'request' for 'assign' at courier 0; "
      "courier 0 waits in 'assign' for 'arrived' at customer 0";
  EXPECT_THAT(said_, HasSubstr(chain));
  EXPECT_THAT(events("cycle"), ElementsAre(chain));
}

TEST_F(StuckBindings, AStuckBindingSaysWhereEachPartyStandsAndAResetBringsItBack) {
  arrive_while_assigned(20'000);
  assign_and_wait();
  static_cast<void>(request());
  const auto state = describe();
  EXPECT_THAT(state.state(), StartsWith("stuck: 'arrived' of courier 0"));
  ASSERT_EQ(state.parties_size(), 3);
  EXPECT_THAT(state.parties(0).position(), ElementsAre("request"));
  EXPECT_THAT(state.parties(1).position(), ElementsAre("request", "assign"));
  EXPECT_THAT(state.parties(2).position(), IsEmpty()) << "its part of the round is over";
  EXPECT_EQ(state.parties(1).allowed(), "booked");
  ASSERT_EQ(state.parties(0).held_size(), 1);
  EXPECT_TRUE(state.parties(0).held(0).has_ended());
  EXPECT_EQ(state.parties(0).held(0).until(), "'booked' of dispatcher 0");
  EXPECT_THAT(request(), HasSubstr("out of order"));
  EXPECT_EQ(reset("round"), "the start");
  EXPECT_EQ(describe().state(), "active");
  behave();
  EXPECT_EQ(request(), "ok");
  EXPECT_EQ(courier_->ask("arrived", *clock_, in(20'000)), "ok");
  EXPECT_EQ(request(), "ok") << "and the next round";
}

TEST_F(StuckBindings, AResetToTheLastStateAllAgreeOnKeepsWhatAllHaveSeen) {
  arrive_while_assigned(20'000);
  assign_and_wait();
  static_cast<void>(request());
  EXPECT_EQ(reset("last"), "after request") << "the courier is between two rounds";
  const auto state = describe();
  EXPECT_EQ(state.state(), "active");
  EXPECT_THAT(state.parties(1).position(), ElementsAre("request"));
  behave();
  EXPECT_EQ(dispatcher_->ask("assign", *clock_, in(20'000)), "ok");
  dispatcher_->tell("booked");
  EXPECT_EQ(courier_->ask("arrived", *clock_, in(20'000)), "ok");
}

TEST_F(StuckBindings, WhatIsHeldIsRefusedByAResetWithTheReason) {
  arrive_while_assigned(20'000);
  assign_beside();
  EXPECT_EQ(request(), "ok");
  ASSERT_TRUE(waiting::until([&] { return describe().parties(0).held_size() == 1; }));
  EXPECT_EQ(reset("start"), "the start");
  ASSERT_TRUE(waiting::until([&] { return is_assigned_.load(); }));
  EXPECT_THAT(said_, AllOf(HasSubstr("ABORTED"), HasSubstr("was reset to the start"),
                           HasSubstr("'arrived'")));
  EXPECT_THAT(reset("yesterday"), HasSubstr("INVALID_ARGUMENT: 'yesterday'"));
}

TEST_F(StuckBindings, AMessageThatIsOnlyEarlyWaitsAndIsShown) {
  arrive_while_assigned(20'000);
  assign_beside();
  EXPECT_EQ(request(), "ok");
  ASSERT_TRUE(waiting::until([&] { return !events("held").empty(); }));
  EXPECT_THAT(describe().state(), StartsWith("stuck: 'arrived' of courier 0"));
  EXPECT_THAT(
      describe().waiting(0),
      StartsWith("'arrived' of courier 0 waits at customer 0 for 'booked' of dispatcher 0"));
  EXPECT_FALSE(is_assigned_);
  dispatcher_->tell("booked");
  ASSERT_TRUE(waiting::until([&] { return is_assigned_.load(); }));
  EXPECT_EQ(said_ + assigned_, "okok");
  EXPECT_THAT(events("cycle"), IsEmpty());
  EXPECT_EQ(describe().state(), "active");
}

TEST_F(StuckBindings, TheErrorOfADeadlineNamesTheMessageThatIsHeldAndTheOrderGoesOnOverIt) {
  arrive_while_assigned(2'000);
  assign_beside();
  EXPECT_EQ(request(), "ok");
  ASSERT_TRUE(waiting::until([&] { return is_assigned_.load(); }));
  EXPECT_THAT(said_, AllOf(HasSubstr("DEADLINE_EXCEEDED"),
                           HasSubstr("'arrived' of courier 0 is held at customer 0 ('ann') until "
                                     "'booked' of dispatcher 0; allowed there now: booked")));
  EXPECT_THAT(describe().state(), StartsWith("stuck: "));
  dispatcher_->tell("booked");
  EXPECT_EQ(describe().state(), "active") << "the customer passed over what had ended";
  beside_.join();
  behave();
  EXPECT_EQ(request(), "ok") << "the next round begins";
}

}  // namespace
}  // namespace hector
