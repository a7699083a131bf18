// What: the judgement of a compact JWT: JWT-SVIDs (SPIFFE) by RFC 7515, 7519 and 8725.
// Why: the algorithm is the key's, from a short list; nothing that is not signed is said to have
// expired.
// Who: judge().
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "identity/token_claims.h"
#include "identity/trust_bundle.h"

namespace hector::identity {

inline constexpr int kSkewSeconds = 60;  ///< between clocks, for exp, nbf and iat

struct AcceptedToken {
  TokenClaims claims;
  std::string json;       ///< the claims as they were signed
  int strength_bits = 0;  ///< of the key that signed it
};

/// `token` without white space around it. In this order: MALFORMED (its form, its header),
/// ALG_REFUSED (none of the list), MALFORMED (its claims), UNTRUSTED_DOMAIN, ALG_REFUSED (not this
/// key's), BAD_SIGNATURE, EXPIRED, NOT_YET_VALID, WRONG_AUDIENCE.
Judged<AcceptedToken> judge_token(std::string_view token, const TrustBundles::Domains& domains,
                                  const Question& question);
/// The same of a token that nobody but the holder of this key signs, whatever its kid.
Judged<AcceptedToken> judge_own_token(std::string_view token, EVP_PKEY* key,
                                      const Question& question);

}  // namespace hector::identity
