// What: SHA-256 as text.
// Why: types, modules and blobs are compared by their content.
// Who: types, the kernel, services.
#pragma once

#include <string>
#include <string_view>

namespace hector {

/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view octets);

}  // namespace hector
