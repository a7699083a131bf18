// What: a public key out of a JWKS (RFC 7517), for tokens.
// Why: which algorithms a key may be used with is the key's matter, never the token's.
// Who: bundles and tokens.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "identity/openssl.h"

namespace hector::identity {

struct WebKey {
  KeyPtr key;
  std::optional<std::string> algorithm;  ///< the only one, where the key names it
};

/// RSA, EC (P-256, P-384, P-521) or OKP (Ed25519); nothing for what does not parse, or is of
/// another kind.
std::optional<WebKey> read_web_key(const boost::json::object& entry);

/// The member as text; nothing where there is none, or no text.
std::optional<std::string> text_member(const boost::json::object& object, std::string_view name);

}  // namespace hector::identity
