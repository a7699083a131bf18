// What: every group of commands, one function a file.
// Why: main.cc puts them together and knows nothing else of them.
// Who: main.cc.
#pragma once

#include "cli/command.h"

namespace hector {

/// capsule, get, describe, create, move, delete, load, unload, call, bind, version.
void add_management_commands(CommandTree& tree);
/// What every Object is at, again and again.
void add_top_command(CommandTree& tree);
/// Who one is to a capsule, and what is permitted there.
void add_auth_commands(CommandTree& tree);
/// Logs of who did what.
void add_audit_commands(CommandTree& tree);
/// A Binding that runs: its parties, channels and changes.
void add_binding_commands(CommandTree& tree);
/// Whose certificate chains and tokens these are.
void add_identity_commands(CommandTree& tree);
void add_name_commands(CommandTree& tree);
void add_policy_commands(CommandTree& tree);
void add_trade_commands(CommandTree& tree);
/// Types in files, and the Type service.
void add_type_commands(CommandTree& tree);
void add_type_service_commands(CommandTree& tree);
/// `try` of every service that has one.
void add_trial_commands(CommandTree& tree);

}  // namespace hector
