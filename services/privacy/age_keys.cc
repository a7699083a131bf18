#include "age_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "bech32.h"
#include "hpke.h"
#include "refusals.h"

namespace hector::privacy {

namespace {

bool has_any(std::string_view text, char first, char last) {
  return std::any_of(text.begin(), text.end(), [=](char c) { return c >= first && c <= last; });
}

}  // namespace

Result<std::string> read_recipient(std::string_view text) {
  const auto refused = [&](const std::string& why) {
    return refuse_argument(fmt::format("'{}' is no recipient: {}", text, why));
  };
  const auto decoded = bech32_decode(text);
  if (!decoded) return refused("its checksum is wrong, or it is no bech32");
  if (decoded->name != "age" || has_any(text, 'A', 'Z'))
    return refused("X25519 keys begin with 'age1', in lower case");
  if (decoded->octets.size() != kX25519Octets) return refused("a key has 32 octets");
  Wiped<kX25519Octets> any;
  any.data()[0] = 1;
  if (!x25519(any.view(), decoded->octets))
    return refused("anyone could open what is sealed for it");
  return decoded->octets;
}

Result<Secret> read_identity(std::string_view text) {
  auto decoded = bech32_decode(text);
  if (!decoded) return refuse_argument("an identity has a wrong checksum, or is no bech32");
  const WipedText wiped(decoded->octets);
  if (decoded->name != "age-secret-key-" || has_any(text, 'a', 'z'))
    return refuse_argument("identities of X25519 begin with 'AGE-SECRET-KEY-1', in upper case");
  if (decoded->octets.size() != kX25519Octets) return refuse_argument("an identity has 32 octets");
  return Secret::copy(decoded->octets);
}

std::string write_recipient(std::string_view public_key) {
  return bech32_encode("age", public_key);
}

}  // namespace hector::privacy
