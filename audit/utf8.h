// What: well-formed UTF-8, one character at a time.
// Why: a record is JSON, which is UTF-8; what is recorded may be any octets.
// Who: records.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hector::audit {

/// Octets of the character that `text` begins with; 0 where it begins with none (RFC 3629: no
/// overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t character_octets(std::string_view text) noexcept;

/// Each octet that belongs to no character becomes U+FFFD.
std::string as_utf8(std::string_view octets);

}  // namespace hector::audit
