// What: the commands that change a realm, and the time that they go by.
// Why: `hector identity check` needs no realm; the others are about one.
// Who: identity.cc.
#pragma once

#include "cli/command.h"
#include "hector/identity.h"

namespace hector {

identity::Instant identity_now();
/// init, identity issue, renew, revoke, list, show.
void add_realm_commands(CommandTree& tree);

}  // namespace hector
