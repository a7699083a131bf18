// What: a whole file as text.
// Why: type files, configurations and manifests are read at once, and a file that is not there is
// the same error everywhere.
// Who: readers of files.
#pragma once

#include <string>
#include <string_view>

#include "hector/result.h"

namespace hector {

/// NOT_FOUND: "WHAT 'path' cannot be read: why".
Result<std::string> read_file(const std::string& path, std::string_view what = "file");

}  // namespace hector
