// What: the claims of a JWT that an identity needs: sub, aud, exp, nbf, iat.
// Why: a claim of the wrong kind is refused, not passed over.
// Who: judge_token().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/spiffe_id.h"

namespace hector::identity {

struct TokenClaims {
  SpiffeId subject;
  std::vector<std::string> audiences;  ///< empty: for nobody
  long double expires;                 ///< seconds since 1970
  std::optional<long double> not_before, issued;

  /// MALFORMED.
  static Judged<TokenClaims> read(std::string_view json);
};

}  // namespace hector::identity
