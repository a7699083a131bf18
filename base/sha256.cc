#include "hector/sha256.h"

// OpenSSL's EVP interface loads every provider first: 2 MiB and 2 ms for a capsule that may need
// this one hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace hector {

std::string sha256_hex(std::string_view octets) {
  constexpr const char* kDigits = "0123456789abcdef";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, octets.data(), octets.size());
  SHA256_Final(digest, &context);
  std::string hex;
  for (const unsigned char octet : digest) {
    hex += kDigits[octet >> 4U];
    hex += kDigits[octet & 0xfU];
  }
  return hex;
}

}  // namespace hector
