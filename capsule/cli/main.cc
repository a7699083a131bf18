// What: hector, the command line.
// Why: everything that can be administered in a capsule, from a shell; a client of the management
// interface like any other. Who: people and scripts. Exit codes: 0 ok, 1 failed, 2 usage, 3 not
// found, 4 denied, 5 conflict, 6 unavailable or timed out, 7 incompatible types.
#include "cli/commands.h"

namespace {

constexpr int kExitUsage = 2;

void add_common_options(CLI::App& app, hector::CommandContext& context) {
  auto& options = context.options;
  app.add_option("--capsule,-c", options.capsule,
                 "which capsule: a name (`hector get capsules`) or a hector: reference");
  app.add_option("--protocol", options.protocol, "reach it over this protocol");
  app.add_option("--timeout-ms", options.timeout_ms, "give up after this time")
      ->capture_default_str();
  app.add_option("--output,-o", context.format, "table, json, yaml or name; jsonl for type check")
      ->check(CLI::IsMember({"table", "json", "yaml", "name", "jsonl"}));
  app.add_flag("--verbose,-v", options.verbose, "show the log");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "hector administers capsules: what they host, what they speak, and who is bound to whom."};
  app.require_subcommand(1);
  app.fallthrough();
  hector::CommandContext context;
  add_common_options(app, context);

  hector::CommandTree tree(app, context);
  hector::add_management_commands(tree);
  hector::add_binding_commands(tree);
  hector::add_policy_commands(tree);
  hector::add_trade_commands(tree);
  hector::add_name_commands(tree);
  hector::add_type_commands(tree);
  hector::add_type_service_commands(tree);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return tree.run();
}
