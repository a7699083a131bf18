// What: the parser of protocol expressions and their printer.
// Why: one line says in which order messages may come; one parser serves the YAML reader, the
// editor and the tools.
// Who: the type reader.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hector/result.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// Limits: an expression's octets, its nesting, and the largest count in x{n,m}.
inline constexpr std::size_t kExpressionOctetsMax = 64 * 1024;
inline constexpr std::size_t kExpressionDepthMax = 200;
inline constexpr std::size_t kExpressionHeightMax = 1'000;
inline constexpr std::uint32_t kExpressionCountMax = 1'000;

/// INVALID_ARGUMENT says the column (from 1), what was found and what was expected.
Result<hector::type::v1::Expression> parse_expression(std::string_view text);
std::string print_expression(const hector::type::v1::Expression& expression);

/// An expression and every expression in it, the outer before the inner, from left to right.
void each_part(const hector::type::v1::Expression& expression,
               const std::function<void(const hector::type::v1::Expression&)>& visit);

}  // namespace hector::types
