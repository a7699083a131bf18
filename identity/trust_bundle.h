// What: what one trust domain trusts: its authorities' certificates and its keys for tokens.
// Why: PEM and JWKS are read into the same thing; a domain's keys are looked up among its own only.
// Who: TrustBundles; chains and tokens are judged against it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "identity/certificate.h"
#include "identity/web_key.h"

namespace hector::identity {

struct TrustBundle {
  std::vector<CertificatePtr> authorities;
  std::multimap<std::string, WebKey> token_keys;  ///< by kid; several may have one

  std::set<std::string, std::less<>> revoked;  ///< "KEY-ID SERIAL"

  /// Adds what `text` holds. INVALID_ARGUMENT, and nothing is added.
  Status add(std::string_view text);
};

struct TrustBundles::Domains {
  std::map<std::string, TrustBundle, std::less<>> by_name;

  [[nodiscard]] const TrustBundle* find(std::string_view name) const {
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : &found->second;
  }
};

}  // namespace hector::identity
