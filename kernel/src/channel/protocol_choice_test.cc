#include "channel/protocol_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ProtocolCapabilities can(double latency_us, double cost_us, Reach reach, Security security) {
  ProtocolCapabilities capabilities;
  capabilities.latency_us = latency_us;
  capabilities.cost_us = cost_us;
  capabilities.reach = reach;
  capabilities.security = security;
  return capabilities;
}

class Policy : public ::testing::Test {
 protected:
  Result<ProtocolChoice> choose(const std::vector<PolicyEntry>& policy) {
    const std::string binding = "t.B", role = "worker";
    const std::vector<Profile> offered{{"slow", "s"}, {"far", "f"}, {"near", "n"}, {"odd", "o"}};
    const Policies policies(policy);
    return choose_protocol({.policies = policies,
                            .binding = binding,
                            .role = role,
                            .offered = offered,
                            .here = {"near", "far", "slow", "odd"},
                            .unfit = unfit_,
                            .known = {{"near", can(5, 9, Reach::kHost, Security::kNone)},
                                      {"far", can(40, 3, Reach::kEverywhere, Security::kNone)},
                                      {"slow", can(90, 3, Reach::kSite, Security::kPrivacy)}}});
  }
  std::string chosen(const std::vector<PolicyEntry>& policy) {
    auto choice = choose(policy);
    return choice ? choice->profile.protocol : choice.error().text();
  }
  std::map<std::string, std::string> unfit_;
};

TEST_F(Policy, TakesTheReferencesOrderUnlessItSaysAnother) {
  EXPECT_EQ(chosen({}), "slow");
  EXPECT_EQ(chosen({{"*protocols", {"near", "far"}}}), "near");
  EXPECT_EQ(chosen({{"*protocols", {"near", "far"}}, {"t.B.worker.protocols", {"far"}}}), "far")
      << "the more specific entry";
}

TEST_F(Policy, OrdersByClassesTheFirstOneFirst) {
  EXPECT_EQ(chosen({{"*prefer", {"latency"}}}), "near");
  EXPECT_EQ(chosen({{"*prefer", {"cost", "latency"}}}), "far") << "as cheap as slow, and faster";
  EXPECT_EQ(chosen({{"*prefer", {"privacy"}}}), "slow");
  EXPECT_EQ(chosen({{"*prefer", {"reach"}}}), "far");
  EXPECT_EQ(chosen({{"*prefer", {"latency"}}, {"*protocols", {"slow", "far"}}}), "far")
      << "among those it names";
  EXPECT_THAT(choose({{"*prefer", {"latency"}}})->why,
              HasSubstr("policy '*prefer: latency' orders them near, far, slow, odd"));
  EXPECT_THAT(
      chosen({{"*prefer", {"latancy"}}}),
      HasSubstr("'latancy' (did you mean 'latency'?); classes are latency, cost, privacy, reach"));
}

TEST_F(Policy, SaysOfEachProtocolWhyItWasNotChosen) {
  unfit_["near"] = "it keeps nothing private";
  auto choice = choose({{"*protocols", {"near", "other", "far"}}});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->profile.protocol, "far");
  EXPECT_THAT(
      choice->refused,
      ElementsAre("near: it keeps nothing private", "other: the offering capsule does not have it",
                  "slow: policy does not name it", "odd: policy does not name it"));
}

class SaidByService final : public PolicyService {
 public:
  Result<PolicyValue> get(const std::string&, const std::string& class_name,
                          const std::string&) override {
    classes = class_name;
    if (is_away) return fail(Error::unavailable("it is away"));
    if (value.value.empty()) return fail(Error::not_found("NO_MATCH"));
    return value;
  }
  Status put(const std::string&, const std::string&, const std::string&, bool) override {
    return {};
  }
  PolicyValue value;
  std::string classes;
  bool is_away = false;
};

std::vector<std::string> lines(const std::vector<PolicyCandidate>& candidates) {
  std::vector<std::string> all;
  for (const auto& each : candidates)
    all.push_back((each.counts ? "> " : "  ") + each.key + " " + each.text + " " + each.source +
                  ": " + each.why);
  return all;
}

TEST(PolicyExplanation, NamesTheOneThatAskGivesAndWhyTheOthersDoNotCount) {
  const std::vector<PolicyEntry> own{{"*protocols", {"udp", "grpc"}},
                                     {"a.B.room.protocols", {"grpc"}},
                                     {"*room.protocols", {"zenoh"}},
                                     {"*room.protocols", {"local"}},
                                     {"*prefer", {"latency"}}};
  Policies policies(own);
  SaidByService service;
  policies.use(&service);
  const auto explained = [&] { return lines(policies.explain("a.B", "room", "protocols")); };
  EXPECT_THAT(explained(),
              ElementsAre("> a.B.room.protocols grpc configuration: the most specific one",
                          "  *room.protocols local configuration: another one is more specific",
                          "  *room.protocols zenoh configuration: another one is more specific",
                          "  *protocols udp grpc configuration: another one is more specific",
                          "   the order of the reference built in: an entry matches"));
  EXPECT_EQ(service.classes, "Binding.Binding.Role.Protocols");
  service.value = {"near, far", "capsule:x", "*protocols", false, 1};
  EXPECT_THAT(explained(), ::testing::Contains("  *protocols near, far capsule:x: the capsule's "
                                               "configuration comes before it"));
  EXPECT_EQ(policies.ask("a.B", "room", "protocols").key, "a.B.room.protocols");
  for (const auto& [context, is_final, why] :
       {std::tuple("object:o", false, "it is the Object's own"),
        {"enterprise", true, "it is final"}}) {
    service.value.context = context;
    service.value.is_final = is_final;
    EXPECT_EQ(explained()[0], "> *protocols near, far " + std::string(context) + ": " + why);
    EXPECT_EQ(explained()[1],
              "  a.B.room.protocols grpc configuration: the service's entry comes before it");
    EXPECT_THAT(policies.ask("a.B", "room", "protocols").values, ElementsAre("near", "far"));
  }
}
TEST(PolicyExplanation, SaysWhatIsBuiltInWhereNothingElseIsSaid) {
  const std::vector<PolicyEntry> own;
  Policies policies(own);
  EXPECT_THAT(lines(policies.explain("a.B", "room", "principals")),
              ElementsAre(">  any principal may play the role built in: no entry matches"));
  SaidByService service;
  service.value = {"udp", "enterprise", "*protocols", false, 1};
  policies.use(&service);
  EXPECT_THAT(lines(policies.explain("a.B", "room", "protocols")),
              ElementsAre("> *protocols udp enterprise: the capsule's configuration has no entry "
                          "that matches",
                          "   the order of the reference built in: an entry matches"));
  service.is_away = true;
  EXPECT_THAT(lines(policies.explain("a.B", "room", "protocols")),
              ElementsAre(">  the order of the reference built in: no entry matches; the Policy "
                          "service is not reached: it is away"));
  service.is_away = false;
  EXPECT_THAT(policies.explain("a.B", "room", "colour"), ::testing::SizeIs(1))
      << "what the service says, and nothing built in";
}

}  // namespace
}  // namespace hector
