// What: Ed25519 signatures (RFC 8032) and SHA-256 digests of what services are given.
// Why: a bundle or a module counts only if a trusted key has signed it, and is what its digest
// says.
// Who: Policy, the Type service.
#pragma once

#include <string>
#include <string_view>

namespace hector::state {

/// As keys stand in configurations; what is no base64 gives the empty text.
std::string from_base64(const std::string& text);
/// `key`: 32 octets, `signature`: 64.
bool is_signed_by(const std::string& key, std::string_view text, std::string_view signature);
/// SHA-256 as 64 hex digits.
std::string digest_of(std::string_view content);

}  // namespace hector::state
