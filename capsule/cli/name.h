// What: `hector name …`: composite names, and what is bound to them.
// Why: names are tried out and looked up from a shell.
// Who: cli_main.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/session.h"

namespace hector {

/// As add_binding_commands().
void add_name_commands(CLI::App& app, CliOptions& options, std::string& format,
                       std::function<int()>& chosen);

}  // namespace hector
