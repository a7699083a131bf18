// What: the blocks CERTIFICATE of a PEM text (RFC 7468), as DER.
// Why: a file of which only a part can be read is refused as a whole; other blocks, a private key
// among them, are not looked into.
// Who: chains and bundles.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace hector::identity {

/// "-----BEGIN " in the text says that it is to be PEM.
bool looks_like_pem(std::string_view text) noexcept;

/// In their order; the error says what is wrong. Text around blocks and line ends of Windows are
/// passed over.
tl::expected<std::vector<std::string>, std::string> read_pem_certificates(std::string_view text);

}  // namespace hector::identity
