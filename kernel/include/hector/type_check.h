// What: reading type files for their mistakes, without a kernel.
// Why: `hector type check` needs no capsule.
// Who: the command line, editors.
#pragma once

#include <string>
#include <vector>

#include "hector/result.h"

namespace hector {

/// The ids of the types in a file. INVALID_ARGUMENT: "file:line:column: what"; NOT_FOUND if there is no such file.
Result<std::vector<std::string>> check_type_file(const std::string& path);

}  // namespace hector
