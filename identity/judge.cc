// What: examine(), which finds out what a file holds. Why: content decides, not a name.
// Who: `hector identity check`, whatever authenticates a peer.
#include <fmt/format.h>

#include <algorithm>

#include "identity/certificate_chain.h"
#include "identity/issuing.h"
#include "identity/pem.h"
#include "identity/trust_bundle.h"
#include "identity/verdict.h"
#include "identity/web_token.h"

namespace hector::identity {

namespace {

constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the last second of the year 9999

std::string sha256_of(const std::string& octets) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(octets.data(), octets.size(), digest, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

/// Of a path that was judged good.
Accepted accepted_of(const SpiffeId& id, const Path& path) {
  Accepted accepted;
  accepted.id = id.text();
  accepted.trust_domain = id.trust_domain();
  accepted.not_after.seconds = kSecondsMax;
  accepted.strength_bits = EVP_PKEY_get_security_bits(X509_get0_pubkey(path[0]->handle()));
  for (std::size_t i = 0; i < path.size(); ++i) {
    X509* const handle = path[i]->handle();
    accepted.not_after.seconds = std::min(accepted.not_after.seconds, path[i]->not_after());
    accepted.strength_bits =
        std::min(accepted.strength_bits, EVP_PKEY_get_security_bits(X509_get0_pubkey(handle)));
    if (i + 1 < path.size())
      accepted.certificates.push_back(key_id_of(path[i + 1]->handle()) + " " + serial_of(handle));
  }
  accepted.leaf_sha256 = sha256_of(path[0]->der());
  return accepted;
}

Judged<Accepted> examine_pem(std::string_view pem, const TrustBundles::Domains& domains,
                             const Question& question) {
  const auto chain = Chain::read(pem);
  if (!chain) return refuse(chain.error());
  const auto* const bundle = domains.find(chain->id.trust_domain());
  if (bundle == nullptr)
    return refuse(
        Fault::kUntrustedDomain,
        fmt::format("there is no bundle of the trust domain '{}'", chain->id.trust_domain()));
  const auto path = judge_chain(*chain, *bundle, question.at);
  if (!path) return refuse(path.error());
  return accepted_of(chain->id, *path);
}

Accepted accepted_of(AcceptedToken token) {
  Accepted accepted;
  accepted.credential = Credential::kToken;
  accepted.id = token.claims.subject.text();
  accepted.trust_domain = token.claims.subject.trust_domain();
  accepted.not_after.seconds = static_cast<std::int64_t>(
      std::min(token.claims.expires, static_cast<long double>(kSecondsMax)));
  accepted.strength_bits = token.strength_bits;
  accepted.claims = std::move(token.json);
  return accepted;
}

Judged<Accepted> examine_token(std::string_view token, const TrustBundles::Domains& domains,
                               const Question& question) {
  auto judged = judge_token(token, domains, question);
  if (!judged) return refuse(judged.error());
  return accepted_of(std::move(*judged));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

}  // namespace

Judged<Accepted> examine(std::string_view content, const TrustBundles& bundles,
                         const Question& question) {
  if (content.size() > kContentOctetsMax)
    return malformed(fmt::format("it has more than {} octets", kContentOctetsMax));
  return looks_like_pem(content) ? examine_pem(content, bundles.domains(), question)
                                 : examine_token(trimmed(content), bundles.domains(), question);
}

Judged<std::string> judge(std::string_view content, const TrustBundles& bundles,
                          const Question& question) {
  auto accepted = examine(content, bundles, question);
  if (!accepted) return refuse(accepted.error());
  return std::move(accepted->id);
}

Judged<void> check_id(std::string_view id) {
  const auto read = SpiffeId::read(id);
  if (!read) return refuse(read.error());
  return {};
}

bool is_domain(std::string_view name) noexcept { return is_trust_domain(name); }

Judged<Accepted> judge_possession(std::string_view chain, std::string_view proof,
                                  const Question& question) {
  if (chain.size() > kContentOctetsMax)
    return malformed(fmt::format("it has more than {} octets", kContentOctetsMax));
  const auto read = Chain::read(chain);
  if (!read) return refuse(read.error());
  auto judged = judge_own_token(trimmed(proof), X509_get0_pubkey(read->leaf->handle()), question);
  if (!judged) return refuse(judged.error());
  if (judged->claims.subject.text() != read->id.text())
    return refuse(Fault::kBadSignature, "the proof's sub is another than the chain's id");
  return accepted_of(std::move(*judged));
}

}  // namespace hector::identity
