// What: HKDF with SHA-256 (RFC 5869), over libsodium's HMAC.
// Why: associated data of any length goes into the last step's info; OpenSSL 3.0 takes no more than
// a fixed buffer of it.
// Who: STREAM_64K, HPKE, age files.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "secret.h"

namespace hector::privacy {

using Parts = std::initializer_list<std::string_view>;

/// Of the parts one after the other.
Wiped<32> hmac_sha256(std::string_view key, Parts parts);

/// An empty salt is 32 zeros.
inline Wiped<32> hkdf_extract(std::string_view salt, Parts key_material) {
  return hmac_sha256(salt, key_material);
}
/// One block is all that anything here asks for.
template <std::size_t size>
Wiped<size> hkdf_expand(const Wiped<32>& key, Parts info) {
  static_assert(size <= 32);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), 32);
  for (const auto part : info) crypto_auth_hmacsha256_update(&state, octets(part), part.size());
  constexpr unsigned char kFirst = 1;
  crypto_auth_hmacsha256_update(&state, &kFirst, 1);
  Wiped<32> block;
  crypto_auth_hmacsha256_final(&state, block.data());
  sodium_memzero(&state, sizeof state);
  Wiped<size> made;
  std::copy_n(block.data(), size, made.data());
  return made;
}
inline Wiped<32> hkdf(std::string_view key_material, std::string_view salt, Parts info) {
  return hkdf_expand<32>(hkdf_extract(salt, {key_material}), info);
}

}  // namespace hector::privacy
