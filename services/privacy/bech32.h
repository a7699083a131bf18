// What: bech32 (BIP 173) without its limit of 90 characters, as age writes keys.
// Why: a mistyped key is refused, not used.
// Who: age keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hector::privacy {

/// Lower case.
std::string bech32_encode(std::string_view name, std::string_view octets);

struct Bech32 {
  std::string name;  ///< in lower case
  std::string octets;
};
/// None: mixed case, a wrong checksum, a character or padding that does not belong there.
std::optional<Bech32> bech32_decode(std::string_view text);

}  // namespace hector::privacy
