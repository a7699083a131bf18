// What: JSON (RFC 8259) in which each name of an object stands once, at any depth.
// Why: two readers of one text see the same: with a name given twice, one takes the first value and
// another the last.
// Who: tokens and JWKS.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string_view>

namespace hector::identity {

inline constexpr std::size_t kJsonDepthMax = 64;

/// Nothing for what is no JSON, no UTF-8, nested deeper than kJsonDepthMax, or has a name twice.
std::optional<boost::json::value> read_strict_json(std::string_view text);

/// The member, null where there is none.
const boost::json::value* member(const boost::json::object& object, std::string_view name);

}  // namespace hector::identity
