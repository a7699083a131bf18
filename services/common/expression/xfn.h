// What: XFN's search filters (X/Open C403, appendix on the search filter), with attribute
// identifiers written inline.
// Why: names are found by their attributes.
// Who: Naming; the command line.
#pragma once

#include <vector>

#include "expression/program.h"

namespace hector::expression {

/// What a filter may ask beside attributes; attributes are lists of values.
inline constexpr std::string_view kNameOf = "name()", kReferenceTypeOf = "reftype()",
                                  kAddressTypesOf = "addrtype()";

/// `arguments` are taken by "%a" (an attribute's identifier), "%v" (a value: digits are an integer)
/// and "%s" (a string), in their order. Empty is TRUE. INVALID_ARGUMENT of type
/// "SEARCH_INVALID_FILTER" with the column.
Result<Program> compile_filter(std::string_view text, const std::vector<std::string>& arguments);

}  // namespace hector::expression
