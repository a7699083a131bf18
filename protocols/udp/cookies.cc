#include "cookies.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "packet.h"

namespace hector::udp {

namespace {
constexpr Duration kBucket = std::chrono::seconds(30);
}

Cookies::Cookies(Random& random, const Clock& clock) : clock_(clock) {
  for (auto& word : secret_) word = random.next();
}

std::uint64_t Cookies::bucket() const {
  return static_cast<std::uint64_t>(clock_.now().time_since_epoch() / kBucket);
}

std::string Cookies::of_bucket(const NetworkAddress& from, std::uint64_t initiator,
                               std::uint64_t bucket) const {
  std::string text(reinterpret_cast<const char*>(from.octets), sizeof from.octets);
  Writer(text).fixed(from.port).fixed(initiator).fixed(bucket);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret_, sizeof secret_, reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), kCookieOctets};
}

std::string Cookies::make(const NetworkAddress& from, std::uint64_t initiator) const {
  return of_bucket(from, initiator, bucket());
}

bool Cookies::is_valid(std::string_view cookie, const NetworkAddress& from,
                       std::uint64_t initiator) const {
  const std::uint64_t now = bucket();
  for (const std::uint64_t each : {now, now - 1}) {
    const std::string right = of_bucket(from, initiator, each);
    if (cookie.size() == right.size() &&
        CRYPTO_memcmp(cookie.data(), right.data(), right.size()) == 0)
      return true;
  }
  return false;
}

}  // namespace hector::udp
