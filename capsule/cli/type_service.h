// What: `hector type publish|get|list|usages|…`: the Type service's types and code.
// Why: what a capsule keeps is put there and asked for from the shell.
// Who: cli_main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/session.h"

namespace hector {

/// Adds to the group `type`.
void add_type_service_commands(CLI::App& types, CliOptions& options, std::string& format,
                               std::function<int()>& chosen);
/// Two types of the service, or a type and a Role.
int service_conforms(const CliOptions& options, const std::string& format, const std::string& sub,
                     const std::string& super, const std::string& level);
/// Two .proto files, by Buf's rules; needs no capsule. 7 where something breaks.
int proto_breaking(const std::string& older, const std::string& newer, const std::string& category,
                   const std::string& format);

}  // namespace hector
