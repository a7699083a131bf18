// What: `hector policy …`: values by wildcard keys, and why each is what it is.
// Why: what capsules choose by is administered from a shell; a resource file can be tried without
// any capsule.
// Who: cli_main.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/session.h"

namespace hector {

/// As add_binding_commands().
void add_policy_commands(CLI::App& app, CliOptions& options, std::string& format,
                         std::function<int()>& chosen);

}  // namespace hector
