// What: bundles, revocations, keys and realms: what may be put, and what is there then.
// Why: the state is what everything is judged by.
// Who: ctest, in authentication_test.
#include <gmock/gmock.h>

#include "kit_world.h"

namespace hector::authentication {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

v1::Revocation revocation(const std::string& domain, const std::string& serial,
                          const std::string& key_id) {
  v1::Revocation asked;
  asked.set_domain(domain);
  asked.set_serial(serial);
  asked.set_key_id(key_id);
  return asked;
}

v1::Bundle bundle(const std::string& domain, const std::string& x509, const std::string& jwks) {
  v1::Bundle made;
  made.set_domain(domain);
  made.set_x509(x509);
  made.set_jwks(jwks);
  return made;
}

std::vector<std::string> names(const std::vector<v1::Revocation>& all) {
  std::vector<std::string> names;
  for (const auto& each : all) names.push_back((each.is_lifted() ? "-" : "") + each.name());
  return names;
}

TEST(Federation, TakesWhatCanBeRead) {
  World world;
  const std::string keys = R"({"keys": []})";
  EXPECT_EQ(world.change(plan_federate, bundle("other", "", keys)), "OK");
  for (const auto& wrong :
       {bundle("Other", "", keys), bundle("", "", keys), bundle("other", "", ""),
        bundle("other", keys, ""), bundle("other", "no PEM", ""), bundle("other", "", "[]"),
        bundle("other", "", "{}"), bundle("other", "", R"({"keys": [], "keys": []})"),
        bundle("other", "", R"({"keys": []})" + std::string(kBundleOctetsMax, ' '))})
    EXPECT_EQ(world.change(plan_federate, wrong), "INVALID_ARGUMENT")
        << wrong.ShortDebugString().substr(0, 200);
  EXPECT_THAT(world.state.domains(), ElementsAre("other", "td"));
}

TEST(Federation, HasAnEnd) {
  World world;
  const std::string keys = R"({"keys": []})";
  for (std::size_t i = 1; i < kDomainsMax; ++i)
    ASSERT_EQ(world.change(plan_federate, bundle("d" + std::to_string(i), "", keys)), "OK");
  EXPECT_EQ(world.change(plan_federate, bundle("one.more", "", keys)), "TOO_MANY");
  EXPECT_EQ(world.change(plan_federate, bundle("d7", "", keys)), "OK") << "one that is there";
}

TEST(Federation, ReplacesAndEnds) {
  World world;
  ASSERT_TRUE(show(world, plan_for()));
  const auto token = world.key.sign(plan_for());
  ASSERT_EQ(world.trust("td", identity::TokenKey::make()), "OK");
  EXPECT_EQ(name_of(show(world, token)), "UNTRUSTED_DOMAIN");
  v1::Domain domain;
  domain.set_domain("td");
  EXPECT_EQ(world.change(plan_defederate, domain), "OK");
  EXPECT_EQ(world.change(plan_defederate, domain), "NO_DOMAIN");
}

TEST(SigningKeys, AreTrustedBesideTheBundleUntilTheyEnd) {
  World world;
  const auto own = identity::TokenKey::make();
  v1::SigningKey kept;
  kept.set_domain("td");
  kept.set_web_key(own.web_key());
  kept.set_until_s(kNow + 100);
  const auto put = [&](const std::string& id, std::int64_t now_s) {
    return world.change([&]() -> Result<StoreTransaction> {
      return plan_signing_key(world.state, id, kept, now_s);
    });
  };
  ASSERT_EQ(put(own.id(), kNow), "OK");
  EXPECT_TRUE(show(world, own.sign(plan_for())));
  EXPECT_TRUE(show(world, plan_for())) << "the bundle's own keys stay";
  kept.set_until_s(kNow + 1000);
  ASSERT_EQ(put("next", kNow + 99), "OK");
  EXPECT_THAT(world.state.signing_keys(), SizeIs(2));
  ASSERT_EQ(put("third", kNow + 100), "OK");
  EXPECT_THAT(world.state.signing_keys(), SizeIs(2)) << "the first one has ended";
}

TEST(SigningKeys, OfCapsulesThatBeginAgainAndAgainPushOutTheOldest) {
  World world;
  for (std::size_t i = 0; i <= kSigningKeysMax + 1; ++i) {
    v1::SigningKey kept;
    kept.set_domain("td");
    kept.set_until_s(kNow + 1000 + static_cast<std::int64_t>(i));
    ASSERT_EQ(world.change([&]() -> Result<StoreTransaction> {
      return plan_signing_key(world.state, std::to_string(i), kept, kNow);
    }),
              "OK");
  }
  EXPECT_THAT(world.state.signing_keys(), SizeIs(kSigningKeysMax));
  EXPECT_FALSE(world.state.signing_keys().contains("0"));
  EXPECT_FALSE(world.state.signing_keys().contains("1"));
}

TEST(Revocations, AreToldFromARevisionOn) {
  World world;
  ASSERT_EQ(world.revoke("spiffe://td/a"), "OK");
  const auto first = world.revision;
  ASSERT_EQ(world.revoke("spiffe://td/b"), "OK");
  EXPECT_THAT(names(world.state.revocations_after(0)),
              ElementsAre("principal spiffe://td/a", "principal spiffe://td/b"));
  EXPECT_THAT(names(world.state.revocations_after(first)), ElementsAre("principal spiffe://td/b"));
  v1::Revocation back;
  back.set_principal("spiffe://td/a");
  ASSERT_EQ(world.change(plan_reinstate, back), "OK");
  EXPECT_THAT(names(world.state.revocations_after(first)),
              ElementsAre("principal spiffe://td/b", "-principal spiffe://td/a"));
  EXPECT_EQ(world.change(plan_reinstate, back), "NOT_REVOKED");
}

TEST(Revocations, OfCertificatesHaveOneSpelling) {
  World world;
  for (const char* serial : {"00:AB:0C", "ab0c", "AB0C", "00ab0c"})
    ASSERT_EQ(world.change(plan_revoke, revocation("td", serial, "0A")), "OK") << serial;
  EXPECT_THAT(names(world.state.revocations_after(0)), ElementsAre("certificate 0a ab0c"));
  for (const auto& wrong :
       {revocation("td", "xyz", "0a"), revocation("td", "ab", "x"), revocation("TD", "ab", "0a"),
        revocation("td", "ab", ""), revocation("td", std::string(129, 'a'), "0a")})
    EXPECT_EQ(world.change(plan_revoke, wrong), "INVALID_ARGUMENT") << wrong.ShortDebugString();
  auto back = revocation("td", "ab0c", "0a");
  EXPECT_EQ(world.change(plan_reinstate, back), "NOT_LIFTED");
}

TEST(Revocations, NameOneThing) {
  World world;
  v1::Revocation asked;
  EXPECT_EQ(world.change(plan_revoke, asked), "INVALID_ARGUMENT");
  asked.set_domain("td");
  asked.set_jti("one");
  EXPECT_EQ(world.change(plan_revoke, asked), "OK");
  asked.set_principal("spiffe://td/a");
  EXPECT_EQ(world.change(plan_revoke, asked), "INVALID_ARGUMENT");
  asked.clear_jti();
  asked.set_principal("td/a");
  EXPECT_EQ(world.change(plan_revoke, asked), "INVALID_ARGUMENT");
  asked.set_principal("krb:ann@R1");
  EXPECT_EQ(world.change(plan_revoke, asked), "OK");
}

/// As the store tells of it.
void put(World& world, const std::string& key, const google::protobuf::Message& message) {
  world.state.apply(
      {StoreEvent::Kind::kPut, {key, Bytes::take(message.SerializeAsString()), 0, 1}, {}});
}

TEST(Revocations, HaveAnEnd) {
  World world;
  for (std::size_t i = 1; i < kRevocationsMax; ++i) {
    v1::Revocation revoked;
    revoked.set_name(std::to_string(i));
    put(world, "revoked/" + std::to_string(i), revoked);
  }
  EXPECT_EQ(world.revoke("spiffe://td/a"), "OK");
  EXPECT_EQ(world.revoke("spiffe://td/b"), "TOO_MANY");
}

TEST(Entries, HaveAnEndAndASize) {
  World world;
  v1::Entry entry;
  for (std::size_t i = 1; i < kEntriesMax; ++i) put(world, "entry/" + std::to_string(i), entry);
  entry.set_id("spiffe://td/a");
  EXPECT_EQ(world.change(plan_put_entry, entry), "OK");
  EXPECT_EQ(world.change(plan_put_entry, entry), "OK") << "one that is there";
  entry.set_id("spiffe://td/b");
  EXPECT_EQ(world.change(plan_put_entry, entry), "TOO_MANY");
  entry.set_id("spiffe://td/a");
  entry.add_groups(std::string(kEntryOctetsMax, 'g'));
  EXPECT_EQ(world.change(plan_put_entry, entry), "INVALID_ARGUMENT");
  entry.Clear();
  entry.set_id("ann");
  EXPECT_EQ(world.change(plan_put_entry, entry), "INVALID_ARGUMENT");
}

TEST(Realms, HaveAnEnd) {
  World world;
  v1::RealmMapping mapping;
  for (std::size_t i = 0; i < kRealmsMax; ++i) {
    mapping.set_realm("R" + std::to_string(i));
    ASSERT_EQ(world.change(plan_map_realm, mapping), "OK");
  }
  EXPECT_EQ(world.change(plan_map_realm, mapping), "OK") << "one that is there";
  mapping.set_realm("ONE.MORE");
  EXPECT_EQ(world.change(plan_map_realm, mapping), "TOO_MANY");
}

TEST(Realms, AreMappedByName) {
  World world;
  v1::RealmMapping mapping;
  for (const char* wrong : {"", "a b", "a@b", "a/b", "\xc3\xa4"}) {
    mapping.set_realm(wrong);
    EXPECT_EQ(world.change(plan_map_realm, mapping), "INVALID_ARGUMENT") << wrong;
  }
  mapping.set_realm("R1");
  EXPECT_EQ(world.change(plan_map_realm, mapping), "OK");
  EXPECT_TRUE(world.state.has_realm("R1"));
  EXPECT_EQ(world.change(plan_unmap_realm, mapping), "OK");
  EXPECT_EQ(world.change(plan_unmap_realm, mapping), "NO_REALM");
}

}  // namespace
}  // namespace hector::authentication
