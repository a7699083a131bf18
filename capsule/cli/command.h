// What: CommandTree, the command line as tables: a command is its path, its parameters and the
// function that runs it.
// Why: a reader sees a command whole in one place, and every command gets help, usage errors and
// the common options in the same way.
// Who: the files of commands beside it; main.cc runs the one that was chosen.
#pragma once

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/text/nearest.h"
#include "cli/session.h"

namespace hector {

/// One of these words; another gets the nearest of them.
inline CLI::Validator one_of(std::vector<std::string> words) {
  const std::string list = fmt::format("{}", fmt::join(words, ", "));
  return {[words = std::move(words), list](std::string& word) -> std::string {
            if (std::find(words.begin(), words.end(), word) != words.end()) return {};
            return fmt::format("'{}' is none of {}{}", word, list, nearest_hint(word, words));
          },
          "one of " + list};
}

/// What every command is given beside its own arguments.
struct CommandContext {
  CliOptions options;
  std::string format = "table";  ///< of what it prints: table, json, jsonl, yaml or name
  bool is_wide = false;          ///< the table with all its columns
};

/// One option, flag or positional of a command; the parsed value goes into a field of the command's
/// `Arguments`, whose initial value is the default.
template <class Arguments>
struct Parameter {
  using Field =
      std::variant<std::string Arguments::*, std::vector<std::string> Arguments::*,
                   bool Arguments::*, std::uint32_t Arguments::*, std::uint64_t Arguments::*>;

  std::string name;  ///< "object" is a positional, "--where" an option, "-n,--how-many" both forms
  Field field;
  std::string help = {};
  bool is_required = false;
  bool takes_one_value = false;  ///< a list's option is repeated for each value
  char delimiter = 0;            ///< 0: values are separate words
  std::optional<CLI::Validator> check = {};

  Parameter required() && {
    is_required = true;
    return std::move(*this);
  }
  Parameter repeated() && {
    takes_one_value = true;
    return std::move(*this);
  }
  Parameter separated_by(char character) && {
    delimiter = character;
    return std::move(*this);
  }
  Parameter checked(CLI::Validator validator) && {
    check = std::move(validator);
    return std::move(*this);
  }
};

template <class Arguments>
struct Command {
  std::string path;  ///< "trade link add"; the groups before the last word are there already
  std::string help;
  std::vector<Parameter<Arguments>> parameters;
  /// Returns the exit code (main.cc has the list).
  std::function<int(const CommandContext&, const Arguments&)> run;
};

/// Not for several threads. The App and the context outlive it.
class CommandTree {
 public:
  CommandTree(CLI::App& app, const CommandContext& context) : app_(app), context_(context) {}

  /// A word that needs another one after it.
  void group(const std::string& path, const std::string& help) {
    make(path, help)->require_subcommand(1);
  }

  /// Whether there is such a word at the top.
  [[nodiscard]] bool has(const std::string& group) const {
    return !app_.get_subcommands([&](CLI::App* each) { return each->get_name() == group; }).empty();
  }

  template <class Arguments>
  void add(const std::vector<Command<Arguments>>& commands) {
    for (const auto& command : commands) add(command);
  }

  template <class Arguments>
  void add(const Command<Arguments>& command) {
    auto* const made = make(command.path, command.help);
    const auto arguments = std::make_shared<Arguments>();
    for (const auto& parameter : command.parameters) add_to(*made, parameter, *arguments);
    made->callback([this, arguments, run = command.run] {
      chosen_ = [this, arguments, run] { return run(context_, *arguments); };
    });
  }

  /// Runs what the parsed words chose. Returns its exit code.
  [[nodiscard]] int run() const { return chosen_(); }

 private:
  CLI::App* make(const std::string& path, const std::string& help) {
    CLI::App* parent = &app_;
    std::size_t from = 0;
    for (auto to = path.find(' '); to != std::string::npos; to = path.find(' ', from)) {
      parent = parent->get_subcommand(path.substr(from, to - from));
      from = to + 1;
    }
    return parent->add_subcommand(path.substr(from), help);
  }

  template <class Arguments>
  static void add_to(CLI::App& command, const Parameter<Arguments>& parameter,
                     Arguments& arguments) {
    CLI::Option* const option = std::visit(
        [&](const auto field) -> CLI::Option* {
          auto& value = arguments.*field;
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, bool>) {
            return command.add_flag(parameter.name, value, parameter.help);
          } else {
            auto* const added = command.add_option(parameter.name, value, parameter.help);
            if (value != std::decay_t<decltype(value)>()) added->capture_default_str();
            return added;
          }
        },
        parameter.field);
    if (parameter.is_required) option->required();
    if (parameter.takes_one_value) option->allow_extra_args(false);
    if (parameter.delimiter != 0) option->delimiter(parameter.delimiter);
    if (parameter.check) option->check(*parameter.check);
  }

  CLI::App& app_;
  const CommandContext& context_;
  std::function<int()> chosen_;
};

}  // namespace hector
