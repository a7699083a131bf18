#include "cli/help.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "base/text/nearest.h"

namespace hector {

namespace {

std::vector<std::string> commands_of(CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* each : app.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(each->get_name());
  return names;
}

CLI::App* command_named(CLI::App& app, const std::string& word) {
  const auto found = app.get_subcommands([&](CLI::App* each) { return each->get_name() == word; });
  return found.empty() ? nullptr : found.front();
}

/// "hector type check".
std::string path_of(const CLI::App& command) {
  const auto* const parent = command.get_parent();
  return (parent == nullptr ? "" : path_of(*parent) + " ") + command.get_name();
}

/// The command that was understood last.
CLI::App& deepest(CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.front());
}

std::string more_help(const CLI::App& command) {
  const std::string path = path_of(command);
  const auto blank = path.find(' ');
  return fmt::format("`hector help{}` says more",
                     blank == std::string::npos ? "" : path.substr(blank));
}

std::string no_such_command(CLI::App& at, const std::string& word) {
  const auto names = commands_of(at);
  return fmt::format("unknown command '{} {}'{}; there are {}", path_of(at), word,
                     nearest_hint(word, names), fmt::join(names, ", "));
}

bool is_extra(const CLI::ParseError& error) {
  return dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
}

/// The words that no command took. CLI11 2.1 keeps those of a command in its message only.
std::vector<std::string> words_left(CLI::App& app, const CLI::ParseError& error) {
  auto left = app.remaining(true);
  const std::string text = error.what();
  const auto colon = text.find(": ");
  if (!left.empty() || !is_extra(error) || colon == std::string::npos) return left;
  std::istringstream words(text.substr(colon + 2));
  for (std::string word; words >> word;) left.push_back(word);
  return left;
}

std::string unknown_option(const CLI::App& at, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* app = &at; app != nullptr; app = app->get_parent()) {
    for (const auto* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
      for (const auto& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  const std::string name = word.substr(0, word.find('='));
  const bool is_letter = name.size() == 2;  // every other letter is as near
  return fmt::format("`{}` has no option '{}'{}; {}", path_of(at), name,
                     is_letter ? "" : nearest_hint(name, names), more_help(at));
}

}  // namespace

CLI::App* find_command(CLI::App& app, const std::vector<std::string>& words) {
  CLI::App* at = &app;
  for (const auto& word : words) {
    at = command_named(*at, word);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string help_of(const CLI::App& command) {
  return command.get_formatter()->make_help(&command, path_of(command), CLI::AppFormatMode::Normal);
}

std::string unknown_command(CLI::App& app, const std::vector<std::string>& words) {
  CLI::App* at = &app;
  for (const auto& word : words) {
    auto* const next = command_named(*at, word);
    if (next == nullptr) return no_such_command(*at, word);
    at = next;
  }
  return {};
}

std::string usage_mistake(CLI::App& app, const CLI::ParseError& error) {
  CLI::App& at = deepest(app);
  const auto extra = words_left(app, error);
  const bool needs_command = at.get_require_subcommand_min() > 0;
  const auto word = std::find_if(extra.begin(), extra.end(), [](const std::string& each) {
    return !each.empty() && each[0] != '-';
  });
  const auto option = std::find_if(extra.begin(), extra.end(), [](const std::string& each) {
    return each.size() > 1 && each[0] == '-' && each != "--";
  });
  if (needs_command && word != extra.end()) return no_such_command(at, *word);
  if (option != extra.end()) return unknown_option(at, *option);
  if (needs_command)
    return fmt::format("`{}` needs a command: {}; {}", path_of(at),
                       fmt::join(commands_of(at), ", "), more_help(at));
  if (is_extra(error) && word != extra.end())
    return fmt::format("'{}' is one word too many for `{}`; {}", *word, path_of(at), more_help(at));
  return fmt::format("{}; {}", error.what(), more_help(at));
}

}  // namespace hector
