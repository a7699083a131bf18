// What: credentials that are shown, and each refusal of one.
// Why: a name that is not right lets the wrong one in, or sends the right one away.
// Who: ctest, in authentication_test.
#include "credentials.h"

#include <gmock/gmock.h>

#include "kit_world.h"

namespace hector::authentication {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;

TEST(Credentials, OfATrustedDomainAreItsPrincipals) {
  World world;
  const auto shown = show(world, plan_for());
  ASSERT_TRUE(shown) << shown.error().message;
  const auto principal = principal_of(world.state, *shown);
  EXPECT_EQ(principal.id(), "spiffe://td/a");
  EXPECT_EQ(principal.caller(), "spiffe://td/a");
  EXPECT_EQ(principal.trust_domain(), "td");
  EXPECT_EQ(principal.method(), "jwt");
  EXPECT_EQ(principal.not_after_s(), kNow + 300);
  EXPECT_EQ(principal.strength(), 128U);
  EXPECT_EQ(principal.token_id(), "one");
  EXPECT_FALSE(principal.is_attenuated());
}

TEST(Credentials, AreOneOfThreeKinds) {
  World world;
  const Situation situation{world.state.bundles(), {kNow, 0}, "td", kAudience};
  v1::Credential credential;
  EXPECT_EQ(name_of(examine_credential(credential, situation)), "INVALID_ARGUMENT");
  credential.set_jwt("a.b.c");
  credential.set_x509("-----BEGIN ");
  EXPECT_EQ(name_of(examine_credential(credential, situation)), "INVALID_ARGUMENT");
  credential.clear_x509();
  credential.set_proof("a.b.c");
  EXPECT_EQ(name_of(examine_credential(credential, situation)), "INVALID_ARGUMENT");
  credential.Clear();
  credential.set_jwt("-----BEGIN CERTIFICATE-----");
  EXPECT_EQ(name_of(examine_credential(credential, situation)), "MALFORMED");
  credential.Clear();
  credential.set_x509(world.key.sign(plan_for()));
  EXPECT_EQ(name_of(examine_credential(credential, situation)), "MALFORMED")
      << "a token that is given as a chain";
}

TEST(Credentials, AreRefusedByTheNameOfTheirFault) {
  World world;
  EXPECT_EQ(name_of(show(world, plan_for(), kNow + 359)), "OK");
  EXPECT_EQ(name_of(show(world, plan_for(), kNow + 360)), "EXPIRED");
  EXPECT_EQ(name_of(show(world, plan_for(), kNow - 61)), "NOT_YET_VALID");
  EXPECT_EQ(name_of(show(world, plan_for("spiffe://other/a"))), "UNTRUSTED_DOMAIN");
  EXPECT_EQ(name_of(show(world, plan_for("spiffe://TD/a"))), "MALFORMED");
  auto plan = plan_for();
  plan.audiences = {"them"};
  EXPECT_EQ(name_of(show(world, plan)), "WRONG_AUDIENCE");
  auto changed = world.key.sign(plan_for());
  auto& octet = changed[changed.rfind('.') + 1];
  octet = octet == 'A' ? 'B' : 'A';
  EXPECT_EQ(name_of(show(world, changed)), "BAD_SIGNATURE");
}

TEST(Credentials, AreRevokedByPrincipalTokenAndOrigin) {
  World world;
  auto plan = plan_for();
  plan.details.origins = {"token td first"};
  plan.details.actors = {"spiffe://td/b"};
  const auto shown = *show(world, plan);
  EXPECT_THAT(names_of(shown), ElementsAre("token td first", "token td one",
                                           "principal spiffe://td/a", "principal spiffe://td/b"));
  EXPECT_EQ(name_of(check_revocations(world.state, shown)), "OK");
  for (const char* principal : {"spiffe://td/a", "spiffe://td/b"}) {
    ASSERT_EQ(world.revoke(principal), "OK");
    EXPECT_EQ(name_of(check_revocations(world.state, shown)), "REVOKED") << principal;
    v1::Revocation back;
    back.set_principal(principal);
    ASSERT_EQ(world.change(plan_reinstate, back), "OK");
    EXPECT_EQ(name_of(check_revocations(world.state, shown)), "OK");
  }
  for (const char* id : {"one", "first"}) {
    World fresh;
    v1::Revocation asked;
    asked.set_domain("td");
    asked.set_jti(id);
    ASSERT_EQ(fresh.change(plan_revoke, asked), "OK");
    EXPECT_EQ(name_of(check_revocations(fresh.state, shown)), "REVOKED") << id;
  }
}

TEST(Credentials, OfATokenThatIsBoundAreItsChannelsAlone) {
  World world;
  auto plan = plan_for();
  EXPECT_EQ(name_of(check_binding(*show(world, plan), "")), "OK");
  EXPECT_EQ(name_of(check_binding(*show(world, plan), std::string(32, 'x'))), "OK")
      << "a token that any bearer may show";
  plan.details.bound_to = std::string(32, 'b');
  const auto shown = *show(world, plan);
  EXPECT_EQ(name_of(check_binding(shown, std::string(32, 'b'))), "OK");
  EXPECT_EQ(name_of(check_binding(shown, std::string(32, 'x'))), "BINDING_MISMATCH");
  EXPECT_EQ(name_of(check_binding(shown, std::string(31, 'b'))), "BINDING_MISMATCH");
  EXPECT_EQ(name_of(check_binding(shown, "")), "BINDING_MISMATCH");
}

TEST(Credentials, NameActorsOfTheirOwnDomainOnlyUnlessItIsOurs) {
  World world;
  const auto other = identity::TokenKey::make();
  ASSERT_EQ(world.trust("other", other), "OK");
  auto plan = plan_for("spiffe://other/a");
  plan.details.actors = {"spiffe://other/b"};
  EXPECT_EQ(name_of(show(world, other.sign(plan))), "OK");
  plan.details.actors = {"spiffe://td/admin"};
  EXPECT_EQ(name_of(show(world, other.sign(plan))), "UNTRUSTED_DOMAIN");
  plan = plan_for();
  plan.details.actors = {"spiffe://other/b"};
  EXPECT_EQ(name_of(show(world, plan)), "OK") << "this domain has authenticated it";
}

TEST(Credentials, HaveFourActorsAtMost) {
  World world;
  auto plan = plan_for();
  plan.details.actors = std::vector<std::string>(4, "spiffe://td/b");
  const auto shown = show(world, plan);
  ASSERT_TRUE(shown);
  EXPECT_EQ(principal_of(world.state, *shown).actors_size(), 4);
  plan.details.actors.push_back("spiffe://td/c");
  EXPECT_EQ(name_of(show(world, plan)), "DELEGATION_REFUSED");
}

TEST(Credentials, OfARealmCountOnceItIsMapped) {
  World world;
  Shown ticket;
  ticket.method = "gss";
  ticket.accepted.id = "krb:ann@R1";
  ticket.accepted.trust_domain = "R1";
  EXPECT_EQ(name_of(check_realm(world.state, ticket)), "UNTRUSTED_DOMAIN");
  v1::RealmMapping mapping;
  mapping.set_realm("R1");
  ASSERT_EQ(world.change(plan_map_realm, mapping), "OK");
  EXPECT_EQ(name_of(check_realm(world.state, ticket)), "OK");
  ticket.accepted.trust_domain = "R";
  EXPECT_EQ(name_of(check_realm(world.state, ticket)), "UNTRUSTED_DOMAIN");
}

TEST(Credentials, ThatAreAcceptedOnceHaveAnId) {
  World world;
  auto plan = plan_for();
  const auto use = use_of(*show(world, plan));
  ASSERT_TRUE(use);
  EXPECT_EQ(use->until_s, kNow + 360);
  plan.details.token_id = "";
  EXPECT_EQ(name_of(use_of(*show(world, plan))), "MALFORMED");
  plan.details.token_id = std::string(kTokenIdOctetsMax + 1, 'i');
  EXPECT_EQ(name_of(show(world, plan)), "MALFORMED");
}

TEST(Credentials, ShowTheGroupsOfAnEntry) {
  World world;
  v1::Entry entry;
  entry.set_id("spiffe://td/a");
  entry.add_groups("nurses");
  (*entry.mutable_attributes())["ward"] = "7";
  ASSERT_EQ(world.change(plan_put_entry, entry), "OK");
  const auto principal = principal_of(world.state, *show(world, plan_for()));
  EXPECT_THAT(principal.groups(), ElementsAre("nurses"));
  EXPECT_EQ(principal.attributes().at("ward"), "7");
  ASSERT_EQ(world.change(plan_remove_entry, entry), "OK");
  EXPECT_EQ(principal_of(world.state, *show(world, plan_for())).groups_size(), 0);
  EXPECT_EQ(world.change(plan_remove_entry, entry), "NO_ENTRY");
}

}  // namespace
}  // namespace hector::authentication
