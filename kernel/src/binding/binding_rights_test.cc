// What: rights at Bindings, with a Policy that says what the test says: what is asked, that nothing
// is permitted unless it answers yes, what a live Binding does when rights change.
// Why: a right that was never given, or was taken away, may not be had through a Binding.
// Who: ctest.
#include "binding/binding_rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "base/testing/waiting.h"
#include "fake_policy.h"
#include "hector/binding/v1/binding.pb.h"
#include "hector/kernel.h"
#include "hector/system.h"

namespace hector {
namespace {

namespace b = binding::v1;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr const char* kTypes = R"(interface: r.Caller/1
messages: [google/protobuf/wrappers.proto]
initiates:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
interface: r.Worker/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
binding: r.Team/1
roles: {caller: {interface: r.Caller/1}, worker: {interface: r.Worker/1, cardinality: 1..3}}
interactions:
  ask:  {kind: rpc, from: caller, to: worker, operation: ask}
protocol: ask*
)";

class Actor final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(Payload(Bytes::copy("ok"))); }
  void bound(Session& given) noexcept override { session = given.shared(); }
  void unbound(Session&) noexcept override { session.reset(); }
  Error ask(const Clock& clock, std::uint32_t member) {
    WaitedCall call;
    call.header.deadline = clock.now() + std::chrono::seconds(2);
    call.run(session->call_target(0, member), clock);
    return call.error ? *call.error : Error{Code::kOk, ""};
  }
  std::shared_ptr<Session> session;
};

class RightsAtBindings : public ::testing::Test {
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
    options.audit = [this](const AuditEvent& event) -> Status {
      const std::lock_guard lock(mutex_);
      audit_.push_back(event);
      return {};
    };
    kernel_ = Kernel::make(options);
    const std::string path = ::testing::TempDir() + "hector-rights.yaml";
    std::ofstream(path) << kTypes;
    ASSERT_TRUE(kernel_->load_types(path));
    ann_ = adopt("ann", "r.Caller/1");
    for (const char* each : {"bob", "cy"}) adopt(each, "r.Worker/1");
  }
  void stop() {
    if (kernel_) kernel_->drain();
    kernel_.reset();
  }
  void TearDown() override { stop(); }
  void load_policy() {
    ASSERT_TRUE(kernel_->add_service("policy", std::make_unique<testing::FakePolicy>(policy_)));
  }
  Actor* adopt(const std::string& name, const char* interface) {
    auto made = std::make_unique<Actor>();
    Actor* const kept = made.get();
    EXPECT_TRUE(kernel_->adopt_object(name, *kernel_->interface(interface), std::move(made),
                                      ThreadModel::kPooled, false));
    return kept;
  }
  Result<std::uint64_t> bind(const std::vector<std::string>& workers = {"bob", "cy"}) {
    BindRequest request{"r.Team/1", {{"caller", "ann"}}};
    for (const auto& each : workers) request.parties.push_back({"worker", each});
    return kernel_->capsule().bind(request);
  }
  std::vector<std::string> why_not() {
    const auto bound = bind();
    if (bound) return {"it was bound"};
    EXPECT_EQ(bound.error().code, Code::kPermissionDenied) << bound.error().text();
    EXPECT_THAT(bound.error().message, HasSubstr("authorise of r.Team/1"));
    return bound.error().reasons;
  }
  std::vector<std::string> denials(std::uint64_t binding) {
    char id[17];
    std::snprintf(id, sizeof id, "%016lx", static_cast<unsigned long>(binding));
    auto control = kernel_->capsule().resolve(std::string("_binding-") + id);
    if (!control) return {"it has ended"};
    const auto events =
        call_and_wait<b::Events>(**control, *clock_, kByName, "events", b::EventsRequest(),
                                 clock_->now() + std::chrono::seconds(2));
    std::vector<std::string> found;
    if (!events) return {"it has ended"};
    for (const auto& each : events->events()) {
      if (each.kind() == "denied") found.push_back(each.text());
    }
    return found;
  }
  bool was_recorded(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    return std::any_of(audit_.begin(), audit_.end(), [&](const AuditEvent& event) {
      return event.action == "take rights away" && !event.reasons.empty() &&
             event.reasons.front().find(reason) != std::string::npos;
    });
  }

  const std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "c");
  const std::unique_ptr<Clock> clock_ = make_system_clock();
  const std::unique_ptr<Random> random_ = make_system_random();
  const std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
  const std::unique_ptr<Network> network_ = make_system_network(*clock_, *log_);
  const std::shared_ptr<testing::FakePolicy::Shared> policy_ =
      std::make_shared<testing::FakePolicy::Shared>();
  std::mutex mutex_;
  std::vector<AuditEvent> audit_;
  std::unique_ptr<Kernel> kernel_;
  Actor* ann_ = nullptr;
};

constexpr const char* kBobPlays =
    "Principal::\"capsule:c/bob\" Action::\"play\" Role::\"r.Team/1.worker\"";
constexpr const char* kCyPlays =
    "Principal::\"capsule:c/cy\" Action::\"play\" Role::\"r.Team/1.worker\"";
constexpr const char* kAnnPlays =
    "Principal::\"capsule:c/ann\" Action::\"play\" Role::\"r.Team/1.caller\"";
constexpr const char* kAnnAsks =
    "Principal::\"capsule:c/ann\" Action::\"call\" Operation::\"r.Worker/1.ask\"";

TEST_F(RightsAtBindings, AskThatEachPartyPlaysAndThatWhoStartsMayCall) {
  load_policy();
  ASSERT_TRUE(bind({"bob"}));
  EXPECT_THAT(policy_->take_asked(), UnorderedElementsAre(kAnnPlays, kBobPlays, kAnnAsks));
}

TEST_F(RightsAtBindings, AreNotAskedUnlessTheyAreRequired) {
  start(RightsMode::kNotAsked);
  load_policy();
  policy_->forbid(kBobPlays);
  EXPECT_TRUE(bind());
  EXPECT_THAT(policy_->take_asked(), IsEmpty());
}

TEST_F(RightsAtBindings, AreRefusedWithEveryReason) {
  load_policy();
  policy_->forbid(kBobPlays);
  policy_->forbid(kAnnAsks);
  EXPECT_THAT(
      why_not(),
      ElementsAre("'bob' (capsule:c/bob) may not play role 'worker': forbidden by taken-away",
                  "'ann' (capsule:c/ann) as 'caller' may not call 'r.Worker/1.ask' of 'bob': "
                  "forbidden by taken-away",
                  "'ann' (capsule:c/ann) as 'caller' may not call 'r.Worker/1.ask' of 'cy': "
                  "forbidden by taken-away"));
}

TEST_F(RightsAtBindings, AreDeniedWithoutAPolicyService) {
  EXPECT_THAT(why_not(), Contains(HasSubstr("this capsule has no Policy service to ask")));
}

TEST_F(RightsAtBindings, AreDeniedByAPolicyThatCannotSay) {
  load_policy();
  policy_->is_broken = true;
  EXPECT_THAT(why_not(), Contains(HasSubstr("the Policy service cannot say: INTERNAL: out of")));
}

TEST_F(RightsAtBindings, AreAskedOfWhoJoins) {
  load_policy();
  policy_->forbid(kCyPlays);
  const auto binding = bind({"bob"});
  ASSERT_TRUE(binding);
  char id[17];
  std::snprintf(id, sizeof id, "%016lx", static_cast<unsigned long>(*binding));
  auto control = *kernel_->capsule().resolve(std::string("_binding-") + id);
  b::JoinRequest request;
  request.set_role("worker");
  request.set_who("cy");
  const auto joined = call_and_wait<b::Joined>(*control, *clock_, kByName, "join", request,
                                               clock_->now() + std::chrono::seconds(5));
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Code::kPermissionDenied);
  EXPECT_THAT(joined.error().reasons,
              ElementsAre(HasSubstr("'cy' (capsule:c/cy) may not play role 'worker'")));
}

TEST_F(RightsAtBindings, A8_AForbidThatIsAddedTakesAPartyOutOfALiveBinding) {
  load_policy();
  const auto binding = bind();
  ASSERT_TRUE(binding) << binding.error().text();
  ASSERT_EQ(ann_->ask(*clock_, 1).code, Code::kOk);
  policy_->forbid(kCyPlays);
  EXPECT_FALSE(bind()) << "at once";
  EXPECT_TRUE(waiting::until([&] { return !denials(*binding).empty(); }, std::chrono::seconds(1)));
  EXPECT_THAT(denials(*binding), ElementsAre("worker 1 had to leave: 'cy' (capsule:c/cy) may not "
                                             "play role 'worker': forbidden by taken-away"));
  EXPECT_EQ(ann_->ask(*clock_, 0).code, Code::kOk) << "the others go on";
  EXPECT_NE(ann_->ask(*clock_, 1).code, Code::kOk);
  EXPECT_TRUE(waiting::until([&] { return was_recorded("worker 1 had to leave"); },
                             std::chrono::seconds(1)));
}

TEST_F(RightsAtBindings, A8_AForbidThatIsAddedEndsABindingThatCannotBeWithoutTheParty) {
  load_policy();
  const auto binding = bind({"bob"});
  ASSERT_TRUE(binding) << binding.error().text();
  const auto session = ann_->session;
  policy_->forbid(kAnnAsks);
  EXPECT_TRUE(waiting::until([&] { return ann_->session == nullptr; }, std::chrono::seconds(1)));
  WaitedCall call;
  call.run(session->call_target(0, 0), *clock_);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kPermissionDenied);
  EXPECT_THAT(call.error->message, HasSubstr("forbidden by taken-away"));
  EXPECT_TRUE(waiting::until([&] { return was_recorded("the Binding ends: 'ann'"); },
                             std::chrono::seconds(1)));
  policy_->permit(kAnnAsks);
  EXPECT_FALSE(
      waiting::until([&] { return ann_->session != nullptr; }, std::chrono::milliseconds(600)))
      << "what was taken away does not come back by itself";
  EXPECT_TRUE(bind({"bob"}));
}

TEST_F(RightsAtBindings, LiveOnWhilePolicyIsSilentAndAreLookedAtWhenItIsBack) {
  load_policy();
  const auto binding = bind();
  ASSERT_TRUE(binding);
  policy_->refuse_questions(true);
  policy_->forbid(kCyPlays);
  EXPECT_FALSE(
      waiting::until([&] { return !denials(*binding).empty(); }, std::chrono::milliseconds(800)))
      << "a Policy that cannot say takes nothing away";
  EXPECT_FALSE(bind()) << "and gives nothing";
  policy_->refuse_questions(false);
  EXPECT_TRUE(waiting::until([&] { return !denials(*binding).empty(); }, std::chrono::seconds(1)));
}

TEST_F(RightsAtBindings, StayWhereOtherRightsChange) {
  load_policy();
  const auto binding = bind();
  ASSERT_TRUE(binding);
  static_cast<void>(policy_->take_asked());
  policy_->forbid("another one's");
  EXPECT_TRUE(
      waiting::until([&] { return policy_->take_asked().size() >= 4; }, std::chrono::seconds(1)))
      << "it was looked at again";
  EXPECT_THAT(denials(*binding), IsEmpty());
  EXPECT_EQ(ann_->ask(*clock_, 1).code, Code::kOk);
}

}  // namespace
}  // namespace hector
