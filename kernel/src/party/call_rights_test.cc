// What: rights of calls that come without a Binding: from other capsules, by any peer a channel may
// have, and among a capsule's own Objects.
// Why: an Object's capsule decides who calls it; what is known already must cost nearly nothing,
// and what has changed must count. Who: ctest.
#include "party/call_rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/testing/waiting.h"
#include "fake_policy.h"
#include "hector/kernel.h"
#include "hector/message_calls.h"
#include "hector/system.h"

namespace hector {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kTypes = R"(interface: k.Worker/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask:   {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  other: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
)";

class Worker final : public Servant {
 public:
  void invoke(Call& call) noexcept override {
    ++calls;
    call.complete(Payload(Bytes::copy("ok")));
  }
  std::atomic<int> calls{0};
};

class RightsOfCalls : public ::testing::Test {
 protected:
  void SetUp() override { start(RightsMode::kRequired); }
  void start(RightsMode rights) {
    stop();
    KernelOptions options;
    options.capsule = "c";
    options.clock = clock_.get();
    options.random = random_.get();
    options.executor = loops_.get();
    options.network = network_.get();
    options.log = log_.get();
    options.rights = rights;
    kernel_ = Kernel::make(options);
    const std::string path = ::testing::TempDir() + "hector-call-rights.yaml";
    std::ofstream(path) << kTypes;
    ASSERT_TRUE(kernel_->load_types(path));
    auto made = std::make_unique<Worker>();
    worker_ = made.get();
    ASSERT_TRUE(kernel_->adopt_object("bob", *kernel_->interface("k.Worker/1"), std::move(made),
                                      ThreadModel::kPooled, true));
  }
  void stop() {
    if (kernel_) kernel_->drain();
    kernel_.reset();
  }
  void TearDown() override { stop(); }
  void load_policy() {
    ASSERT_TRUE(kernel_->add_service("policy", std::make_unique<testing::FakePolicy>(policy_)));
  }
  /// As a protocol hands it over; how it ended.
  Error arrives(const Peer& peer, const std::string& operation = "ask",
                const std::string& object = "bob", const std::string& said = {}) {
    std::atomic<bool> has_ended{false};
    Error outcome{Code::kOk, ""};
    auto& call = CallbackCall::make([&](Call& ended) {
      if (ended.error) outcome = *ended.error;
      has_ended = true;
    });
    call.header.object = object;
    call.header.operation_name = operation;
    call.header.principal = said.empty() ? peer.principal : said;
    call.peer = &peer;
    kernel_->protocol_context("{}").inbound->accept(call);
    EXPECT_TRUE(waiting::until([&] { return has_ended.load(); }));
    return outcome;
  }
  static Peer proved(const std::string& principal) {
    return {principal, "tls", "10.0.0.1:7", Security::kPrivacy};
  }
  static Peer claimed(const std::string& principal) {
    return {principal, "udp", "10.0.0.1:7", Security::kNone};
  }
  std::vector<std::string> asked() { return policy_->take_asked(); }

  const std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "c");
  const std::unique_ptr<Clock> clock_ = make_system_clock();
  const std::unique_ptr<Random> random_ = make_system_random();
  const std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
  const std::unique_ptr<Network> network_ = make_system_network(*clock_, *log_);
  const std::shared_ptr<testing::FakePolicy::Shared> policy_ =
      std::make_shared<testing::FakePolicy::Shared>();
  std::unique_ptr<Kernel> kernel_;
  Worker* worker_ = nullptr;
};

constexpr const char* kSouthAsks =
    "Principal::\"capsule:south\" Action::\"call\" Operation::\"k.Worker/1.ask\"";
constexpr const char* kAnonymousAsks =
    "Principal::\"anonymous\" Action::\"call\" Operation::\"k.Worker/1.ask\"";

TEST_F(RightsOfCalls, AreAskedOnceForEachCallerAndOperation) {
  load_policy();
  const Peer south = proved("capsule:south");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(arrives(south).code, Code::kOk);
  EXPECT_THAT(asked(), ElementsAre(kSouthAsks));
  EXPECT_EQ(arrives(south, "other").code, Code::kOk);
  EXPECT_THAT(asked(), SizeIs(1));
  EXPECT_EQ(arrives(proved("capsule:east")).code, Code::kOk);
  EXPECT_THAT(asked(), SizeIs(1));
}

TEST_F(RightsOfCalls, AreNotAskedUnlessTheyAreRequired) {
  start(RightsMode::kNotAsked);
  load_policy();
  policy_->forbid(kAnonymousAsks);
  EXPECT_EQ(arrives(claimed("anybody")).code, Code::kOk);
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(RightsOfCalls, AreThoseOfTheProvedPrincipalAndOfItsObjectsOnly) {
  load_policy();
  EXPECT_EQ(arrives(proved("capsule:south"), "ask", "bob", "capsule:south/ben").code, Code::kOk);
  EXPECT_THAT(asked(), ElementsAre(StartsWith("Principal::\"capsule:south/ben\" ")));
  EXPECT_EQ(arrives(proved("capsule:south"), "ask", "bob", "operator:ann").code, Code::kOk);
  EXPECT_THAT(asked(), ElementsAre(kSouthAsks)) << "it may not speak as an operator";
  EXPECT_EQ(arrives(proved("capsule:south"), "other", "bob", "capsule:southern").code, Code::kOk);
  EXPECT_THAT(asked(), ElementsAre(StartsWith("Principal::\"capsule:south\" ")));
}

TEST_F(RightsOfCalls, OfAPeerThatNothingProvesAreThoseOfTheAnonymous) {
  load_policy();
  policy_->forbid(kAnonymousAsks);
  const Error refused = arrives(claimed("capsule:c/bob"));
  EXPECT_EQ(refused.code, Code::kPermissionDenied);
  EXPECT_THAT(refused.message, AllOf(HasSubstr("anonymous (it says that it is 'capsule:c/bob')"),
                                     HasSubstr("may not call 'k.Worker/1.ask' of 'bob'"),
                                     HasSubstr("forbidden by taken-away")));
  EXPECT_EQ(worker_->calls, 0);
  for (const std::string odd : {"a\nb", "\xff\xfe", "a b", std::string(300, 'x').c_str()}) {
    EXPECT_EQ(arrives(claimed(odd)).code, Code::kPermissionDenied);
  }
}

TEST_F(RightsOfCalls, AreDeniedWhileNobodyCanBeAsked) {
  EXPECT_THAT(arrives(proved("capsule:south")).message,
              HasSubstr("this capsule has no Policy service to ask"));
  load_policy();
  policy_->is_broken = true;
  EXPECT_THAT(arrives(proved("capsule:south")).message,
              HasSubstr("the Policy service cannot say: INTERNAL: out of order"));
  EXPECT_EQ(worker_->calls, 0);
  policy_->is_broken = false;
  EXPECT_EQ(arrives(proved("capsule:south")).code, Code::kOk) << "an error is not kept";
}

TEST_F(RightsOfCalls, AreAskedAgainWithinASecondOfAChange) {
  load_policy();
  const Peer south = proved("capsule:south");
  ASSERT_EQ(arrives(south).code, Code::kOk);
  policy_->forbid(kSouthAsks);
  EXPECT_TRUE(waiting::until([&] { return arrives(south).code == Code::kPermissionDenied; },
                             std::chrono::seconds(1)));
  policy_->permit(kSouthAsks);
  EXPECT_TRUE(
      waiting::until([&] { return arrives(south).code == Code::kOk; }, std::chrono::seconds(1)));
}

TEST_F(RightsOfCalls, KeepNoDecisionOfAPolicyThatDoesNotAnswerAnyMore) {
  load_policy();
  const Peer south = proved("capsule:south");
  ASSERT_EQ(arrives(south).code, Code::kOk);
  policy_->is_broken = true;
  EXPECT_TRUE(waiting::until([&] { return arrives(south).code == Code::kPermissionDenied; },
                             std::chrono::seconds(2)));
}

TEST_F(RightsOfCalls, WithinACapsuleAreThoseOfWhoCalls) {
  load_policy();
  const auto target = *kernel_->capsule().resolve("bob");
  WaitedCall call;
  call.header.operation = 0;
  call.run(*target, *clock_);
  EXPECT_FALSE(call.error);
  EXPECT_THAT(asked(), ElementsAre(StartsWith("Principal::\"capsule:c\" ")));
}

TEST_F(RightsOfCalls, AreNotAskedOfServicesButOfWhatChangesRights) {
  load_policy();
  EXPECT_EQ(arrives(claimed("x"), "get", "policy").code, Code::kNotFound) << "it was entered";
  EXPECT_THAT(asked(), IsEmpty());
  policy_->forbid(
      "Principal::\"anonymous\" Action::\"call\" "
      "Operation::\"hector.Policy/1.put_rules\"");
  EXPECT_EQ(arrives(claimed("user:root"), "put_rules", "policy").code, Code::kPermissionDenied);
  EXPECT_THAT(asked(), SizeIs(1));
  Peer own = claimed("user:ann");
  own.is_own_user = true;
  for (const Peer& peer : {own, proved("operator:ann"), proved("capsule:c")}) {
    EXPECT_EQ(arrives(peer, "put_rules", "policy").code, Code::kUnimplemented)
        << peer.principal << " could load code: it gives rights";
  }
  policy_->forbid(
      "Principal::\"user:ann\" Action::\"call\" "
      "Operation::\"hector.Policy/1.put_rules\"");
  EXPECT_EQ(arrives(proved("user:ann"), "put_rules", "policy").code, Code::kPermissionDenied);
  for (const char* operation : {"put", "remove", "replace_bundle", "set_chain", "remove_rules",
                                "put_entity", "remove_entity", "put_schema"}) {
    policy_->forbid(std::string("Principal::\"capsule:south\" Action::\"call\" "
                                "Operation::\"hector.Policy/1.") +
                    operation + "\"");
    EXPECT_EQ(arrives(proved("capsule:south"), operation, "policy").code, Code::kPermissionDenied)
        << operation;
  }
}

TEST_F(RightsOfCalls, AreTheSameForManyThreadsWhileTheyChange) {
  load_policy();
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Peer peer = proved("capsule:south" + std::to_string(t % 2));
      while (!is_over) {
        const Code code = arrives(peer, "other").code;
        if (code != Code::kOk && code != Code::kPermissionDenied) ++wrong;
      }
    });
  }
  const std::string right =
      "Principal::\"capsule:south0\" Action::\"call\" Operation::\"k.Worker/1.other\"";
  for (int i = 0; i < 3; ++i) {
    policy_->forbid(right);
    EXPECT_TRUE(waiting::until(
        [&] { return arrives(proved("capsule:south0"), "other").code == Code::kPermissionDenied; },
        std::chrono::seconds(2)));
    policy_->permit(right);
    EXPECT_TRUE(
        waiting::until([&] { return arrives(proved("capsule:south0"), "other").code == Code::kOk; },
                       std::chrono::seconds(2)));
  }
  is_over = true;
  for (auto& each : threads) each.join();
  EXPECT_EQ(wrong, 0);
}

TEST(RightsCacheTest, ForgetsWithTheGenerationAndTellsKeysApart) {
  RightsCache cache;
  std::string why;
  const CallKey key{1, 2, Security::kPrivacy, "capsule:a", "", "tls"};
  EXPECT_EQ(cache.find(key, 1, why), RightsCache::Known::kNot);
  cache.put(key, 1, {false, "no"});
  EXPECT_EQ(cache.find(key, 1, why), RightsCache::Known::kDenied);
  EXPECT_EQ(why, "no");
  EXPECT_EQ(cache.find(key, 2, why), RightsCache::Known::kNot);
  for (CallKey other : {CallKey{2, 2, Security::kPrivacy, "capsule:a", "", "tls"},
                        {1, 3, Security::kPrivacy, "capsule:a", "", "tls"},
                        {1, 2, Security::kNone, "capsule:a", "", "tls"},
                        {1, 2, Security::kPrivacy, "capsule:b", "", "tls"},
                        {1, 2, Security::kPrivacy, "capsule:a", "x", "tls"},
                        {1, 2, Security::kPrivacy, "capsule:a", "", "udp"}})
    EXPECT_EQ(cache.find(other, 1, why), RightsCache::Known::kNot);
  for (std::uint64_t i = 0; i < 3 * RightsCache::kPlaces; ++i) {
    const CallKey each{i, 0, Security::kNone, "p", "", "udp"};
    if (cache.put(each, 3, {true, ""})) cache.free_replaced();
    EXPECT_EQ(cache.find(each, 3, why), RightsCache::Known::kAllowed) << i;
  }
}

}  // namespace
}  // namespace hector
