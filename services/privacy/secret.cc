#include "secret.h"

#include <cstring>

#include "hector/check.h"

namespace hector::privacy {

namespace {

/// Idempotent and cheap: whoever comes first need not know that he does.
void start_library() { HECTOR_CHECK(sodium_init() >= 0, "libsodium cannot start"); }

}  // namespace

Secret::Secret(std::size_t size) : size_(size) {
  start_library();
  memory_.reset(static_cast<unsigned char*>(sodium_malloc(size)));
  HECTOR_CHECK(memory_ != nullptr, "there is no memory left for a key");
}

Secret Secret::copy(std::string_view octets) {
  Secret secret(octets.size());
  if (!octets.empty()) std::memcpy(secret.writable(), octets.data(), octets.size());
  return secret;
}

Secret Secret::random(std::size_t size) {
  Secret secret(size);
  randombytes_buf(secret.writable(), size);
  return secret;
}

std::string random_octets(std::size_t size) {
  start_library();
  std::string made(size, '\0');
  randombytes_buf(made.data(), size);
  return made;
}

}  // namespace hector::privacy
