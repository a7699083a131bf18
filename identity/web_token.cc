#include "identity/web_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "identity/public_key.h"
#include "identity/token_parts.h"
#include "identity/verdict.h"

namespace hector::identity {

namespace {

using Keys = std::vector<const WebKey*>;

/// Those the token may be signed with: of its kid, or all of the domain where it names none.
Judged<Keys> candidates(const TokenParts& parts, const SpiffeId& subject,
                        const TrustBundles::Domains& domains) {
  const auto* const bundle = domains.find(subject.trust_domain());
  Keys keys;
  if (bundle == nullptr || bundle->token_keys.empty())
    return refuse(
        Fault::kUntrustedDomain,
        fmt::format("there is no key for tokens of the trust domain '{}'", subject.trust_domain()));
  for (const auto& [id, key] : bundle->token_keys) {
    if (!parts.key_id || *parts.key_id == id) keys.push_back(&key);
  }
  if (keys.empty())
    return refuse(
        Fault::kUntrustedDomain,
        fmt::format("the token's kid is none of the trust domain '{}'", subject.trust_domain()));
  return keys;
}

/// Those that the token's alg may be used with.
std::vector<EVP_PKEY*> fitting(const TokenParts& parts, const TokenAlgorithm& algorithm,
                               const Keys& keys) {
  std::vector<EVP_PKEY*> all;
  for (const auto* each : keys) {
    if (each->algorithm.value_or(parts.algorithm) == parts.algorithm &&
        fits(each->key.get(), algorithm))
      all.push_back(each->key.get());
  }
  return all;
}

/// The key that signed it.
Judged<EVP_PKEY*> judge_signature(const TokenParts& parts, const TokenAlgorithm& algorithm,
                                  const std::vector<EVP_PKEY*>& keys) {
  if (keys.empty())
    return refuse(Fault::kAlgRefused,
                  fmt::format("the key is not one for {}: another kind, curve or alg, or RSA of "
                              "less than {} bits",
                              algorithm.name, kRsaBitsMin));
  const auto signer = std::find_if(keys.begin(), keys.end(), [&](EVP_PKEY* each) {
    return verifies(each, algorithm, parts.signed_text, parts.signature);
  });
  if (signer == keys.end())
    return refuse(Fault::kBadSignature, "the token's signature does not verify");
  return *signer;
}

Judged<void> judge_times(const TokenClaims& claims, Instant at) {
  const long double now =
      static_cast<long double>(at.seconds) + static_cast<long double>(at.nanoseconds) / 1e9L;
  if (now >= claims.expires + kSkewSeconds)
    return refuse(Fault::kExpired, "the token's exp is past");
  if (now < claims.not_before.value_or(now) - kSkewSeconds)
    return refuse(Fault::kNotYetValid, "the token's nbf is to come");
  if (now < claims.issued.value_or(now) - kSkewSeconds)
    return refuse(Fault::kNotYetValid, "the token's iat is to come");
  return {};
}

Judged<void> judge_audience(const TokenClaims& claims, const std::optional<std::string>& ours) {
  if (!ours)
    return refuse(Fault::kWrongAudience,
                  "no audience was given that the token could be for (--audience)");
  const auto& all = claims.audiences;
  if (std::find(all.begin(), all.end(), *ours) == all.end())
    return refuse(Fault::kWrongAudience, "the token is not for this audience");
  return {};
}

/// What every token has, whoever may sign it.
struct ReadToken {
  TokenParts parts;
  const TokenAlgorithm* algorithm;
  TokenClaims claims;
};

Judged<ReadToken> read_token(std::string_view token) {
  auto parts = TokenParts::read(token);
  if (!parts) return refuse(parts.error());
  const auto* const algorithm = token_algorithm(parts->algorithm);
  if (algorithm == nullptr)
    return refuse(Fault::kAlgRefused,
                  "the token's alg is none of RS, PS and ES with 256, 384 and 512");
  auto claims = TokenClaims::read(parts->claims);
  if (!claims) return refuse(claims.error());
  return ReadToken{std::move(*parts), algorithm, std::move(*claims)};
}

Judged<AcceptedToken> judge_read(ReadToken token, const std::vector<EVP_PKEY*>& keys,
                                 const Question& question) {
  const auto signer = judge_signature(token.parts, *token.algorithm, keys);
  if (!signer) return refuse(signer.error());
  if (auto judged = judge_times(token.claims, question.at); !judged) return refuse(judged.error());
  if (auto judged = judge_audience(token.claims, question.audience); !judged)
    return refuse(judged.error());
  return AcceptedToken{std::move(token.claims), std::move(token.parts.claims),
                       EVP_PKEY_get_security_bits(*signer)};
}

}  // namespace

Judged<AcceptedToken> judge_token(std::string_view token, const TrustBundles::Domains& domains,
                                  const Question& question) {
  auto read = read_token(token);
  if (!read) return refuse(read.error());
  const auto keys = candidates(read->parts, read->claims.subject, domains);
  if (!keys) return refuse(keys.error());
  const auto fit = fitting(read->parts, *read->algorithm, *keys);
  return judge_read(std::move(*read), fit, question);
}

Judged<AcceptedToken> judge_own_token(std::string_view token, EVP_PKEY* key,
                                      const Question& question) {
  auto read = read_token(token);
  if (!read) return refuse(read.error());
  std::vector<EVP_PKEY*> keys;
  if (fits(key, *read->algorithm)) keys.push_back(key);
  return judge_read(std::move(*read), keys, question);
}

}  // namespace hector::identity
