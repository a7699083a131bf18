// Sessions and their channels in one process: interceptors in policy's order, at both ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "hector/kernel.h"
#include "hector/multicast.h"
#include "simulation.h"

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A kernel of its own in the simulated world, that knows the kit's types.
std::unique_ptr<Kernel> kernel_in(testing::Simulation& world, Network& network,
                                  const std::vector<PolicyEntry>& policy) {
  KernelOptions options;
  options.capsule = "c";
  options.clock = &world;
  options.random = &world;
  options.executor = &world;
  options.network = &network;
  options.log = &world;
  options.policy = policy;
  auto kernel = Kernel::make(options);
  EXPECT_TRUE(kernel->load_types(HECTOR_SOURCE_DIR "/tests/kits/kit.hector.yaml"));
  return kernel;
}

class EchoServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override {
    ++entered;
    call.complete(std::move(call.request));
  }
  int entered = 0;
};

class SenderServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(); }
  void bound(Session& given) noexcept override { session = given.shared(); }
  std::shared_ptr<Session> session;
};

/// Writes down what it sees; refuses what it is told to.
class Witness final : public Interceptor {
 public:
  Witness(std::string name, std::vector<std::string>& seen, bool refuses)
      : name_(std::move(name)), seen_(seen), refuses_(refuses) {}
  Status sending(Call&, const Hop& hop) noexcept override {
    return see("sending " + hop.interaction + " to " + hop.partner);
  }
  Status arriving(Call&, const Hop& hop) noexcept override {
    return see("arriving " + hop.interaction + " from " + hop.partner);
  }
  void ended(const Call& call, const Hop&, Duration) noexcept override {
    seen_.push_back(name_ + " ended " +
                    std::string(code_name(call.error ? call.error->code : Code::kOk)));
  }

 private:
  Status see(const std::string& what) {
    seen_.push_back(name_ + " " + what);
    if (refuses_) return fail(Code::kPermissionDenied, "the witness refuses");
    return {};
  }
  const std::string name_;
  std::vector<std::string>& seen_;
  const bool refuses_;
};

class Interceptors : public ::testing::Test {
 protected:
  void bind(const std::vector<PolicyEntry>& policy) {
    kernel_ = kernel_in(world_, *network_, policy);
    const auto witness = [this](bool refuses) {
      return [this, refuses](const std::string& name) -> Result<std::unique_ptr<Interceptor>> {
        return std::make_unique<Witness>(name, seen_, refuses);
      };
    };
    ASSERT_TRUE(kernel_->add_interceptor("witness", witness(false)));
    ASSERT_TRUE(kernel_->add_interceptor("refuse", witness(true)));
    auto echo = std::make_unique<EchoServant>();
    auto sender = std::make_unique<SenderServant>();
    echo_ = echo.get();
    sender_ = sender.get();
    ASSERT_TRUE(kernel_->adopt_object("echo", *kernel_->interface("kit.Echo/1"), std::move(echo),
                                      ThreadModel::kPooled, false));
    ASSERT_TRUE(kernel_->adopt_object("sender", *kernel_->interface("kit.Sender/1"),
                                      std::move(sender), ThreadModel::kPooled, false));
    bound_ = kernel_->capsule().bind({"kit.Pair/1", {{"sender", "sender"}, {"receiver", "echo"}}});
  }
  std::string call() {
    WaitedCall made;
    made.request = Payload(Bytes::copy("x"));
    made.run(sender_->session->call_target(*sender_->session->interaction("echo"), 0), world_);
    return made.error ? made.error->text() : made.reply.bytes().str();
  }

  testing::Simulation world_{1};
  std::unique_ptr<Network> network_ = world_.host("10.0.0.1");
  std::vector<std::string> seen_;
  std::unique_ptr<Kernel> kernel_;
  EchoServant* echo_ = nullptr;
  SenderServant* sender_ = nullptr;
  Result<std::uint64_t> bound_ = 0;
};

TEST_F(Interceptors, AreChosenByPolicyForEachChannelAndRunAtBothEnds) {
  bind({{"kit.Pair.receiver.interceptors", {"witness:a", "witness:b"}},
        {"kit.Pair.sender.interceptors", {"witness:c"}}});
  ASSERT_TRUE(bound_);
  EXPECT_EQ(call(), "x");
  EXPECT_THAT(seen_,
              ElementsAre("a sending echo to receiver", "b sending echo to receiver",
                          "c arriving echo from sender", "c ended OK", "b ended OK", "a ended OK"));
}

TEST_F(Interceptors, RefuseACallBeforeItIsSentAndBeforeItsObjectSeesIt) {
  bind({{"kit.Pair.receiver.interceptors", {"refuse:x"}}});
  EXPECT_THAT(call(), HasSubstr("PERMISSION_DENIED: the witness refuses"));
  seen_.clear();
  bind({{"kit.Pair.sender.interceptors", {"allow:capsule:other*"}},
        {"kit.Pair.receiver.interceptors", {"witness:a"}}});
  EXPECT_THAT(call(), HasSubstr("'capsule:c/sender' may not start 'echo'"));
  EXPECT_EQ(echo_->entered, 0);
  EXPECT_THAT(seen_, ElementsAre("a sending echo to receiver", "a ended PERMISSION_DENIED"));
}

TEST_F(Interceptors, LimitsOfAnInteractionComeFromPolicyAsWell) {
  bind({{"kit.Pair.echo.rate_max", {"1"}}});
  EXPECT_EQ(call(), "x");
  EXPECT_THAT(call(), HasSubstr("'echo' may be started 1 times a second (rate_max)"));
}

TEST_F(Interceptors, ThatNobodyKnowsAreNamedWhenABindingIsMade) {
  bind({{"*interceptors", {"metric"}}});
  ASSERT_FALSE(bound_);
  EXPECT_THAT(bound_.error().text(), HasSubstr("'metric' (did you mean 'metrics'?)"));
}

/// Answers when it is told to.
class PatientServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override { waiting.push_back(&call.defer()); }
  void answer() {
    waiting.front()->complete(Payload(Bytes::copy("yes")));
    waiting.erase(waiting.begin());
  }
  void refuse() {
    waiting.front()->fail({Code::kFailedPrecondition, "no"});
    waiting.erase(waiting.begin());
  }
  std::vector<Call*> waiting;
};

class Multicasts : public ::testing::Test {
 protected:
  void SetUp() override {
    kernel_ = kernel_in(world_, *network_, {});
    auto sender = std::make_unique<SenderServant>();
    sender_ = sender.get();
    ASSERT_TRUE(kernel_->adopt_object("sender", *kernel_->interface("kit.Sender/1"),
                                      std::move(sender), ThreadModel::kPooled, false));
    BindRequest request{"kit.Group/1", {{"sender", "sender"}}};
    for (const char* name : {"a", "b", "c"}) {
      auto member = std::make_unique<PatientServant>();
      members_.push_back(member.get());
      ASSERT_TRUE(kernel_->adopt_object(name, *kernel_->interface("kit.Echo/1"), std::move(member),
                                        ThreadModel::kPooled, true));
      request.parties.push_back({"receivers", name});
    }
    const auto bound = kernel_->capsule().bind(request);
    ASSERT_TRUE(bound) << bound.error().text();
  }
  void TearDown() override { sender_->session.reset(); }
  void start(const char* interaction) {
    outcome_.reset();
    multicast(*sender_->session, *sender_->session->interaction(interaction), Bytes::copy("?"),
              kNever, [this](MulticastOutcome outcome) { outcome_ = std::move(outcome); });
  }
  /// "yes no -": what is known of each member.
  std::string known() const {
    std::string text;
    for (const auto& member : outcome_->members)
      text += (text.empty() ? "" : " ") + std::string(!member.is_known ? "-"
                                                      : member.error   ? member.error->message
                                                                       : member.reply.str());
    return text;
  }

  testing::Simulation world_{1};
  std::unique_ptr<Network> network_ = world_.host("10.0.0.1");
  std::unique_ptr<Kernel> kernel_;
  SenderServant* sender_ = nullptr;
  std::vector<PatientServant*> members_;
  std::optional<MulticastOutcome> outcome_;
};

TEST_F(Multicasts, WithBestEffortAreCompleteAtOnceAndStillReachEverybody) {
  start("best");
  ASSERT_TRUE(outcome_);
  EXPECT_FALSE(outcome_->error);
  EXPECT_EQ(known(), "- - -");
  for (auto* member : members_) {
    ASSERT_EQ(member->waiting.size(), 1U);
    member->answer();
  }
}

TEST_F(Multicasts, WithAtLeastOneAreCompleteWithTheFirstGoodAnswer) {
  start("one");
  members_[1]->refuse();
  EXPECT_FALSE(outcome_);
  members_[2]->answer();
  ASSERT_TRUE(outcome_);
  EXPECT_FALSE(outcome_->error);
  EXPECT_EQ(known(), "- no yes");
  members_[0]->answer();
  start("one");
  for (auto* member : members_) member->refuse();
  ASSERT_TRUE(outcome_ && outcome_->error);
  EXPECT_EQ(outcome_->error->code, Code::kFailedPrecondition);
  EXPECT_THAT(outcome_->error->message, HasSubstr("needs 1 good answers and got 0 of 3"));
  EXPECT_EQ(outcome_->error->reasons.size(), 3U);
}

TEST_F(Multicasts, WithMajorityNeedMoreThanHalf) {
  start("most");
  members_[0]->answer();
  members_[1]->refuse();
  EXPECT_FALSE(outcome_);
  members_[2]->answer();
  ASSERT_TRUE(outcome_);
  EXPECT_FALSE(outcome_->error);
  start("most");
  members_[0]->answer();
  members_[1]->refuse();
  members_[2]->refuse();
  ASSERT_TRUE(outcome_ && outcome_->error);
  EXPECT_EQ(known(), "yes no no");
}

TEST_F(Multicasts, WithAllNeedEverybodyAndSayWhoRefused) {
  start("every");
  members_[2]->answer();
  members_[0]->answer();
  EXPECT_FALSE(outcome_);
  members_[1]->refuse();
  ASSERT_TRUE(outcome_ && outcome_->error);
  EXPECT_EQ(known(), "yes no yes");
  EXPECT_THAT(outcome_->error->reasons.at(0), HasSubstr("member 1: FAILED_PRECONDITION: no"));
  start("every");
  for (auto* member : members_) member->answer();
  ASSERT_TRUE(outcome_);
  EXPECT_FALSE(outcome_->error);
}

/// A call for bids: whoever bids does so within two seconds.
constexpr const char* kTender = R"(interface: t.Manager/1
messages: [google/protobuf/wrappers.proto]
operations: {bid: {kind: announce, in: google.protobuf.StringValue}}
initiates:
  call:  {kind: announce, in: google.protobuf.StringValue}
  award: {kind: announce, in: google.protobuf.StringValue}
---
interface: t.Worker/1
messages: [google/protobuf/wrappers.proto]
operations:
  call:  {kind: announce, in: google.protobuf.StringValue}
  award: {kind: announce, in: google.protobuf.StringValue}
initiates: {bid: {kind: announce, in: google.protobuf.StringValue}}
---
binding: t.Tender/1
roles: {m: {interface: t.Manager/1}, w: {interface: t.Worker/1, cardinality: 1..9}}
interactions:
  call:  {kind: multicast, from: m, to: w, operation: call}
  bid:   {kind: announce, from: w, to: m, operation: bid}
  award: {kind: announce, from: m, to: w, operation: award}
protocol: (call ; bid[w?] before 2s ; award)*
)";

class TimedPhases : public ::testing::Test {
 protected:
  void SetUp() override {
    kernel_ = kernel_in(world_, *network_, {});
    const std::string path = ::testing::TempDir() + "hector-tender.yaml";
    std::ofstream(path) << kTender;
    ASSERT_TRUE(kernel_->load_types(path));
    BindRequest request{"t.Tender/1", {{"m", "m"}}};
    for (const char* name : {"m", "a", "b"}) {
      auto servant = std::make_unique<SenderServant>();
      parties_[name] = servant.get();
      ASSERT_TRUE(kernel_->adopt_object(
          name, *kernel_->interface(name[0] == 'm' ? "t.Manager/1" : "t.Worker/1"),
          std::move(servant), ThreadModel::kPooled, false));
      if (name[0] != 'm') request.parties.push_back({"w", name});
    }
    const auto bound = kernel_->capsule().bind(request);
    ASSERT_TRUE(bound) << bound.error().text();
  }
  void TearDown() override {
    for (auto& [name, party] : parties_) party->session.reset();
  }
  /// "OK", or the error.
  std::string send(const std::string& party, const char* interaction, std::uint32_t member = 0) {
    auto& session = *parties_.at(party)->session;
    const auto number = *session.interaction(interaction);
    if (std::string(interaction) == "call") {
      std::string told = "nothing";
      multicast(session, number, {}, kNever, [&](MulticastOutcome outcome) {
        told = outcome.error ? outcome.error->text() : "OK";
      });
      return told;
    }
    WaitedCall made;
    made.run(session.call_target(number, member), world_);
    return made.error ? made.error->text() : "OK";
  }

  testing::Simulation world_{1};
  std::unique_ptr<Network> network_ = world_.host("10.0.0.1");
  std::unique_ptr<Kernel> kernel_;
  std::map<std::string, SenderServant*> parties_;
};

TEST_F(TimedPhases, RefuseWhatComesAfterTheirTimeAndBeginAnew) {
  for (int round = 0; round < 2; ++round) {
    world_.run_for(std::chrono::seconds(5));  // time runs from when a bid could come, not before
    ASSERT_EQ(send("m", "call"), "OK");
    world_.run_for(std::chrono::milliseconds(1'900));
    EXPECT_EQ(send("a", "bid"), "OK");
    world_.run_for(std::chrono::milliseconds(200));
    EXPECT_THAT(send("b", "bid"),
                HasSubstr("DEADLINE_EXCEEDED: the time for 'bid' in t.Tender/1 is over"));
    EXPECT_EQ(send("m", "award"), "OK");
  }
}

TEST_F(TimedPhases, ThatTheReceiverHasLeftRefuseInTheSameWay) {
  ASSERT_EQ(send("m", "call"), "OK");
  EXPECT_EQ(send("m", "award", 1), "OK");  // it need not wait for everybody
  EXPECT_THAT(send("a", "bid"), HasSubstr("DEADLINE_EXCEEDED"));
}

}  // namespace
}  // namespace hector
