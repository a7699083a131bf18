// What: what tokens say that are made here, and what none may say.
// Why: rights and lifetimes only shrink along a chain.
// Who: ctest, in authentication_test.
#include "minting.h"

#include <gmock/gmock.h>

#include "kit_world.h"
#include "rights.h"

namespace hector::authentication {
namespace {

using namespace testing;
using identity::TokenPlan;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Minting : public ::testing::Test {
 protected:
  static MintTerms terms(std::int64_t now_s = kNow) { return {"td", kAudience, now_s, "made"}; }
  static v1::Mint mint(std::uint32_t ttl_s = 0) {
    v1::Mint asked;
    asked.add_audiences("us");
    asked.set_ttl_s(ttl_s);
    return asked;
  }
  static v1::Delegation delegation(const std::string& to, const Rights& rights,
                                   std::uint32_t ttl_s = 0) {
    v1::Delegation asked;
    asked.set_principal(to);
    for (const auto& each : rights) asked.add_rights(each);
    asked.set_ttl_s(ttl_s);
    return asked;
  }
  static v1::Exchange exchange(const Rights& rights = {}, std::uint32_t ttl_s = 0) {
    v1::Exchange asked;
    asked.add_audiences(kAudience);
    for (const auto& each : rights) asked.add_rights(each);
    asked.set_ttl_s(ttl_s);
    return asked;
  }
  Shown shown(const TokenPlan& plan) { return *show(world_, plan); }
  Shown own(const std::string& name) { return shown(plan_for("spiffe://td/" + name)); }
  /// What `to` holds after `holder` has delegated to it.
  Result<TokenPlan> passed(const Shown& holder, const std::string& to, const Rights& rights) {
    const auto delegated =
        HECTOR_TRY(plan_delegation(delegation("spiffe://td/" + to, rights), holder, terms()));
    return plan_exchange(exchange(), shown(delegated), own(to), terms());
  }
  World world_;
};

TEST_F(Minting, GivesAPrincipalATokenForItsAudiences) {
  auto asked = mint(60);
  asked.set_bound_to(std::string(32, 'b'));
  const auto plan = plan_mint(asked, own("a"), terms());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->subject, "spiffe://td/a");
  EXPECT_THAT(plan->audiences, ElementsAre("us"));
  EXPECT_EQ(plan->expires_s, kNow + 60);
  EXPECT_EQ(plan->details.token_id, "made");
  EXPECT_EQ(plan->details.bound_to, std::string(32, 'b'));
  EXPECT_THAT(plan->details.origins, ElementsAre("token td one"));
}

TEST_F(Minting, LivesForFiveMinutesAtMost) {
  EXPECT_EQ(plan_mint(mint(), own("a"), terms())->expires_s, kNow + 300);
  EXPECT_EQ(plan_mint(mint(300), own("a"), terms())->expires_s, kNow + 300);
  EXPECT_EQ(name_of(plan_mint(mint(301), own("a"), terms())), "INVALID_ARGUMENT");
  EXPECT_EQ(plan_mint(mint(300), own("a"), terms(kNow + 290))->expires_s, kNow + 300)
      << "no longer than what it was made from";
  EXPECT_EQ(name_of(plan_mint(mint(), own("a"), terms(kNow + 300))), "EXPIRED")
      << "what only the clocks' difference keeps alive makes nothing";
}

TEST_F(Minting, IsForPrincipalsOfItsOwnDomain) {
  const auto other = identity::TokenKey::make();
  ASSERT_EQ(world_.trust("other", other), "OK");
  const auto holder = *show(world_, other.sign(plan_for("spiffe://other/a")));
  EXPECT_EQ(name_of(plan_mint(mint(), holder, terms())), "UNTRUSTED_DOMAIN");
  EXPECT_EQ(name_of(plan_mint(mint(), own("a"), {"", "", kNow, "made"})), "NO_DOMAIN");
}

TEST_F(Minting, HasOneToSixteenAudiences) {
  v1::Mint asked;
  EXPECT_EQ(name_of(plan_mint(asked, own("a"), terms())), "INVALID_ARGUMENT");
  for (int i = 0; i < 16; ++i) asked.add_audiences("us");
  EXPECT_EQ(name_of(plan_mint(asked, own("a"), terms())), "OK");
  asked.add_audiences("us");
  EXPECT_EQ(name_of(plan_mint(asked, own("a"), terms())), "INVALID_ARGUMENT");
  asked.mutable_audiences()->Clear();
  asked.add_audiences("");
  EXPECT_EQ(name_of(plan_mint(asked, own("a"), terms())), "INVALID_ARGUMENT");
}

TEST_F(Minting, OfADelegationIsForTheDelegateAlone) {
  const auto delegated =
      plan_delegation(delegation("spiffe://td/b", {"bind:*"}, 60), own("a"), terms());
  ASSERT_TRUE(delegated) << delegated.error().message;
  EXPECT_THAT(delegated->audiences, ElementsAre(kAudience));
  const auto token = shown(*delegated);
  const auto acting = plan_exchange(exchange(), token, own("b"), terms());
  ASSERT_TRUE(acting) << acting.error().message;
  EXPECT_EQ(acting->subject, "spiffe://td/a");
  EXPECT_THAT(acting->details.actors, ElementsAre("spiffe://td/b"));
  EXPECT_FALSE(acting->details.may_act);
  EXPECT_THAT(*acting->details.rights, ElementsAre("bind:*"));
  const auto principal = principal_of(world_.state, shown(*acting));
  EXPECT_EQ(principal.id(), "spiffe://td/a") << "the initiator";
  EXPECT_EQ(principal.caller(), "spiffe://td/b");
  EXPECT_EQ(name_of(plan_exchange(exchange(), token, own("c"), terms())), "DELEGATION_REFUSED");
  EXPECT_EQ(name_of(plan_mint(mint(), token, terms())), "DELEGATION_REFUSED")
      << "whoever steals it gets nothing for it";
  EXPECT_EQ(name_of(plan_delegation(delegation("spiffe://td/c", {"*"}), token, terms())),
            "DELEGATION_REFUSED");
}

TEST_F(Minting, IsNotForWhoeverWasNotDelegatedTo) {
  const auto refused = plan_exchange(exchange(), own("a"), own("b"), terms());
  EXPECT_EQ(name_of(refused), "DELEGATION_REFUSED");
  EXPECT_THAT(refused.error().message, HasSubstr("has to `delegate` to the actor"));
  EXPECT_EQ(name_of(plan_delegation(delegation("spiffe://td/a", {"*"}), own("a"), terms())),
            "DELEGATION_REFUSED")
      << "to itself";
  EXPECT_EQ(name_of(plan_delegation(delegation("b", {"*"}), own("a"), terms())),
            "INVALID_ARGUMENT");
}

TEST_F(Minting, TakesACredentialOfItsOwnFromTheActor) {
  const auto token = shown(*plan_delegation(delegation("spiffe://td/b", {"*"}), own("a"), terms()));
  auto lent = plan_for("spiffe://td/b");
  lent.details.actors = {"spiffe://td/c"};
  EXPECT_EQ(name_of(plan_exchange(exchange(), token, shown(lent), terms())), "DELEGATION_REFUSED");
  lent = plan_for("spiffe://td/b");
  lent.details.rights = Rights{"bind:x"};
  EXPECT_EQ(name_of(plan_exchange(exchange(), token, shown(lent), terms())), "DELEGATION_REFUSED");
}

TEST_F(Minting, ShrinksRightsOnly) {
  const auto held = shown(*passed(own("a"), "b", {"bind:*", "read"}));
  EXPECT_EQ(name_of(passed(held, "c", {"bind:diary", "read"})), "OK");
  for (const Rights& wanted :
       {Rights{"*"}, {"write"}, {"bind*"}, {"read*"}, {"rea"}, {"read", "x"}})
    EXPECT_EQ(name_of(passed(held, "c", wanted)), "DELEGATION_REFUSED") << wanted.back();
  const auto fewer = shown(*passed(held, "c", {"bind:diary"}));
  EXPECT_EQ(name_of(passed(fewer, "d", {"read"})), "DELEGATION_REFUSED")
      << "what was given up does not come back";
  const auto token =
      shown(*plan_delegation(delegation("spiffe://td/d", {"bind:diary"}), fewer, terms()));
  EXPECT_EQ(name_of(plan_exchange(exchange({"bind:*"}), token, own("d"), terms())),
            "DELEGATION_REFUSED");
}

TEST_F(Minting, ShrinksLifetimesOnly) {
  const auto token =
      shown(*plan_delegation(delegation("spiffe://td/b", {"*"}, 60), own("a"), terms()));
  EXPECT_EQ(plan_exchange(exchange(), token, own("b"), terms(kNow + 20))->expires_s, kNow + 60);
  EXPECT_EQ(plan_exchange(exchange({}, 40), token, own("b"), terms(kNow + 20))->expires_s,
            kNow + 60);
  EXPECT_EQ(name_of(plan_exchange(exchange({}, 41), token, own("b"), terms(kNow + 20))),
            "DELEGATION_REFUSED");
  EXPECT_EQ(name_of(plan_delegation(delegation("spiffe://td/b", {"*"}, 301), own("a"), terms())),
            "INVALID_ARGUMENT");
  auto brief = plan_for("spiffe://td/b");
  brief.expires_s = kNow + 10;
  EXPECT_EQ(plan_exchange(exchange(), token, shown(brief), terms())->expires_s, kNow + 10)
      << "an actor acts no longer than its own credential";
}

TEST_F(Minting, RefusesTheFifthDelegation) {
  auto holder = own("a");
  for (const char* to : {"b", "c", "d", "e"}) {
    const auto plan = passed(holder, to, {"read"});
    ASSERT_TRUE(plan) << to << ": " << plan.error().message;
    holder = shown(*plan);
  }
  EXPECT_THAT(holder.details.actors,
              ElementsAre("spiffe://td/e", "spiffe://td/d", "spiffe://td/c", "spiffe://td/b"));
  const auto fifth = passed(holder, "f", {"read"});
  EXPECT_EQ(name_of(fifth), "DELEGATION_REFUSED");
  EXPECT_THAT(fifth.error().message, HasSubstr("4 delegations already"));
}

TEST_F(Minting, OfAnActorStaysItsOwn) {
  const auto acting = shown(*passed(own("a"), "b", {"read"}));
  const auto plan = plan_mint(mint(), acting, terms());
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->details.actors, ElementsAre("spiffe://td/b"));
  EXPECT_THAT(*plan->details.rights, ElementsAre("read"))
      << "a token for others has no more rights";
}

TEST(RightsOfADelegation, AreTextsWithAStarAtTheirEnd) {
  for (const char* right : {"*", "bind:*", "bind:diary.Meeting/room", "a"})
    EXPECT_TRUE(check_rights({right})) << right;
  for (const char* right : {"", "a*b", "**", " a", "a b", "\n", "\xc3\xa4"})
    EXPECT_FALSE(check_rights({right})) << right;
  EXPECT_FALSE(check_rights({}));
  EXPECT_TRUE(check_rights(Rights(kRightsMax, "a")));
  EXPECT_FALSE(check_rights(Rights(kRightsMax + 1, "a")));
  EXPECT_TRUE(check_rights({std::string(kRightOctetsMax, 'a')}));
  EXPECT_FALSE(check_rights({std::string(kRightOctetsMax + 1, 'a')}));
}

}  // namespace
}  // namespace hector::authentication
