// What: what the command line says where its words are wrong, and `hector help`.
// Why: a misspelt command or option gets the nearest right one, and the way to more help.
// Who: main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace hector {

/// The command that these words lead to; null if they lead nowhere.
CLI::App* find_command(CLI::App& app, const std::vector<std::string>& words);
/// What `--help` of the command prints.
std::string help_of(const CLI::App& command);
/// That some words lead nowhere: the first wrong one, and the nearest command.
std::string unknown_command(CLI::App& app, const std::vector<std::string>& words);
/// What was wrong with the words that `app` was given.
std::string usage_mistake(CLI::App& app, const CLI::ParseError& error);

}  // namespace hector
