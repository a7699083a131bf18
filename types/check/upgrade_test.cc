// What: tests of what a newer Binding type breaks: roles, numbers of members, orders.
// Why: what is not found here breaks players that were right, at run time.
// Who: ctest, in types_test.
#include "types/check/upgrade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

using hector::type::v1::Binding;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kInteractions{"a announce p q", "b announce q p"};

std::vector<std::string> found(const Binding& before, const Binding& after) {
  std::vector<Finding> findings;
  check_upgrade(before, after, findings);
  std::vector<std::string> texts;
  for (const auto& each : findings) texts.push_back(each.rule + ": " + each.text);
  return texts;
}
Binding older() { return test_binding({"p", "q"}, kInteractions, "a ; b"); }

TEST(Upgrade, ToTheSameTypeBreaksNobody) { EXPECT_THAT(found(older(), older()), IsEmpty()); }

TEST(Upgrade, ThatLeavesARoleOutBreaksItsPlayers) {
  const auto after = test_binding({"p", "x?"}, {"a announce p x", "b announce x p"}, "a ; b");
  EXPECT_THAT(found(older(), after), ElementsAre("roles: t.B.q: the role is gone"));
}

TEST(Upgrade, MayAddARoleThatNobodyHasToPlay) {
  const auto optional = test_binding({"p", "q", "r?"}, kInteractions, "a ; b");
  EXPECT_THAT(found(older(), optional), IsEmpty());
  const auto needed = test_binding({"p", "q", "r"}, kInteractions, "a ; b");
  EXPECT_THAT(found(older(), needed), ElementsAre("roles: t.B.r: a new role that is not optional"));
}

TEST(Upgrade, ToFewerMembersOrToOneMoreThatIsNeededBreaksBindings) {
  const auto one = test_binding({"p", "q"}, kInteractions, "");
  auto before = one;
  before.mutable_roles(1)->set_members_max(-1);
  EXPECT_THAT(found(before, one), ElementsAre("roles: t.B.q: it may have 1 members, it had 1..*"));
  EXPECT_THAT(found(one, before), IsEmpty()) << "more are allowed";
  auto needy = before;
  needy.mutable_roles(1)->set_members_min(2);
  EXPECT_THAT(found(before, needy),
              ElementsAre("roles: t.B.q: it may have 2..* members, it had 1..*"));
}

TEST(Upgrade, ToARoleThatIsNoLongerOptionalBreaksBindingsWithoutIt) {
  const auto before = test_binding({"p", "q", "r?"}, kInteractions, "a ; b");
  const auto after = test_binding({"p", "q", "r"}, kInteractions, "a ; b");
  EXPECT_THAT(found(before, after), ElementsAre("roles: t.B.r: it is no longer optional"));
}

TEST(Upgrade, ToAnotherOrderBreaksThoseThatKeepToTheOlder) {
  const auto after = test_binding({"p", "q"}, kInteractions, "b ; a");
  const auto texts = found(older(), after);
  EXPECT_THAT(texts, ::testing::Contains(HasSubstr("t.B.p: ")));
  EXPECT_THAT(texts, ::testing::Contains(HasSubstr("t.B.q: ")));
}

TEST(Upgrade, FindsAnOperationThatTheNewerOrderDoesNotKnow) {
  auto before =
      test_binding({"p", "q"}, {"a announce p q", "b announce q p", "c announce p q"}, "a ; b ; c");
  EXPECT_THAT(found(before, older()),
              ::testing::Contains(AllOf(HasSubstr("t.B.p: "), HasSubstr("'c'"))));
}

}  // namespace
}  // namespace hector::types
