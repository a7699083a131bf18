// What: files that only their owner reads, written whole or not at all.
// Why: a key is never on disk with a wider mode, and a reader never sees half a file.
// Who: realms.
#pragma once

#include <string>
#include <string_view>

#include "hector/descriptor.h"
#include "hector/result.h"

namespace hector::identity {

/// Mode 0600, in place of one that is there. UNAVAILABLE.
Status write_private_file(const std::string& path, std::string_view content);
/// NOT_FOUND. FAILED_PRECONDITION: others than its owner can read it.
Result<std::string> read_private_file(const std::string& path);
/// Waits for other processes; held until the descriptor is closed. UNAVAILABLE.
Result<Descriptor> lock_folder(const std::string& folder);

}  // namespace hector::identity
