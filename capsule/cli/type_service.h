// What: what the commands for type files leave to the Type service's side, and to its rules.
// Why: `hector type conforms` and `breaking` take files or names of the service.
// Who: types.cc.
#pragma once

#include <string>

#include "cli/command.h"

namespace hector {

/// Two types of the service, or a type and a Role.
int service_conforms(const CommandContext& context, const std::string& sub,
                     const std::string& super, const std::string& level);
/// Two .proto files, by Buf's rules; needs no capsule. Exit code 7 where something breaks.
int proto_breaking(const std::string& older, const std::string& newer, const std::string& category,
                   const std::string& format);

}  // namespace hector
