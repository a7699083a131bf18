// What: ids of tokens that are accepted once.
// Why: a token that was used is refused until its own end, after kill -9 and in every capsule that
// shares the store; a full table refuses, it does not forget.
// Who: the Authentication servant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust_state.h"

namespace hector::authentication {

struct Use {
  std::string key;           ///< in the store
  std::int64_t until_s = 0;  ///< from then on the token is refused as expired, whatever was used
};

/// The key of a token's id; ids are one domain's.
std::string use_key(std::string_view domain, std::string_view token_id);
/// As it is revoked: "token DOMAIN JTI".
std::string token_name(std::string_view domain, std::string_view token_id);

/// Notes all of them, or none: REPLAY. Forgets some whose tokens have ended. RESOURCE_EXHAUSTED
/// (TOO_MANY): nothing can be forgotten.
Result<StoreTransaction> plan_uses(const TrustState& state, const std::vector<Use>& uses,
                                   std::int64_t now_s);

}  // namespace hector::authentication
