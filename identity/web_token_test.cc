#include "identity/web_token.h"

#include <gtest/gtest.h>

#include "identity/token_claims.h"
#include "identity/token_parts.h"

namespace hector::identity {

namespace {

constexpr std::int64_t kNow = 1'717'243'200;  // the nbf of kToken; its exp is 300 s later

const std::string kKeys =
    "{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": "
    "\"UHXzS-s_FskbQHcrAidVdnydmhjLlx60lilgvM"
    "QURWM\", \"y\": \"63zsLRIe35wEzDmg7EQEAvzCTR5nqiFLLGFjOHV9fzU\", \"use\": \"jwt-svid\", "
    "\"kid\""
    ": \"one\"}]}";
const std::string kToken =  // for "us", by the key "one"
    "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJzdWIiOiAic3BpZmZlOi8vdGQvYSIsICJhdWQiOiA"
    "idXMiLCAiZXhwIjogMTcxNzI0MzUwMCwgIm5iZiI6IDE3MTcyNDMyMDB9.5qQyrXbjfaYAf-OwGGBKF7aKIf"
    "L8bRfqy3L2noDVOXQMEZ_iVujS1Mh6uT_4EMglv-CmOKcWa2drnBpXDJWbtQ";

Judged<AcceptedToken> judged(const std::string& token, std::int64_t at = kNow,
                             const std::string& audience = "us") {
  TrustBundles bundles;
  EXPECT_TRUE(bundles.add("td", kKeys));
  return judge_token(token, bundles.domains(), {{at, 0}, audience});
}

Fault fault_of(const Judged<AcceptedToken>& judged) {
  EXPECT_FALSE(judged);
  return judged ? Fault::kRevoked : judged.error().fault;
}

}  // namespace

TEST(WebToken, OfAKeyOfItsDomainIsItsSubjects) {
  const auto id = judged(kToken);
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(id->claims.subject.text(), "spiffe://td/a");
}

TEST(WebToken, IsGoodWithinSixtySecondsOfItsTimes) {
  EXPECT_TRUE(judged(kToken, kNow - 60));
  EXPECT_EQ(fault_of(judged(kToken, kNow - 61)), Fault::kNotYetValid);
  EXPECT_TRUE(judged(kToken, kNow + 359));
  EXPECT_EQ(fault_of(judged(kToken, kNow + 360)), Fault::kExpired);
}

TEST(WebToken, IsForItsAudienceAlone) {
  EXPECT_EQ(fault_of(judged(kToken, kNow, "them")), Fault::kWrongAudience);
  TrustBundles bundles;
  ASSERT_TRUE(bundles.add("td", kKeys));
  EXPECT_EQ(fault_of(judge_token(kToken, bundles.domains(), {{kNow, 0}, {}})),
            Fault::kWrongAudience);
}

TEST(WebToken, ThatWasChangedIsBadlySignedBeforeAnythingElse) {
  auto changed = kToken;
  auto& octet = changed[changed.rfind('.') + 1];
  octet = octet == 'A' ? 'B' : 'A';
  EXPECT_EQ(fault_of(judged(changed, kNow + 9999, "them")), Fault::kBadSignature);
}

TEST(WebToken, OfADomainWithoutKeysIsUntrusted) {
  EXPECT_EQ(fault_of(judge_token(kToken, TrustBundles().domains(), {{kNow, 0}, "us"})),
            Fault::kUntrustedDomain);
}

TEST(TokenParts, AreThree) {
  EXPECT_TRUE(TokenParts::read(kToken));
  for (const auto& token : {kToken + ".", kToken.substr(0, kToken.rfind('.')), std::string(),
                            kToken + "=", std::string("..")})
    EXPECT_FALSE(TokenParts::read(token)) << token;
}

TEST(TokenClaims, HaveTheirKinds) {
  EXPECT_TRUE(TokenClaims::read(R"({"sub": "spiffe://td/a", "exp": 1})"));
  EXPECT_TRUE(TokenClaims::read(R"({"sub": "spiffe://td/a", "exp": 1.5, "aud": null})"));
  for (const char* claims :
       {R"({"sub": "spiffe://td/a"})", R"({"sub": "spiffe://td/a", "exp": "1"})",
        R"({"sub": "spiffe://td/a", "exp": 1e999})", R"({"sub": 1, "exp": 1})",
        R"({"sub": "spiffe://td/a", "exp": 1, "aud": 1})",
        R"({"sub": "spiffe://td/a", "exp": 1, "aud": ["a", {}]})",
        R"({"sub": "spiffe://td/a", "exp": 1, "nbf": null})", R"({"exp": 1})", "[]"}) {
    const auto read = TokenClaims::read(claims);
    ASSERT_FALSE(read) << claims;
    EXPECT_EQ(read.error().fault, Fault::kMalformed);
  }
}

}  // namespace hector::identity
