// What: `hector trade …`: what is offered, by type, constraint and preference, and why an offer
// matched or did not.
// Why: trading is tried out and administered from a shell.
// Who: cli_main.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/session.h"

namespace hector {

/// As add_binding_commands().
void add_trade_commands(CLI::App& app, CliOptions& options, std::string& format,
                        std::function<int()>& chosen);

}  // namespace hector
