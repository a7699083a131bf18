// What: PlanBuilder on parts of a Binding that fit its type, and on parts that do not.
// Why: what a plan takes over from the one before decides which calls survive a change.
// Who: kernel_test.
#include "party/plan_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector::party {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kTypes = R"(interface: t.Caller/1
messages: [google/protobuf/wrappers.proto]
operations: {told: {kind: announce, in: google.protobuf.StringValue}}
initiates:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  tell: {kind: announce, in: google.protobuf.StringValue}
---
interface: t.Worker/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  tell: {kind: announce, in: google.protobuf.StringValue}
initiates: {told: {kind: announce, in: google.protobuf.StringValue}}
---
binding: t.Pair/1
roles: {caller: {interface: t.Caller/1}, worker: {interface: t.Worker/1, cardinality: 1..9}}
interactions:
  ask:  {kind: rpc, from: caller, to: worker, operation: ask}
  tell: {kind: multicast, from: caller, to: worker, operation: tell}
  told: {kind: announce, from: worker, to: caller, operation: told}
protocol: (ask | tell | told)*
)";

class NoTarget final : public CallTarget {
 public:
  void start(Call&) noexcept override {}
};

class PlanBuilderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto loaded = types_.load_text(kTypes, "plan.hector.yaml", "");
    ASSERT_TRUE(loaded) << loaded.error().text();
    type_ = *types_.binding("t.Pair/1");
    offer_.object = "caller";
    offer_.interface = *types_.interface("t.Caller/1");
    timers_.belong_to(owner_);
    builder_ = std::make_unique<PlanBuilder>(PlanBuilder::Options{
        .types = types_,
        .policies = policies_,
        .interceptors = interceptors_,
        .clock = world_,
        .capsule = capsule_,
        .type = type_,
        .self = {0, 0},
        .offer = offer_,
        .arrivals = arrivals_,
        .make_target = [](std::uint32_t, std::uint32_t) { return std::make_unique<NoTarget>(); },
        .breach = [](const ChannelSpec&, const std::string&, const std::string&) {}});
  }
  /// The caller's part with as many workers; Offer 100 plays the first, and so on.
  PartySpec part(std::uint32_t workers) const {
    PartySpec spec;
    spec.type = type_;
    spec.role = "caller";
    spec.roles.push_back({"caller", {}, 1, {}});
    spec.roles.push_back({"worker", {}, workers, {}});
    spec.interfaces.push_back((*types_.interface("t.Worker/1"))->typed_model());
    for (std::uint32_t m = 0; m < workers; ++m) {
      Reference party;
      party.offer = 100 + m;
      party.principal = "capsule:c/w" + std::to_string(m);
      spec.roles[1].members.push_back(party);
      spec.channels.push_back({"worker", m, party, {kInProcess, "c"}, "here", SessionId{7 + m}, 0});
    }
    return spec;
  }
  std::unique_ptr<Plan> build(const PartySpec& spec, const Plan* before = nullptr) {
    auto made = builder_->build(spec, before, nullptr);
    EXPECT_TRUE(made) << made.error().text();
    return made ? std::move(*made) : nullptr;
  }
  std::string refusal(const PartySpec& spec) {
    auto made = builder_->build(spec, nullptr, nullptr);
    return made ? "built" : made.error().text();
  }

  testing::Simulation world_{1};
  std::shared_ptr<int> owner_ = std::make_shared<int>();
  const std::string capsule_ = "c";
  Policies policies_{{}};
  types::Repository types_;
  InterceptorTable interceptors_;
  hector::type::v1::Binding type_;
  Offer offer_;
  Timers timers_{world_, world_};
  Arrivals arrivals_{timers_, [](Arrivals::Sender&) {}};
  std::unique_ptr<PlanBuilder> builder_;
};

TEST_F(PlanBuilderTest, MakesAStubForEachMemberThatIsThere) {
  PartySpec spec = part(3);
  spec.roles[1].absent = {1};
  spec.channels.erase(spec.channels.begin() + 1);
  const auto plan = build(spec);
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(plan->receivers(0), ElementsAre(0, 2));
  EXPECT_EQ(plan->stub(0, 1), nullptr);
  EXPECT_EQ(plan->stub(0, 3), nullptr);
  EXPECT_EQ(plan->stub(9, 0), nullptr);
  EXPECT_EQ(plan->stub(0, 2)->operation->name, "ask");
  EXPECT_EQ(plan->stub(0, 2)->channel->to, (Place{1, 2}));
  EXPECT_TRUE(plan->interactions[1].is_multicast);
  EXPECT_EQ(plan->interactions[2].own->name, "told");
  EXPECT_THAT(plan->receivers(2), ElementsAre()) << "it does not start that one";
}

TEST_F(PlanBuilderTest, KnowsWhoSends) {
  const auto plan = build(part(2));
  ASSERT_NE(plan->sender({1, 1}), nullptr);
  EXPECT_EQ(plan->sender({1, 1})->peer.load()->principal, "capsule:c/w1");
  EXPECT_EQ(plan->sender({0, 0}), nullptr) << "its own role sends it nothing";
  EXPECT_EQ(plan->sender({1, 2}), nullptr);
}

TEST_F(PlanBuilderTest, TakesOverTheChannelsToPartnersThatStay) {
  const auto first = build(part(2));
  PartySpec spec = part(2);
  spec.channels[1].party.offer = 555;
  const auto second = build(spec, first.get());
  EXPECT_EQ(second->channel_to({1, 0}), first->channel_to({1, 0}));
  EXPECT_NE(second->channel_to({1, 1}), first->channel_to({1, 1}));
  EXPECT_EQ(second->sender({1, 1}), first->sender({1, 1})) << "its messages are counted as before";
}

TEST_F(PlanBuilderTest, KeepsWhatProgramsHoldOnTo) {
  const auto first = build(part(2));
  const auto second = build(part(3), first.get());
  EXPECT_EQ(second->targets[0][1], first->targets[0][1]);
  EXPECT_EQ(second->stub(0, 0)->operation, first->stub(0, 0)->operation);
}

TEST_F(PlanBuilderTest, PutsPolicysInterceptorsOnAChannel) {
  policies_.configure(
      {{"t.Pair.worker.interceptors", {"metrics"}}, {"t.Pair.worker.transparencies", {"access"}}});
  interceptors_.add_own(world_);
  const auto plan = build(part(1));
  ASSERT_NE(plan, nullptr);
  EXPECT_TRUE(plan->channel_to({1, 0})->metrics());
  EXPECT_TRUE(plan->channel_to({1, 0})->hides.access);
  EXPECT_FALSE(plan->channel_to({1, 0})->hides.failure);
  EXPECT_TRUE(builder_->interceptors_for("caller")->empty());
}

TEST_F(PlanBuilderTest, RefusesAPartThatDoesNotFitItsType) {
  PartySpec spec = part(1);
  spec.roles.pop_back();
  EXPECT_THAT(refusal(spec), HasSubstr("must name all its roles"));
  spec = part(2);
  spec.channels.pop_back();
  EXPECT_THAT(refusal(spec), HasSubstr("no channel to member 1 of role 'worker' was planned"));
  spec = part(1);
  spec.channels[0].role = "boss";
  EXPECT_THAT(refusal(spec), HasSubstr("unknown role"));
  spec = part(1);
  spec.channels[0].interface = 1;
  EXPECT_THAT(refusal(spec), HasSubstr("without an Interface"));
  spec = part(1);
  spec.interfaces[0] = (*types_.interface("t.Caller/1"))->typed_model();
  EXPECT_THAT(refusal(spec), HasSubstr("a party of role 'worker' has no operation 'ask'"));
}

TEST_F(PlanBuilderTest, RefusesOneMemberOverTheLimit) {
  PartySpec spec = part(1);
  spec.roles[0].numbers = PlanBuilder::kMembersMax;
  EXPECT_EQ(refusal(spec), "built");
  ++spec.roles[0].numbers;
  EXPECT_THAT(refusal(spec), HasSubstr("RESOURCE_EXHAUSTED: role 'caller' has 65536 members"));
}

TEST_F(PlanBuilderTest, AnInterceptorNobodyKnowsIsNamed) {
  policies_.configure({{"t.Pair.worker.interceptors", {"metric"}}});
  interceptors_.add_own(world_);
  EXPECT_THAT(refusal(part(1)), HasSubstr("'metric' (did you mean 'metrics'?)"));
}

TEST_F(PlanBuilderTest, ThePresentPlanIsFoundInItsSlot) {
  PlanSlot slot;
  auto first = build(part(1));
  const Plan* const one = first.get();
  slot.put(std::move(first));
  EXPECT_EQ(&slot.now(), one);
  const OutChannelPtr kept = one->channel_to({1, 0});
  PartySpec spec = part(1);
  spec.channels[0].party.offer = 555;
  slot.put(build(spec, one));
  EXPECT_EQ(slot.now().channel_to({1, 0})->party.offer, 555U);
  EXPECT_GE(kept.use_count(), 2) << "calls in flight still end on it";
}

}  // namespace
}  // namespace hector::party
