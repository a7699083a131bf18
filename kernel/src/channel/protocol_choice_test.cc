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

}  // namespace
}  // namespace hector
