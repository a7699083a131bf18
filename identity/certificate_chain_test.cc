#include "identity/certificate_chain.h"

#include <gtest/gtest.h>

#include "identity/issuing.h"

namespace hector::identity {

namespace {

constexpr std::int64_t kNow = 1'717'243'200;

/// An authority and a leaf of its own.
class Chains : public testing::Test {
 protected:
  X509Ptr leaf(std::int64_t begin = kNow - 10, std::int64_t end = kNow + 10) {
    return *make_certificate({.uri = "spiffe://td/a", .not_before = begin, .not_after = end},
                             key_.get(), {authority_.get(), authority_key_.get()});
  }

  Judged<Path> judge(const X509Ptr& leaf, const std::vector<std::string>& revoked = {}) {
    auto chain = Chain::read(certificate_pem(leaf.get()));
    if (!chain) return tl::unexpected(chain.error());
    TrustBundle bundle;
    EXPECT_TRUE(bundle.add(certificate_pem(authority_.get())));
    bundle.revoked.insert(revoked.begin(), revoked.end());
    return judge_chain(*chain, bundle, {kNow, 0});
  }

  const KeyPtr authority_key_ = make_key(KeyKind::kEd25519), key_ = make_key(KeyKind::kP256);
  const X509Ptr authority_ =
      *make_certificate({.use = CertificatePlan::Use::kAuthority,
                         .uri = "spiffe://td",
                         .not_before = kNow - 100,
                         .not_after = kNow + 100},
                        authority_key_.get(), {nullptr, authority_key_.get()});
};

}  // namespace

TEST_F(Chains, OfWhatIsIssuedHereAreAccepted) { EXPECT_TRUE(judge(leaf())); }

TEST_F(Chains, CountBothEndsOfAValidity) {
  EXPECT_TRUE(judge(leaf(kNow, kNow)));
  EXPECT_EQ(judge(leaf(kNow + 1, kNow + 9)).error().fault, Fault::kNotYetValid);
  EXPECT_EQ(judge(leaf(kNow - 9, kNow - 1)).error().fault, Fault::kExpired);
}

TEST_F(Chains, ThatAreRevokedAreRefusedByIssuerAndSerial) {
  const auto made = leaf();
  const auto name = key_id_of(authority_.get()) + " " + serial_of(made.get());
  EXPECT_EQ(judge(made, {name}).error().fault, Fault::kRevoked);
  EXPECT_TRUE(judge(made, {"00 " + serial_of(made.get())}));
  EXPECT_TRUE(judge(leaf(), {name}));
}

TEST_F(Chains, OfAnAuthorityThatOnlyHasTheNameAreBadlySigned) {
  const auto other = make_key(KeyKind::kEd25519);
  const auto forged = make_certificate({.uri = "spiffe://td/a", .not_after = kNow + 9}, key_.get(),
                                       {authority_.get(), other.get()});
  EXPECT_EQ(judge(*forged).error().fault, Fault::kBadSignature);
}

TEST_F(Chains, ThatAreAnAuthoritysOwnAreMalformed) {
  const auto chain = Chain::read(certificate_pem(authority_.get()));
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().fault, Fault::kMalformed);
}

}  // namespace hector::identity
