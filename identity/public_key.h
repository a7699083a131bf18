// What: which public keys are accepted, and signatures of tokens by them.
// Why: weak keys are refused in one place, for certificates and for tokens alike.
// Who: certificates and tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "identity/openssl.h"

namespace hector::identity {

inline constexpr int kRsaBitsMin = 2048;

enum class KeyGrade : std::uint8_t {
  kAccepted,
  kRefused,  ///< too short, of another curve or kind
  kBroken,   ///< of an accepted kind, but it does not parse
};
KeyGrade grade_of_certificate_key(X509_PUBKEY* key);

/// How a token is signed (RFC 7518): the key's kind and the hash.
struct TokenAlgorithm {
  enum class Family : std::uint8_t { kRsa, kRsaPss, kEcdsa };

  std::string_view name;
  Family family;
  const char* digest;
  const char* curve;       ///< of ECDSA, as OpenSSL calls it
  std::size_t coordinate;  ///< of ECDSA: octets of r, and of s
};
/// One of RS, PS and ES with 256, 384 and 512; null for any other.
const TokenAlgorithm* token_algorithm(std::string_view name);

/// Whether the key is of the kind, the curve and the length that the algorithm needs.
bool fits(EVP_PKEY* key, const TokenAlgorithm& algorithm);
/// `signature` as RFC 7515 has it: r and s side by side for ECDSA.
bool verifies(EVP_PKEY* key, const TokenAlgorithm& algorithm, std::string_view signed_text,
              std::string_view signature);

}  // namespace hector::identity
