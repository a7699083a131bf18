// What: octets out of base64 (RFC 4648), and into its form of URLs.
// Why: one text has one spelling: what other readers pass over is refused here.
// Who: tokens and keys (the form of URLs), PEM and x5c (the padded form).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hector::identity {

enum class Base64 : std::uint8_t {
  kUrl,     ///< '-' and '_', no padding, unused bits zero
  kPadded,  ///< '+' and '/', padded to a multiple of four
};

/// Nothing for any other character, white space too.
std::optional<std::string> read_base64(std::string_view text, Base64 form);
/// The form of URLs.
std::string write_base64url(std::string_view octets);

}  // namespace hector::identity
