// What: tests of Decisions.
// Why: a decision that is remembered wrongly lets in whom a policy keeps out.
// Who: ctest, in policy_test.
#include "decisions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hector::policy {
namespace {

v1::PolicyDecision allowed_by(const std::string& name) {
  v1::PolicyDecision decision;
  decision.set_allowed(true);
  decision.add_reasons(name);
  return decision;
}

TEST(Decisions, AreFoundByEveryPartOfTheirQuestion) {
  v1::PolicyAuthorisation asked;
  asked.set_principal("ab");
  asked.set_action("c");
  auto moved = asked;
  moved.set_principal("a");
  moved.set_action("bc");
  auto within = asked;
  within.set_context("{}");
  Decisions decisions;
  decisions.put(Decisions::key_of(asked), allowed_by("x"));
  EXPECT_EQ(decisions.find(Decisions::key_of(asked))->reasons(0), "x");
  EXPECT_FALSE(decisions.find(Decisions::key_of(moved)));
  EXPECT_FALSE(decisions.find(Decisions::key_of(within)));
  decisions.clear();
  EXPECT_FALSE(decisions.find(Decisions::key_of(asked)));
}
TEST(Decisions, KeepWhatIsAskedAndForgetWhatIsNot) {
  Decisions decisions;
  decisions.put("kept", allowed_by("kept"));
  decisions.put("left", allowed_by("left"));
  for (std::size_t i = 0; i < 4 * Decisions::kGenerationMax; ++i) {
    decisions.put(fmt::format("{}", i), allowed_by("x"));
    ASSERT_TRUE(decisions.find("kept")) << i;
    ASSERT_LE(decisions.size(), 2 * Decisions::kGenerationMax);
  }
  EXPECT_FALSE(decisions.find("left"));
}
TEST(Decisions, KeepNothingLarge) {
  Decisions decisions;
  decisions.put(std::string(Decisions::kOctetsMax, 'x'), allowed_by("x"));
  decisions.put("x", allowed_by(std::string(Decisions::kOctetsMax, 'x')));
  EXPECT_EQ(decisions.size(), 0U);
}

}  // namespace
}  // namespace hector::policy
