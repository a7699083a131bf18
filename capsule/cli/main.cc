// What: hector, the command line.
// Why: everything that can be administered in a capsule, from a shell; a client of the management
// interface like any other. Who: people and scripts. Exit codes: 0 ok, 1 failed, 2 usage, 3 not
// found, 4 denied, 5 conflict, 6 unavailable or timed out, 7 incompatible types.
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "process/standard_files.h"

namespace {

void add_common_options(CLI::App& app, hector::CommandContext& context) {
  auto& options = context.options;
  app.add_option("--capsule,-c", options.capsule,
                 "which capsule: a name (`hector get capsules`) or a hector: reference");
  app.add_option("--protocol", options.protocol, "reach it over this protocol");
  app.add_option("--timeout-ms", options.timeout_ms, "give up after this time")
      ->capture_default_str();
  app.add_option("--output,-o", context.format,
                 "table for people, wide (all its columns); json, jsonl (a line for each entry), "
                 "yaml, or name")
      ->check(hector::one_of({"table", "wide", "json", "jsonl", "yaml", "name"}));
  app.add_flag("--verbose,-v", options.verbose, "show the log");
}

/// `hector help type check`: the words are a command's, so they are not looked for as commands
/// here.
CLI::App& add_help(CLI::App& app, std::vector<std::string>& words) {
  auto* const help = app.add_subcommand("help", "what a command does and takes");
  help->fallthrough(false);
  help->add_option("command", words, "its words, as in `hector help type check`");
  return *help;
}

int show_help(CLI::App& app, const std::vector<std::string>& words) {
  if (auto* const command = hector::find_command(app, words)) {
    hector::write_out(hector::help_of(*command));
    return 0;
  }
  hector::complain("hector: " + hector::unknown_command(app, words) + "\n");
  return hector::kExitUsage;
}

int run(int argc, char** argv) {
  CLI::App app{
      "hector administers capsules: what they host, what they speak, and who is bound to whom.",
      "hector"};
  app.require_subcommand(1);
  app.fallthrough();
  hector::CommandContext context;
  add_common_options(app, context);

  hector::CommandTree tree(app, context);
  hector::add_management_commands(tree);
  hector::add_top_command(tree);
  hector::add_binding_commands(tree);
  hector::add_policy_commands(tree);
  hector::add_trade_commands(tree);
  hector::add_name_commands(tree);
  hector::add_identity_commands(tree);
  hector::add_audit_commands(tree);
  hector::add_auth_commands(tree);
  hector::add_type_commands(tree);
  hector::add_type_service_commands(tree);
  hector::add_trial_commands(tree);
  std::vector<std::string> words;
  const CLI::App& help = add_help(app, words);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    hector::write_out(app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    hector::complain("hector: " + hector::usage_mistake(app, error) + "\n");
    return hector::kExitUsage;
  }
  context.is_wide = context.format == "wide";
  if (context.is_wide) context.format = "table";
  return help.parsed() ? show_help(app, words) : tree.run();
}

}  // namespace

int main(int argc, char** argv) {
  hector::keep_standard_files();
  return hector::finish_output(run(argc, argv));
}
