// What may be put among rights: up to a number of sets of policies, and in place of what is there.
#include "rights_changes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hector::policy {
namespace {

constexpr const char* kPermit = "permit (principal, action, resource);";

v1::PolicyRules rules(const std::string& name, const std::string& text = kPermit) {
  v1::PolicyRules made;
  made.set_name(name);
  made.set_text(text);
  return made;
}

void put(Rights& rights, const std::string& key, const google::protobuf::Message& value) {
  StoreEvent event;
  event.entry.key = key;
  event.entry.value = Bytes::take(value.SerializeAsString());
  rights.apply(event);
}

TEST(RightsChanges, ReplacesASetOfPoliciesWhereThereAreAsManyAsMayBe) {
  Rights rights;
  for (std::size_t i = 0; i < Rights::kSetsMax; ++i)
    put(rights, fmt::format("p/set{}", i), rules(fmt::format("set{}", i)));
  const auto refused = plan_put_rules(rights, rules("one more"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(plan_put_rules(rights, rules("set7", "forbid (principal, action, resource);")));
}

TEST(RightsChanges, RefusesWhatCannotBeReadAndWhatHasNoName) {
  const Rights rights;
  for (const auto& wrong : {rules("a", "permit"), rules(""), rules(std::string(201, 'a'))}) {
    const auto refused = plan_put_rules(rights, wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().type, "BAD_POLICY");
  }
}

}  // namespace
}  // namespace hector::policy
