#include "identity/web_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "identity/public_key.h"
#include "identity/token_claims.h"
#include "identity/token_parts.h"
#include "identity/verdict.h"

namespace hector::identity {

namespace {

/// Those the token may be signed with: of its kid, or all of the domain where it names none.
Judged<std::vector<const WebKey*>> candidates(const TokenParts& parts, const SpiffeId& subject,
                                              const TrustBundles::Domains& domains) {
  const auto* const bundle = domains.find(subject.trust_domain());
  std::vector<const WebKey*> keys;
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

Judged<void> judge_signature(const TokenParts& parts, const TokenAlgorithm& algorithm,
                             std::vector<const WebKey*> keys) {
  std::erase_if(keys, [&](const WebKey* each) {
    return each->algorithm.value_or(parts.algorithm) != parts.algorithm ||
           !fits(each->key.get(), algorithm);
  });
  if (keys.empty())
    return refuse(Fault::kAlgRefused,
                  fmt::format("the key is not one for {}: another kind, curve or alg, or RSA of "
                              "less than {} bits",
                              algorithm.name, kRsaBitsMin));
  const bool is_good = std::any_of(keys.begin(), keys.end(), [&](const WebKey* each) {
    return verifies(each->key.get(), algorithm, parts.signed_text, parts.signature);
  });
  if (!is_good) return refuse(Fault::kBadSignature, "the token's signature does not verify");
  return {};
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

}  // namespace

Judged<SpiffeId> judge_token(std::string_view token, const TrustBundles::Domains& domains,
                             const Question& question) {
  const auto parts = TokenParts::read(token);
  if (!parts) return refuse(parts.error());
  const auto* const algorithm = token_algorithm(parts->algorithm);
  if (algorithm == nullptr)
    return refuse(Fault::kAlgRefused,
                  "the token's alg is none of RS, PS and ES with 256, 384 and 512");
  auto claims = TokenClaims::read(parts->claims);
  if (!claims) return refuse(claims.error());
  const auto keys = candidates(*parts, claims->subject, domains);
  if (!keys) return refuse(keys.error());
  if (auto judged = judge_signature(*parts, *algorithm, *keys); !judged)
    return refuse(judged.error());
  if (auto judged = judge_times(*claims, question.at); !judged) return refuse(judged.error());
  if (auto judged = judge_audience(*claims, question.audience); !judged)
    return refuse(judged.error());
  return std::move(claims->subject);
}

}  // namespace hector::identity
