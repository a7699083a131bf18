#include "identity/token_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/base64.h"
#include "identity/issuing.h"
#include "identity/strict_json.h"
#include "identity/web_key.h"

namespace hector::identity {

namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kNow = 1'717'243'200;

TokenPlan plan() {
  TokenPlan plan{"spiffe://td/a", {"us", "them"}, kNow, kNow + 60};
  plan.details = {"id",
                  std::string(32, 'b'),
                  {"spiffe://td/c", "spiffe://td/b"},
                  "spiffe://td/d",
                  std::vector<std::string>{"bind:*"},
                  {"token td first"}};
  return plan;
}

TrustBundles trusting(const TokenKey& key) {
  TrustBundles bundles;
  EXPECT_TRUE(bundles.add("td", "{\"keys\": [" + key.web_key() + "]}"));
  return bundles;
}

Fault fault_of(std::string_view claims) {
  const auto read = read_token_details(claims);
  EXPECT_FALSE(read) << claims;
  return read ? Fault::kRevoked : read.error().fault;
}

}  // namespace

TEST(TokenKey, SignsWhatIsAcceptedWhereItIsTrusted) {
  const auto key = TokenKey::make(), other = TokenKey::make();
  const auto token = key.sign(plan());
  const auto accepted = examine(token, trusting(key), {{kNow, 0}, "them"});
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->id, "spiffe://td/a");
  EXPECT_EQ(accepted->trust_domain, "td");
  EXPECT_EQ(accepted->not_after, (Instant{kNow + 60, 0}));
  EXPECT_EQ(accepted->strength_bits, 128);
  EXPECT_EQ(examine(token, trusting(other), {{kNow, 0}, "us"}).error().fault,
            Fault::kUntrustedDomain)
      << "another key has another kid";
}

TEST(TokenKey, StandsBesideTheKeysOfAKeySet) {
  const auto key = TokenKey::make(), other = TokenKey::make();
  const auto first = key_set_with("", {key.web_key()});
  const auto both = key_set_with(first, {other.web_key()});
  TrustBundles bundles;
  ASSERT_TRUE(bundles.add("td", both));
  for (const auto* each : {&key, &other})
    EXPECT_TRUE(examine(each->sign(plan()), bundles, {{kNow, 0}, "us"}));
  EXPECT_EQ(key_set_with("no JSON", {}), "{\"keys\":[]}");
}

TEST(TokenDetails, AreReadAsTheyWereWritten) {
  const auto key = TokenKey::make();
  const auto accepted = examine(key.sign(plan()), trusting(key), {{kNow, 0}, "us"});
  ASSERT_TRUE(accepted);
  const auto read = read_token_details(accepted->claims);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->token_id, "id");
  EXPECT_EQ(read->bound_to, std::string(32, 'b'));
  EXPECT_THAT(read->actors, ElementsAre("spiffe://td/c", "spiffe://td/b"));
  EXPECT_EQ(read->may_act, "spiffe://td/d");
  ASSERT_TRUE(read->rights);
  EXPECT_THAT(*read->rights, ElementsAre("bind:*"));
  EXPECT_THAT(read->origins, ElementsAre("token td first"));
}

TEST(TokenDetails, OfAPlainTokenAreNone) {
  const auto read = read_token_details(R"({"sub": "spiffe://td/a", "exp": 1})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->token_id, "");
  EXPECT_FALSE(read->rights) << "not the same as no rights at all";
  EXPECT_FALSE(read->may_act);
}

TEST(TokenDetails, OfAnotherShapeAreMalformed) {
  for (const char* claims :
       {R"({"jti": 1})", R"({"jti": null})", R"({"cnf": "x"})", R"({"cnf": {}})",
        R"({"cnf": {"jkt": "YQ"}})",
        R"({"cnf": {"jkt": "YQ", "x5t#S256": "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI"}})",
        R"({"cnf": {"x5t#S256": "YQ"}})", R"({"act": "spiffe://td/a"})", R"({"act": {"sub": "a"}})",
        R"({"act": {"sub": "spiffe://td/a", "act": 1}})", R"({"may_act": {}})",
        R"({"hector_rights": "all"})", R"({"hector_rights": [1]})", R"({"hector_origins": {}})",
        "[]", ""})
    EXPECT_EQ(fault_of(claims), Fault::kMalformed);
}

TEST(Accepted, SaysWhatAChainStandsOn) {
  const auto authority_key = make_key(KeyKind::kEd25519), key = make_key(KeyKind::kP256);
  const auto authority = *make_certificate({.use = CertificatePlan::Use::kAuthority,
                                            .uri = "spiffe://td",
                                            .not_before = kNow - 100,
                                            .not_after = kNow + 50},
                                           authority_key.get(), {nullptr, authority_key.get()});
  const auto leaf =
      *make_certificate({.uri = "spiffe://td/a", .not_before = kNow - 10, .not_after = kNow + 100},
                        key.get(), {authority.get(), authority_key.get()});
  TrustBundles bundles;
  ASSERT_TRUE(bundles.add("td", certificate_pem(authority.get())));
  EXPECT_THAT(bundles.authorities("td"), ElementsAre(key_id_of(authority.get())));
  EXPECT_THAT(bundles.authorities("elsewhere"), ElementsAre());
  const auto accepted = examine(certificate_pem(leaf.get()), bundles, {{kNow, 0}, {}});
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->not_after, (Instant{kNow + 50, 0})) << "its authority ends before it";
  EXPECT_THAT(accepted->certificates,
              ElementsAre(key_id_of(authority.get()) + " " + serial_of(leaf.get())));
  EXPECT_EQ(accepted->leaf_sha256.size(), 32U);
  EXPECT_EQ(accepted->strength_bits, 128);
}

TEST(Possession, IsProvedByTheLeafsOwnKey) {
  const auto own = TokenKey::make(), other = TokenKey::make();
  const auto proof = own.sign(plan());
  const auto authority_key = make_key(KeyKind::kEd25519);
  const auto authority = *make_certificate({.use = CertificatePlan::Use::kAuthority,
                                            .uri = "spiffe://td",
                                            .not_before = kNow - 100,
                                            .not_after = kNow + 50},
                                           authority_key.get(), {nullptr, authority_key.get()});
  const auto chain_of = [&](const TokenKey& key, const std::string& uri) {
    const auto entry = read_strict_json(key.web_key());
    const auto read = read_web_key(entry->get_object());
    const auto leaf = make_certificate({.uri = uri, .not_before = kNow, .not_after = kNow + 9},
                                       read->key.get(), {authority.get(), authority_key.get()});
    return certificate_pem(leaf->get());
  };
  const Question question{{kNow, 0}, "us"};
  const auto proved = judge_possession(chain_of(own, "spiffe://td/a"), proof, question);
  ASSERT_TRUE(proved) << proved.error().message;
  EXPECT_EQ(proved->not_after, (Instant{kNow + 60, 0}));
  EXPECT_EQ(read_token_details(proved->claims)->token_id, "id");
  const auto fault = [&](const TokenKey& key, const std::string& uri, const Question& asked) {
    return judge_possession(chain_of(key, uri), proof, asked).error().fault;
  };
  EXPECT_EQ(fault(other, "spiffe://td/a", question), Fault::kBadSignature);
  EXPECT_EQ(fault(own, "spiffe://td/b", question), Fault::kBadSignature) << "another's sub";
  EXPECT_EQ(fault(own, "spiffe://td/a", {{kNow, 0}, "elsewhere"}), Fault::kWrongAudience);
  EXPECT_EQ(fault(own, "spiffe://td/a", {{kNow + 120, 0}, "us"}), Fault::kExpired);
  EXPECT_EQ(judge_possession("no PEM", proof, question).error().fault, Fault::kMalformed);
}

TEST(Base64, OfUrlsIsWrittenAsItIsRead) {
  std::string octets;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(read_base64(write_base64url(octets), Base64::kUrl), octets);
    octets += static_cast<char>(251 * i + 17);
  }
}

}  // namespace hector::identity
