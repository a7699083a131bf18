// What: `hector binding …`: what changes in a Binding that runs.
// Why: its control Object is an Object like any other; these are its operations with arguments in
// place of JSON.
// Who: cli_main.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/session.h"

namespace hector {

/// Adds the subcommands; each puts what is to be done into `chosen`.
void add_binding_commands(CLI::App& app, CliOptions& options, std::string& format,
                          std::function<int()>& chosen);

}  // namespace hector
