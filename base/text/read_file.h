// What: a whole file as text.
// Why: type files, configurations and manifests are read at once, and a file that is not there is
// the same error everywhere.
// Who: readers of files.
#pragma once

#include <string>
#include <string_view>

#include "hector/plain_text.h"
#include "hector/result.h"

namespace hector {

/// NOT_FOUND: "WHAT 'path' cannot be read: why". Octet for octet.
Result<std::string> read_file(const std::string& path, std::string_view what = "file");

/// read_file() and plain_text(); INVALID_ARGUMENT for UTF-16, which nothing here reads.
Result<std::string> read_text(const std::string& path, std::string_view what = "file");

}  // namespace hector
