#include "hkdf.h"

namespace hector::privacy {

Wiped<32> hmac_sha256(std::string_view key, Parts parts) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, octets(key), key.size());
  for (const auto part : parts) crypto_auth_hmacsha256_update(&state, octets(part), part.size());
  Wiped<32> made;
  crypto_auth_hmacsha256_final(&state, made.data());
  sodium_memzero(&state, sizeof state);
  return made;
}

}  // namespace hector::privacy
