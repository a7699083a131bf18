// What: tests of Gate with a Policy that the test plays.
// Why: a call that Policy has not permitted must not enter, whatever fails.
// Who: ctest, in foreign_objects_test.
#include "objects/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/message_calls.h"
#include "hector/service/v1/policy.pb.h"
#include "objects/played_hosting.h"
#include "simulation.h"
#include "target_handle.h"

namespace hector::objects {
namespace {

using hector::testing::Simulation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Keeps the questions; the test answers.
class PlayedPolicy final : public Target {
 public:
  void start(Call& call) noexcept override {
    service::v1::PolicyAuthorisation question;
    EXPECT_TRUE(question.ParseFromString(call.request.bytes().str()));
    questions.push_back(question);
    calls.push_back(&call);
  }
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void answer(bool allowed, const std::vector<std::string>& reasons = {}) {
    service::v1::PolicyDecision decision;
    decision.set_allowed(allowed);
    for (const auto& each : reasons) decision.add_reasons(each);
    take().complete(write_message(decision));
  }
  void fail_with(Error error) { take().fail(std::move(error)); }
  std::vector<service::v1::PolicyAuthorisation> questions;
  std::vector<Call*> calls;

 private:
  Call& take() {
    Call& call = *calls.front();
    calls.erase(calls.begin());
    return call;
  }
  InterfacePtr interface_;
  Reference reference_;
};

class PlayedCapsule final : public testing::PlayedHosting {
 public:
  using PlayedHosting::PlayedHosting;
  Result<std::unique_ptr<Target>> resolve(std::string_view who) override {
    ++resolved;
    EXPECT_EQ(who, "policy");
    if (!policy) return fail(Error::not_found("no 'policy'"));
    return std::make_unique<hector::testing::TargetHandle>(*policy);
  }
  std::unique_ptr<PlayedPolicy> policy = std::make_unique<PlayedPolicy>();
  int resolved = 0;
};

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    context.clock = &world;
    context.hosting = &capsule;
  }
  void ask(Use use = Use::kCall) {
    gate->ask(use, "camera", "expose", [this](Status said) {
      ++answers;
      answer = std::move(said);
    });
  }
  Simulation world{1};
  PlayedCapsule capsule{world, world, world};
  ProtocolContext context;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>(context, "Realm::\"heros\"", true);
  int answers = 0;
  Status answer;
};

TEST_F(GateTest, AsksNobodyWhereItIsOpen) {
  gate = std::make_shared<Gate>(context, "Realm::\"heros\"", false);
  ask();
  EXPECT_EQ(answers, 1);
  EXPECT_TRUE(answer);
  EXPECT_EQ(capsule.resolved, 0);
  EXPECT_EQ(gate->reference_of("camera")->object, "camera");
}

TEST_F(GateTest, AsksPolicyWithPrincipalActionAndResource) {
  ask(Use::kGet);
  ASSERT_EQ(capsule.policy->questions.size(), 1U);
  const auto& question = capsule.policy->questions[0];
  EXPECT_EQ(question.principal(), "Realm::\"heros\"");
  EXPECT_EQ(question.action(), "get");
  EXPECT_EQ(question.resource(), "Object::\"camera\"");
  EXPECT_EQ(question.context(), "{\"member\": \"expose\"}");
  EXPECT_EQ(answers, 0) << "it waits for the answer";
  capsule.policy->answer(true);
  EXPECT_TRUE(answers == 1 && answer);
}

TEST_F(GateTest, ResolvesPolicyOnceAndAgainAfterAFailure) {
  ask();
  capsule.policy->answer(true);
  ask();
  capsule.policy->fail_with(Error::unavailable("it ended"));
  EXPECT_EQ(capsule.resolved, 1);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  ask();
  EXPECT_EQ(capsule.resolved, 2);
  capsule.policy->answer(true);
  EXPECT_TRUE(answer);
}

TEST_F(GateTest, RefusesWithThePoliciesThatDecided) {
  ask();
  capsule.policy->answer(false, {"night", "guests"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kPermissionDenied);
  EXPECT_THAT(answer.error().message,
              HasSubstr("may not call 'expose' of 'camera': forbidden by night, guests"));
  EXPECT_THAT(answer.error().reasons, ElementsAre("night", "guests"));
  ask();
  capsule.policy->answer(false);
  EXPECT_THAT(answer.error().message, HasSubstr("no policy permits it"));
}

TEST_F(GateTest, RefusesWhereThereIsNoPolicy) {
  capsule.policy.reset();
  ask();
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("no Policy service"));
}

TEST_F(GateTest, TellsNoWayAroundItWhereItIsShut) {
  EXPECT_EQ(gate->reference_of("camera").error().code, Code::kPermissionDenied);
}

}  // namespace
}  // namespace hector::objects
