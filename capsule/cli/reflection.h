// What: the types of a live server, by its reflection.
// Why: an existing server is imported without its .proto files.
// Who: `hector type import PROTOCOL:ADDRESS`.
#pragma once

#include <string>

#include "hector/result.h"

namespace hector {

/// Whether it is PROTOCOL:ADDRESS, for a protocol there is a plugin for, and no file.
bool is_server(const std::string& text);
/// A serialised FileDescriptorSet with the files of all its services and what they import, each
/// after those it imports. UNAVAILABLE; UNIMPLEMENTED if it has no reflection.
Result<std::string> reflect(const std::string& server);

}  // namespace hector
