// What: values as CBOR (RFC 8949) and back.
// Why: HEROS carries nothing else.
// Who: the HEROS protocol, its fuzz target.
#pragma once

#include <string>
#include <string_view>

#include "hector/result.h"
#include "objects/value.h"

namespace hector::heros {

using objects::Value;

/// More than a message's, whose error is then the one that is told.
inline constexpr std::size_t kCborDepthMax = 200;
/// A value takes about 120 octets here; a message of 16 MiB may have as many items as octets.
inline constexpr std::size_t kCborItemsMax = 4'000'000;

/// Reals as doubles, integers in their shortest form, lengths definite: as cbor2 does.
void write_cbor(const Value& value, std::string& out);
std::string cbor_of(const Value& value);
/// One value and nothing behind it. INVALID_ARGUMENT (at which octet; too deep; too many items).
/// Never reserves more than there are octets.
Result<Value> read_cbor(std::string_view octets);

}  // namespace hector::heros
