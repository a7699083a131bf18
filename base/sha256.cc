#include "hector/sha256.h"

#include <fmt/format.h>
// OpenSSL's EVP interface loads every provider first: 2 MiB and 2 ms for a capsule that may need
// this one hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace hector {

std::string sha256_hex(std::string_view octets) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, octets.data(), octets.size());
  SHA256_Final(digest, &context);
  std::string hex;
  for (const unsigned char octet : digest) hex += fmt::format("{:02x}", octet);
  return hex;
}

}  // namespace hector
