// What: the nearest of some names to a misspelt one.
// Why: an error that names the right spelling saves the reader a search.
// Who: every message about an unknown name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hector {

/// " (did you mean 'x'?)", or empty if none is near.
std::string nearest_hint(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace hector
