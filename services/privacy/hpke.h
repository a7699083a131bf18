// What: HPKE in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256) and the key schedule for
// HKDF-SHA256 with AES-256-GCM; X25519 itself by libsodium.
// Why: OpenSSL has HPKE from 3.2 on, libsodium has none; both steps are a few calls of HKDF.
// Who: cipher.cc; age files share X25519.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "secret.h"

namespace hector::privacy {

inline constexpr std::size_t kX25519Octets = crypto_scalarmult_BYTES;

std::string x25519_public(std::string_view private_key);
/// None where `point` is one of the few that give zeros with every key.
std::optional<Wiped<32>> x25519(std::string_view private_key, std::string_view point);

struct Encapsulated {
  Wiped<32> shared;
  std::string encapsulated;  ///< goes in front of the ciphertext
};
/// None where `recipient` is no usable point. `ephemeral` is used once.
std::optional<Encapsulated> hpke_encapsulate(std::string_view recipient,
                                             std::string_view ephemeral);
std::optional<Wiped<32>> hpke_decapsulate(std::string_view private_key,
                                          std::string_view encapsulated);

struct HpkeKeys {
  Wiped<32> key;
  Wiped<12> nonce;  ///< of the first message, which is the only one here
};
HpkeKeys hpke_schedule(const Wiped<32>& shared, std::string_view info);

}  // namespace hector::privacy
