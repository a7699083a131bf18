// What: composite names as text (X/Open XFN, section 4.2): components between '/', with quotes and
// escapes.
// Why: a name may lead through several naming systems, and any component may hold any character.
// Who: Naming; `hector name parse`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector::naming {

inline constexpr std::size_t kNameOctetsMax = 4'096;

/// One more component than there are separators, so "" is one empty one. INVALID_ARGUMENT
/// (ILLEGAL_NAME) with the column: a quote that is not closed, or closed before the end of its
/// component; a name of more than 4,096 octets.
Result<std::vector<std::string>> parse_name(std::string_view text);
/// The text that is read back as these components, at least one.
std::string print_name(const std::vector<std::string>& components);

}  // namespace hector::naming
