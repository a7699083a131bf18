// Bindings changed while several threads use them: on real threads, so that the sanitizers see what
// they do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/testing/waiting.h"
#include "hector/binding/v1/binding.pb.h"
#include "hector/interceptor.h"
#include "hector/kernel.h"
#include "hector/message_calls.h"
#include "hector/multicast.h"
#include "hector/system.h"

namespace hector {
namespace {

namespace b = binding::v1;
using ::testing::HasSubstr;

constexpr const char* kTypes = R"(interface: t.Caller/1
messages: [google/protobuf/wrappers.proto]
initiates:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  tell: {kind: announce, in: google.protobuf.StringValue}
---
interface: t.Worker/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  tell: {kind: announce, in: google.protobuf.StringValue}
---
binding: t.Pair/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1, cardinality: 1..3}}
interactions:
  ask:  {kind: rpc, from: caller, to: worker, operation: ask}
  tell: {kind: multicast, from: caller, to: worker, operation: tell}
protocol: (ask | tell)*
---
binding: t.Rounds/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1, cardinality: 1..3}}
interactions:
  ask:  {kind: rpc, from: caller, to: worker, operation: ask}
  tell: {kind: multicast, from: caller, to: worker, operation: tell}
protocol: (ask[worker] ; tell)*
---
binding: t.Promised/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1}}
interactions:
  ask: {kind: rpc, from: caller, to: worker, operation: ask, qos: {deadline_ms: 20, message_octets_max: 100}}
protocol: ask*
---
binding: t.Urgent/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1}}
interactions:
  tell: {kind: announce, from: caller, to: worker, operation: tell}
  ask:  {kind: rpc, from: caller, to: worker, operation: ask}
protocol: (tell ; ask before 400ms)*
---
binding: t.Slowly/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1}}
interactions:
  ask: {kind: rpc, from: caller, to: worker, operation: ask, qos: {rate_max: 5}}
protocol: ask*
---
interface: t.Keeper/1
messages: [google/protobuf/wrappers.proto]
initiates: {}
---
binding: t.Kept/1
description: A Binding in the role of another.
roles: {kept: {interface: hector.Binding/1}, keeper: {interface: t.Keeper/1}}
interactions:
  suspend: {kind: rpc, from: keeper, to: kept, operation: suspend}
  resume:  {kind: rpc, from: keeper, to: kept, operation: resume}
protocol: (suspend ; resume)*
)";

class Worker final : public Servant {
 public:
  explicit Worker(std::string name) : name_(std::move(name)) {}
  void invoke(Call& call) noexcept override {
    if (entered_.fetch_add(1) != 0) together = true;
    ++count_;
    if (slow.count() != 0) waiting::spend(slow, "a slow Object");
    call.complete(Payload(Bytes::copy(name_)));
    entered_.fetch_sub(1);
  }
  void bound(Session& session) noexcept override { session_ = session.shared(); }
  void unbound(Session&) noexcept override { session_.reset(); }
  bool has_state() const noexcept override { return keeps_state; }
  Result<Bytes> save() noexcept override { return Bytes::copy(std::to_string(count_.load())); }
  Status restore(const Bytes& state) noexcept override {
    if (refuses_state) return fail(Code::kFailedPrecondition, "no room for it");
    count_ = std::stoull(state.str());
    return {};
  }
  std::atomic<bool> together{false};
  std::chrono::milliseconds slow{0};  ///< how long it takes: lateness is what is tested
  bool keeps_state = true;
  bool refuses_state = false;
  std::atomic<std::uint64_t> count_{0};

 private:
  const std::string name_;
  std::shared_ptr<Session> session_;
  std::atomic<int> entered_{0};
};

class Caller final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(); }
  void bound(Session& session) noexcept override {
    session_ = session.shared();
    is_bound = true;
  }
  void unbound(Session&) noexcept override {
    session_.reset();
    is_bound = false;
  }
  std::shared_ptr<Session> session_;
  std::atomic<bool> is_bound{false};
};

class Changes : public ::testing::Test {
 protected:
  void SetUp() override {
    KernelOptions options;
    options.capsule = "c";
    options.clock = clock_.get();
    options.random = random_.get();
    options.executor = loops_.get();
    options.network = network_.get();
    options.log = log_.get();
    options.policy = policy();
    kernel_ = Kernel::make(options);
    const std::string path = ::testing::TempDir() + "hector-changes.yaml";
    std::ofstream(path) << kTypes;
    const auto loaded = kernel_->load_types(path);
    ASSERT_TRUE(loaded) << loaded.error().text();
    for (const char* name : {"a", "b", "c"})
      workers_[name] = adopt<Worker>(name, "t.Worker/1", name);
    caller_ = adopt<Caller>("caller", "t.Caller/1");
  }
  void TearDown() override {
    kernel_->drain();
    kernel_.reset();
  }
  virtual std::vector<PolicyEntry> policy() const { return {}; }
  template <class T, class... Arguments>
  T* adopt(const std::string& name, const char* interface, Arguments... arguments) {
    auto made = std::make_unique<T>(arguments...);
    T* const kept = made.get();
    EXPECT_TRUE(kernel_->adopt_object(name, *kernel_->interface(interface), std::move(made),
                                      ThreadModel::kPooled, false));
    return kept;
  }
  void bind(const std::string& type, const std::vector<std::string>& workers) {
    BindRequest request{type, {{"caller", "caller"}}};
    for (const auto& name : workers) request.parties.push_back({"worker", name});
    auto bound = kernel_->capsule().bind(request);
    ASSERT_TRUE(bound) << bound.error().text();
    binding_ = *bound;
    char id[17];
    std::snprintf(id, sizeof id, "%016lx", static_cast<unsigned long>(binding_));
    auto target = kernel_->capsule().resolve(std::string("_binding-") + id);
    ASSERT_TRUE(target) << target.error().text();
    control_ = std::move(*target);
    session_ = caller_->session_;
  }
  template <class Out, class In>
  Result<Out> control(const char* operation, const In& request) {
    return call_and_wait<Out>(*control_, *clock_, kByName, operation, request,
                              clock_->now() + std::chrono::seconds(20));
  }
  Result<b::Rebound> rebind(const std::string& who, std::uint32_t number = 0) {
    b::RebindRequest request;
    request.set_role("worker");
    request.set_number(number);
    request.set_who(who);
    return control<b::Rebound>("rebind", request);
  }
  Result<b::Joined> join(const std::string& who, std::uint64_t wait_ms = 0) {
    b::JoinRequest request;
    request.set_role("worker");
    request.set_who(who);
    request.set_wait_ms(wait_ms);
    return control<b::Joined>("join", request);
  }
  Status leave(std::uint32_t number, std::uint64_t wait_ms = 0) {
    b::LeaveRequest request;
    request.set_role("worker");
    request.set_number(number);
    request.set_wait_ms(wait_ms);
    auto done = HECTOR_TRY(control<b::Done>("leave", request));
    return {};
  }
  /// Who answers; or the error.
  std::string ask(std::uint32_t member = 0) {
    WaitedCall call;
    call.request = Payload(Bytes::copy("?"));
    call.run(session_->call_target(*session_->interaction("ask"), member), *clock_);
    return call.error ? call.error->text() : call.reply.bytes().str();
  }
  std::string tell() {
    std::atomic<bool> is_over{false};
    std::string told;
    multicast(*session_, *session_->interaction("tell"), Bytes::copy("!"),
              clock_->now() + std::chrono::seconds(20), [&](MulticastOutcome outcome) {
                told =
                    outcome.error ? outcome.error->text() : std::to_string(outcome.members.size());
                is_over = true;
                is_over.notify_one();
              });
    is_over.wait(false);
    return told;
  }
  /// Calls from several threads until it is destroyed.
  class Load {
   public:
    explicit Load(Changes& test, bool tells) {
      for (int t = 0; t < 3; ++t) {
        threads_.emplace_back([this, &test, tells, t] {
          while (!is_over_) {
            const std::string told = tells && t == 0 ? test.tell() : test.ask();
            ++calls;
            if (told.size() > 2 && failed.exchange(true) == false) why = told;
          }
        });
      }
    }
    ~Load() { stop(); }
    void stop() {
      is_over_ = true;
      for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
      }
    }
    std::atomic<std::uint64_t> calls{0};
    std::atomic<bool> failed{false};
    std::string why;

   private:
    std::atomic<bool> is_over_{false};
    std::vector<std::thread> threads_;
  };

  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "c");
  std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
  std::unique_ptr<Network> network_ = make_system_network(*clock_, *log_);
  std::unique_ptr<Kernel> kernel_;
  std::map<std::string, Worker*> workers_;
  Caller* caller_ = nullptr;
  std::uint64_t binding_ = 0;
  std::unique_ptr<Target> control_;
  std::shared_ptr<Session> session_;
};

TEST_F(Changes, RebindUnderLoadLosesNoCallAndDoublesNone) {
  bind("t.Pair/1", {"a"});
  Load load(*this, false);
  for (int round = 0; round < 10; ++round) {
    const auto rebound = rebind(round % 2 == 0 ? "b" : "a");
    ASSERT_TRUE(rebound) << rebound.error().text();
    EXPECT_TRUE(rebound->with_state());
  }
  load.stop();
  EXPECT_FALSE(load.failed) << load.why;
  EXPECT_EQ(workers_["a"]->count_, load.calls) << "the count went from party to party";
  EXPECT_FALSE(workers_["a"]->together);
  session_.reset();
}

TEST_F(Changes, ARefusedStateRollsBack) {
  bind("t.Pair/1", {"a"});
  workers_["b"]->refuses_state = true;
  {
    Load load(*this, false);
    const auto rebound = rebind("b");
    ASSERT_FALSE(rebound);
    EXPECT_THAT(rebound.error().text(), HasSubstr("no room for it"));
    load.stop();
    EXPECT_FALSE(load.failed) << load.why;
  }
  EXPECT_EQ(ask(), "a");
  workers_["b"]->keeps_state = false;
  const auto rebound = rebind("b");
  ASSERT_FALSE(rebound);
  EXPECT_THAT(rebound.error().text(), HasSubstr("takes none"));
  EXPECT_EQ(ask(), "a");
  EXPECT_EQ(workers_["b"]->count_, 0U);
  session_.reset();
}

TEST_F(Changes, MembersJoinAndLeaveUnderLoad) {
  bind("t.Pair/1", {"a"});
  Load load(*this, true);
  for (int round = 0; round < 5; ++round) {
    const auto b = join("b"), c = join("c");
    ASSERT_TRUE(b && c) << (b ? "" : b.error().text()) << (c ? "" : c.error().text());
    EXPECT_EQ(b->number() + c->number(), 3U);
    for (const char* late : {"b", "c"}) {
      const std::uint64_t before = workers_[late]->count_;
      while (workers_[late]->count_ == before && !load.failed) std::this_thread::yield();
    }
    const auto full = join("a");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::kResourceExhausted);
    ASSERT_TRUE(leave(1));
    ASSERT_TRUE(leave(2));
    const auto last = leave(0);
    ASSERT_FALSE(last);
    EXPECT_THAT(last.error().text(), HasSubstr("must keep 1 members"));
  }
  load.stop();
  EXPECT_FALSE(load.failed) << load.why;
  session_.reset();
}

TEST_F(Changes, AMemberJoinsAndLeavesOnlyWhereTheOrderAllowsIt) {
  bind("t.Rounds/1", {"a", "b"});
  EXPECT_EQ(ask(0), "a");  // while a round is open: it would have to be one of three
  EXPECT_TRUE(join("c")) << "c is asked in this round as well";
  EXPECT_EQ(ask(2), "c");
  EXPECT_THAT(tell(), HasSubstr("out of order"));
  EXPECT_TRUE(leave(1)) << "then b need not be";
  EXPECT_EQ(tell(), "2");
  EXPECT_EQ(ask(0), "a");
  EXPECT_EQ(ask(2), "c");
  EXPECT_EQ(tell(), "2");
  EXPECT_THAT(ask(1), HasSubstr("member 1 of role 'worker' has left"));
  session_.reset();
}

TEST_F(Changes, AMemberWaitsForTheEndOfARoundItWasNotInFromTheBeginning) {
  bind("t.Rounds/1", {"a"});
  EXPECT_EQ(ask(0), "a");
  EXPECT_EQ(tell(), "1");
  ASSERT_TRUE(join("b"));
  EXPECT_EQ(ask(0), "a");
  EXPECT_THAT(tell(), HasSubstr("out of order"));
  EXPECT_EQ(ask(1), "b");
  EXPECT_EQ(tell(), "2");
  session_.reset();
}

TEST_F(Changes, ASuspendedBindingKeepsCallsUntilTheirDeadline) {
  bind("t.Pair/1", {"a"});
  ASSERT_TRUE(control<b::Done>("suspend", b::Nothing()));
  WaitedCall late;
  late.header.deadline = clock_->now() + std::chrono::milliseconds(50);
  late.run(session_->call_target(*session_->interaction("ask"), 0), *clock_);
  ASSERT_TRUE(late.error);
  EXPECT_EQ(late.error->code, Code::kDeadlineExceeded);
  EXPECT_EQ(workers_["a"]->count_, 0U);
  std::string told;
  std::thread waiting([&] { told = ask(); });
  const auto rebound = rebind("b");
  EXPECT_TRUE(rebound) << "also while it is suspended";
  ASSERT_TRUE(control<b::Done>("resume", b::Nothing()));
  waiting.join();
  EXPECT_EQ(told, "b");
  const auto again = control<b::Done>("resume", b::Nothing());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kFailedPrecondition);
  session_.reset();
}

TEST_F(Changes, ABindingPlaysARoleInAnother) {
  bind("t.Pair/1", {"a"});
  auto* keeper = adopt<Caller>("keeper", "t.Keeper/1");
  char id[17];
  std::snprintf(id, sizeof id, "%016lx", static_cast<unsigned long>(binding_));
  const auto kept = kernel_->capsule().bind(
      {"t.Kept/1", {{"kept", std::string("_binding-") + id}, {"keeper", "keeper"}}});
  ASSERT_TRUE(kept) << kept.error().text();
  const auto act = [&](const char* interaction) {
    WaitedCall call;
    call.request = write_message(b::Nothing());
    call.run(keeper->session_->call_target(*keeper->session_->interaction(interaction), 0),
             *clock_);
    return call.error ? call.error->text() : std::string("done");
  };
  EXPECT_EQ(act("suspend"), "done");
  EXPECT_EQ(control<b::State>("describe", b::Nothing())->state(), "suspended");
  EXPECT_THAT(act("suspend"), HasSubstr("out of order"));
  EXPECT_EQ(act("resume"), "done");
  EXPECT_EQ(ask(), "a");
  keeper->session_.reset();
  session_.reset();
}

TEST_F(Changes, ALateReplyIsABreachAndAnEvent) {
  bind("t.Promised/1", {"a"});
  EXPECT_EQ(ask(), "a");
  workers_["a"]->slow = std::chrono::milliseconds(40);
  EXPECT_EQ(ask(), "a") << "it was in flight on this very thread";
  const auto breaches = [&] {
    std::vector<std::string> texts;
    const auto events = control<b::Events>("events", b::EventsRequest()).value();
    for (const auto& event : events.events()) {
      if (event.kind() == "breach") texts.push_back(event.text());
    }
    return texts;
  };
  const auto until = clock_->now() + std::chrono::seconds(5);
  while (breaches().empty() && clock_->now() < until) std::this_thread::yield();
  ASSERT_GE(breaches().size(), 1U);
  EXPECT_THAT(breaches().front(), HasSubstr("'ask' took "));
  EXPECT_THAT(breaches().front(), HasSubstr("20 required"));
  WaitedCall large;
  large.request = Payload(Bytes::copy(std::string(101, 'x')));
  large.run(session_->call_target(*session_->interaction("ask"), 0), *clock_);
  ASSERT_TRUE(large.error);
  EXPECT_THAT(large.error->text(), HasSubstr("may have 100 octets, and this message has 101"));
  session_.reset();
}

TEST_F(Changes, APhaseThatMayNotBeEmptyFailsItsBindingWhenItsTimeIsOver) {
  bind("t.Urgent/1", {"a"});
  const auto tell_one = [&] {
    WaitedCall call;
    call.run(session_->call_target(*session_->interaction("tell"), 0), *clock_);
    return call.error ? call.error->text() : std::string("OK");
  };
  ASSERT_EQ(tell_one(), "OK");
  EXPECT_EQ(ask(), "a") << "in time";
  ASSERT_EQ(tell_one(), "OK");
  const auto until = clock_->now() + std::chrono::seconds(5);
  while (caller_->is_bound && clock_->now() < until)
    std::this_thread::yield();  // the Object is told of the end
  EXPECT_THAT(ask(), HasSubstr("DEADLINE_EXCEEDED: the Binding t.Urgent/1 is closed: 'caller' as "
                               "caller: the phase of ask was not over within 400 ms"));
  session_.reset();
}

TEST_F(Changes, MoreThanTheRateIsRefused) {
  bind("t.Slowly/1", {"a"});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), "a");
  EXPECT_THAT(ask(), HasSubstr("RESOURCE_EXHAUSTED: 'ask' may be started 5 times a second"));
  session_.reset();
}

TEST_F(Changes, ACallThatIsAlreadyCancelledMayBeKept) {
  bind("t.Pair/1", {"a"});
  ASSERT_TRUE(control<b::Done>("suspend", b::Nothing()));
  WaitedCall call;
  call.cancel({Code::kCancelled, "no longer wanted"});
  call.run(session_->call_target(*session_->interaction("ask"), 0), *clock_);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kCancelled);
  ASSERT_TRUE(control<b::Done>("resume", b::Nothing()));
  EXPECT_EQ(ask(), "a");
  EXPECT_EQ(workers_["a"]->count_, 1U);
  session_.reset();
}

TEST_F(Changes, AKeptMulticastWithAMemberGivenUpEndsWithItsBinding) {
  bind("t.Pair/1", {"a", "b"});
  ASSERT_TRUE(control<b::Done>("suspend", b::Nothing()));
  WaitedCall kept, given_up;
  session_->start_all(*session_->interaction("tell"), {&kept, &given_up});
  given_up.cancel({Code::kCancelled, "not this one"});
  given_up.wait(nullptr, *clock_);
  EXPECT_EQ(given_up.error->code, Code::kCancelled);
  ASSERT_TRUE(kernel_->capsule().unbind(binding_));
  kept.wait(nullptr, *clock_);
  ASSERT_TRUE(kept.error);
  EXPECT_THAT(kept.error->text(), HasSubstr("is closed"));
  session_.reset();
}

class Limited : public Changes {
 protected:
  std::vector<PolicyEntry> policy() const override { return {{"*interceptors", {"counting"}}}; }
};

/// Counts the calls that pass it.
class Counting final : public Interceptor {
 public:
  explicit Counting(std::atomic<int>& count) : count_(count) {}
  Status sending(Call&, const Hop&) noexcept override {
    ++count_;
    return {};
  }

 private:
  std::atomic<int>& count_;
};

TEST_F(Limited, KeptCallsPassTheInterceptorsToo) {
  std::atomic<int> count{0};
  ASSERT_TRUE(kernel_->add_interceptor(
      "counting", [&](const std::string&) -> Result<std::unique_ptr<Interceptor>> {
        return std::make_unique<Counting>(count);
      }));
  bind("t.Pair/1", {"a"});
  EXPECT_EQ(ask(), "a");
  EXPECT_EQ(count, 1);
  ASSERT_TRUE(control<b::Done>("suspend", b::Nothing()));
  std::string told;
  std::thread waiting([&] { told = ask(); });
  while (control<b::State>("describe", b::Nothing())->state() != "suspended")
    std::this_thread::yield();
  ASSERT_TRUE(control<b::Done>("resume", b::Nothing()));
  waiting.join();
  EXPECT_EQ(told, "a");
  EXPECT_EQ(count, 2);
  session_.reset();
}

class Transparent : public Changes {
 protected:
  std::vector<PolicyEntry> policy() const override {
    return {{"t.Pair.worker.transparencies", kept}};
  }
  void remake(std::vector<std::string> what) {
    session_.reset();
    control_.reset();
    kernel_->drain();
    kernel_.reset();
    kept = std::move(what);
    SetUp();
    bind("t.Pair/1", {"a"});
  }
  std::vector<std::string> kept;
};

TEST_F(Transparent, ChannelsHideWhatPolicyKeepsAndShowTheRest) {
  bind("t.Pair/1", {"a"});
  EXPECT_THAT(session_->location("worker", 0).error().text(), HasSubstr("hide where it is"));
  EXPECT_THAT(session_->endpoint("worker", 0).error().text(),
              HasSubstr("keep access location relocation failure"));
  ASSERT_TRUE(rebind("b"));
  EXPECT_EQ(ask(), "b") << "followed unseen";
  remake({"access", "failure"});
  EXPECT_EQ(*session_->location("worker", 0), "in-process c");
  EXPECT_EQ(session_->location("worker", 7).error().code, Code::kNotFound);
  ASSERT_TRUE(rebind("b"));
  EXPECT_THAT(ask(), HasSubstr("UNAVAILABLE: 'b' of capsule 'c' plays worker 0 now"));
  EXPECT_EQ(ask(), "b");
  remake({"none"});
  EXPECT_EQ(session_->endpoint("worker", 0).error().code, Code::kUnimplemented)
      << "nothing is between them here";
  session_.reset();
  kept = {"acess"};
  kernel_->drain();
  SetUp();
  const auto refused =
      kernel_->capsule().bind({"t.Pair/1", {{"caller", "caller"}, {"worker", "a"}}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("'acess' (did you mean 'access'?)"));
}

TEST_F(Changes, ABindingThatEndsUnderLoadFailsItsCallsAndNothingElse) {
  bind("t.Pair/1", {"a"});
  Load load(*this, false);
  while (load.calls < 100) std::this_thread::yield();
  ASSERT_TRUE(kernel_->capsule().unbind(binding_));
  while (!load.failed) std::this_thread::yield();
  load.stop();
  EXPECT_THAT(load.why, HasSubstr("is closed"));
  session_.reset();
}

}  // namespace
}  // namespace hector
