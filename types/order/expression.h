// What: the parser of protocol expressions and their printer.
// Why: one line says in which order messages may come; one parser serves the YAML reader, the
// editor and the tools.
// Who: the type reader, custom Interaction types, differences between versions.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hector/result.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// An expression's text, and what custom Interactions make of it.
inline constexpr std::size_t kExpressionOctetsMax = 64 * 1024;
/// Parentheses inside each other: the parser recurses some frames for each.
inline constexpr std::size_t kExpressionDepthMax = 200;
/// Operators inside each other: what walks the tree recurses once for each.
inline constexpr std::size_t kExpressionHeightMax = 1'000;
/// n and m of x{n,m}: counts are written out before an order is decided.
inline constexpr std::uint32_t kExpressionCountMax = 1'000;

/// INVALID_ARGUMENT says the column (from 1), what was found and what was expected.
Result<hector::type::v1::Expression> parse_expression(std::string_view text);
std::string print_expression(const hector::type::v1::Expression& expression);

/// An expression and every expression in it, the outer before the inner, from left to right.
void each_part(const hector::type::v1::Expression& expression,
               const std::function<void(const hector::type::v1::Expression&)>& visit);

}  // namespace hector::types
