// What: base64 with one spelling for each text: no white space, no bits that count for nothing.
// Why: what can be spelled in two ways is compared, signed and stored wrongly.
// Who: age files (without padding, and with it in an armor), the step reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hector::privacy {

enum class Padding : std::uint8_t { kWith, kWithout };

std::string base64_encode(std::string_view octets, Padding padding);
/// None: it is not what base64_encode() writes.
std::optional<std::string> base64_decode(std::string_view text, Padding padding);

}  // namespace hector::privacy
