// What: octets from hex, for the published vectors.
// Why: vectors stand in tests as they are published.
// Who: the tests beside it.
#pragma once

#include <string>
#include <string_view>

#include "secret.h"

namespace hector::privacy {

inline std::string from_hex(std::string_view hex) {
  std::string out(hex.size() / 2, '\0');
  sodium_hex2bin(octets(out), out.size(), hex.data(), hex.size(), nullptr, nullptr, nullptr);
  return out;
}
inline std::string to_hex(std::string_view text) {
  std::string out(text.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), octets(text), text.size());
  out.pop_back();
  return out;
}

}  // namespace hector::privacy
