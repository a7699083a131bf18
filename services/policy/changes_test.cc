// What: plans that change policies, and typed values.
// Why: what is refused must be refused before it is in the store.
// Who: ctest.
#include "changes.h"

#include <gtest/gtest.h>

#include "typed_value.h"

namespace hector::policy {
namespace {

v1::PolicyChain chain(const std::string& context, const std::vector<std::string>& next) {
  v1::PolicyChain made;
  made.set_context(context);
  for (const auto& each : next) made.add_contexts(each);
  return made;
}

class PolicyChanges : public ::testing::Test {
 protected:
  Contexts contexts_{[] { return 0; }};
  const Place place_{"north", "host", "local"};
  const std::vector<std::string> no_keys_;
};

TEST_F(PolicyChanges, RefuseAChainThatComesBackToItsContext) {
  const auto planned = plan_chain(contexts_, place_, chain("enterprise", {"host:a", "enterprise"}));
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().type, "CYCLE");
}
TEST_F(PolicyChanges, TakeAValueOfTheLimitAndNoOctetMore) {
  v1::PolicyEntry entry;
  entry.set_context("enterprise");
  entry.set_spec("*a.b");
  entry.set_value(std::string(64 * 1024, 'x'));
  EXPECT_TRUE(plan_put(entry));
  entry.set_value(std::string(64 * 1024 + 1, 'x'));
  ASSERT_FALSE(plan_put(entry));
  EXPECT_EQ(plan_put(entry).error().type, "BAD_SPEC");
}
TEST_F(PolicyChanges, RefuseToRemoveWhatIsNotThere) {
  v1::PolicySpec asked;
  asked.set_context("enterprise");
  asked.set_spec("*a.b");
  EXPECT_EQ(plan_remove(contexts_, asked).error().code, Code::kNotFound);
}
TEST_F(PolicyChanges, RefuseABundleThatNoTrustedKeySigned) {
  v1::PolicyBundle bundle;
  bundle.set_context("enterprise");
  bundle.set_text("! version: 1\n*a: b\n");
  EXPECT_EQ(plan_bundle(contexts_, {no_keys_, 0}, bundle).error().type, "BAD_SIGNATURE");
}

bool reads(const std::string& type, const std::string& text) {
  v1::PolicyTyped typed;
  return read_typed(type, text, typed);
}

TEST(TypedValue, ReadsDurationsInTheirUnits) {
  v1::PolicyTyped typed;
  ASSERT_TRUE(read_typed("duration", "1.5 s", typed));
  EXPECT_EQ(typed.integer(), 1500);
  ASSERT_TRUE(read_typed("duration", "2 min", typed));
  EXPECT_EQ(typed.integer(), 120'000);
  EXPECT_FALSE(reads("duration", "2 weeks"));
}
TEST(TypedValue, RefusesTextsThatAreNoValue) {
  EXPECT_TRUE(reads("boolean", "Yes"));
  EXPECT_FALSE(reads("boolean", "perhaps"));
  EXPECT_TRUE(reads("integer", "-3"));
  EXPECT_FALSE(reads("integer", "3 apples"));
  EXPECT_FALSE(reads("colour", "red"));
}
TEST(TypedValue, SplitsListsAtBlanksAndCommas) {
  v1::PolicyTyped typed;
  ASSERT_TRUE(read_typed("list", " udp, grpc\tzenoh ", typed));
  ASSERT_EQ(typed.list_size(), 3);
  EXPECT_EQ(typed.list(2), "zenoh");
}

}  // namespace
}  // namespace hector::policy
